"""How long each symbol lasts, beside the teacher's: the two may spell a word differently, so what both say counts."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from epsilon.engines.tts.symbols import PUNCTUATION

Pairs = npt.NDArray[np.float64]


def durations(ends: Sequence[int], scale: float) -> list[float]:
    """How long each symbol lasts, from where each ends, times `scale`."""
    return [scale * (end - start) for start, end in pairwise((0, *ends))]


def matched(
    ours: Sequence[str], ours_ms: Sequence[float], theirs: Sequence[str], theirs_ms: Sequence[float]
) -> Pairs:
    """Our and their milliseconds of every phoneme that both have at the same place, [phonemes, 2].

    Symbols are ARPAbet; stress does not matter, pads, spaces and marks are no phonemes.
    """
    first, second = ([_plain(symbol) for symbol in symbols] for symbols in (ours, theirs))
    pairs = [
        (ours_ms[block.a + at], theirs_ms[block.b + at])
        for block in SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
        for at in range(block.size)
        if first[block.a + at].isalpha()
    ]
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def comma_starts(symbols: Sequence[str], ends: Sequence[int]) -> list[int]:
    """Where the marks inside a sentence begin, the last one left out."""
    marks = [at for at, symbol in enumerate(symbols) if symbol in PUNCTUATION]
    return [ends[at - 1] for at in marks[:-1] if at]


def _plain(symbol: str) -> str:
    return symbol.rstrip("012")
