"""A folder of recordings, each played into a toy of its own: a table over all, held against an earlier run."""
