"""Which words of a recogniser's passes are settled, and when a pass runs in circles.

LocalAgreement-2 of Machacek et al. 2023 (whisper_streaming), on words: what two passes agree on is settled,
less the last word, which may still be growing.
"""

from __future__ import annotations

from collections.abc import Sequence

LONGEST_LOOP = 8  # tokens
REPEATS = 3  # how often in a row a run of tokens must come to count as a loop


def agreed(before: Sequence[str], now: Sequence[str]) -> int:
    """How many words at the start of two hypotheses are settled."""
    common = 0
    for old, new in zip(before, now, strict=False):
        if old != new:
            break
        common += 1
    return max(0, common - 1)


def loop_length(ids: Sequence[int]) -> int:
    """How long the run of tokens is that comes three times at the end of `ids`; 0 when none does."""
    for length in range(1, min(LONGEST_LOOP, len(ids) // REPEATS) + 1):
        run = ids[-length:]
        if all(ids[-length * (k + 1) : len(ids) - length * k] == run for k in range(1, REPEATS)):
            return length
    return 0


def without_loop(ids: Sequence[int], length: int) -> list[int]:
    """`ids` with the run at their end said once."""
    return list(ids[: len(ids) - length * (REPEATS - 1)])
