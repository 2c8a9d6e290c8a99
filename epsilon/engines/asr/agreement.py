"""Which words of a recogniser's passes are settled.

LocalAgreement-2 of Machacek et al. 2023 (whisper_streaming), on words: what two passes agree on is settled,
less the last word, which may still be growing.
"""

from __future__ import annotations

from collections.abc import Sequence


def agreed(before: Sequence[str], now: Sequence[str]) -> int:
    """How many words at the start of two hypotheses are settled."""
    common = 0
    for old, new in zip(before, now, strict=False):
        if old != new:
            break
        common += 1
    return max(0, common - 1)
