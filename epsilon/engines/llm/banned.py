"""Texts that no reply may contain, found while the reply grows."""

from __future__ import annotations

import re
from collections.abc import Sequence


class Banned:
    """Finds banned texts, whatever their case, where words begin and end: `ass` is not in `grass`."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = [" ".join(text.lower().split()) for text in texts]
        parts = sorted(map(re.escape, self._texts), key=len, reverse=True)
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)") if parts else None

    def find(self, text: str, whole: bool = True) -> int | None:
        """Where the first banned text begins. In a text that still grows, one at its very end does not count yet."""
        found = self._pattern.search(text.lower()) if self._pattern else None
        unsure = found is not None and not whole and found.end() == len(text) and text[-1:].isalnum()
        return None if found is None or unsure else found.start()

    def sure(self, text: str) -> int:
        """How much of a growing text cannot become the beginning of a banned one."""
        if not self._texts:
            return len(text)
        lower = text.lower()
        starts = (at for at in range(len(text)) if at == 0 or not lower[at - 1].isalnum())
        return next((at for at in starts if self._may_become(lower[at:])), len(text))

    def _may_become(self, rest: str) -> bool:
        return any(text.startswith(rest) for text in self._texts)
