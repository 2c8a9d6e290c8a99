"""What people say to the characters, one sentence a line: drawn from the ears' sentences and the mind's dialogues."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

from tools.train.mind.generate import make_writer
from tools.train.speech.synthesis import is_reserved
from tools.train.text.lines import lines_to_characters, plain
from tools.train.text.sentences import load

WRITTEN_TIMES = 3  # lines that somebody wrote count more than drawn ones


def sentences(count: int, seed: int) -> Iterator[str]:
    """About twice `count` sentences in lower case; nothing that the ears or the mind are measured on is among them."""
    source = load()
    rng = random.Random(seed)
    drawn = (source.draw(rng, random_words=False) for _ in range(count))
    turns = (turn for dialogue in make_writer(seed).dialogues() for turn in dialogue.turns)
    asked = (plain(turn.words) for turn in islice(turns, count))
    written = (line for line in lines_to_characters() for _ in range(WRITTEN_TIMES))
    for part in (drawn, asked, written):
        yield from (line for line in part if line and not is_reserved(line, source))
