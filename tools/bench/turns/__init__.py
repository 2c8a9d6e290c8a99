"""Spoken turns with marked ends, played to a whole toy: how long until it answers, and how often it cuts in.

`__main__` prints the tables, `playing` plays, `policies` asks offline what other ways to find the end would have done,
`serial` runs the same engines one after the other, `picture` draws the curves.
"""
