"""Takes: conversations kept whole, to be played again and compared message by message.

written.py    what travels between stages as JSON; sound as its length, level and checksum
tap.py        where the rings of a toy are, and how to see what passes
witness.py    notes what a stage reads of the world: the clock, the card, hands, the toy's mouth, battery and heat
recording.py  keeps a conversation while it happens
folder.py     the folder of a take: checked (checks.py), read, and written whole
identity.py   of which code, versions and machine it is
again.py      plays a take again, a block at a time, or each thread's pieces of work in the order they had
snapshot.py   where to begin in the middle; frozen.py takes out of a toy what it remembers, and puts it into another
comparison.py what was different, and what only drifted; report.py says so

What threads did in real time plays again in lock-step: every message, its time included. Three things do not. Work
that was dropped in its middle, because the turn moved on, is done to its end and dropped then, so that `stale` may
count otherwise. Losses at the card and laps of the rings are counted in the take and do not happen again. And a toy
that moved to other cores in the middle (epsilon/moving.py) is kept up to there.
"""
