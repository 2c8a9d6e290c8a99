"""The word error rate."""

from __future__ import annotations

from collections.abc import Sequence


def edits(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Levenshtein distance in words."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(reference, 1):
        corner, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (word != other))
    return row[-1]


def word_error_rate(references: Sequence[str], heard: Sequence[str]) -> float:
    """Per cent of the reference words."""
    errors = sum(edits(r.split(), h.split()) for r, h in zip(references, heard, strict=True))
    return 100 * errors / max(1, sum(len(r.split()) for r in references))
