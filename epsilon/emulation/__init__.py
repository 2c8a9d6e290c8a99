"""Recordings played into a whole toy: in lock-step, where two runs are alike to the bit, or in real time."""
