"""Takes: conversations kept whole, to be played again and compared message by message.

written.py    what travels between stages as JSON; sound as its length, level and checksum
witness.py    notes what a stage reads of the world: the clock, the card, hands, the toy's mouth
recording.py  keeps a conversation while it happens
folder.py     the folder of a take: read, checked, written whole
again.py      plays a take again, a block at a time or in the order in which its threads worked
comparison.py what was different, and what only drifted
"""
