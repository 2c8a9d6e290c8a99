"""Others' engines and the toy's own as worker processes that take turns, their times, and how they compare."""
