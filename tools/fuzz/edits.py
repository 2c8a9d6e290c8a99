"""Edits of bytes: what a hand, a bad disk or a mean friend does to a file."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

KINDS = ("cut", "drop", "twice", "flip", "number", "word", "noise")
LONGEST = 64
NUMBERS = (b"0", b"-1", b"1e309", b"nan", b"99999999999999999999", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80")


@dataclass(frozen=True, slots=True)
class Edit:
    """One change at a share of the length; `seed` draws the rest."""

    kind: str
    at: float
    seed: int


def edited(data: bytes, edits: Sequence[Edit], words: Sequence[bytes]) -> bytes:
    """The data after all edits, in order."""
    for edit in edits:
        data = _edited(data, edit, words)
    return data


def drawn(rng: random.Random) -> list[Edit]:
    """A few edits at random."""
    count = 1 + min(7, int(rng.expovariate(0.5)))
    return [Edit(rng.choice(KINDS), rng.random(), rng.randrange(2**32)) for _ in range(count)]


def _edited(data: bytes, edit: Edit, words: Sequence[bytes]) -> bytes:
    rng = random.Random(edit.seed)
    at, length = int(edit.at * len(data)), rng.randint(1, LONGEST)
    before, piece, after = data[:at], data[at : at + length], data[at + length :]
    match edit.kind:
        case "cut":
            return before
        case "drop":
            return before + after
        case "twice":
            return before + piece * rng.randint(2, 40) + after
        case "flip":
            return before + bytes(byte ^ (1 << rng.randrange(8)) for byte in piece[:1]) + data[at + 1 :]
        case "number":
            return before + rng.choice(NUMBERS) + data[at + rng.randint(0, 4) :]
        case "word":
            return before + (rng.choice(words) if words else b"") + data[at + rng.randint(0, 8) :]
    return before + rng.randbytes(length) + after
