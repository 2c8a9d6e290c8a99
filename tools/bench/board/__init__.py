"""Boards that are not here: how soon a toy would answer on them, from what its engines cost and what they share."""
