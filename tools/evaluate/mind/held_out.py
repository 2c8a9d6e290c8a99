"""What the evaluation says to the toy: the words that training must never show."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
JUDGED = (
    "asides",
    "addressed",
    "asked",
    "finished",
    "unfinished",
)  # keys of lists of which every text is said to the toy and judged


@cache
def held_out_texts(folder: Path = HERE) -> frozenset[str]:
    """Every exact text that the evaluation judges the answer to, from the YAML files of this folder."""
    return frozenset(
        text
        for path in sorted(folder.glob("*.yaml"))
        for text in _judged(yaml.safe_load(path.read_text(encoding="utf-8")))
    )


def _judged(node: Any) -> Iterator[str]:
    """The judged texts anywhere in a file; of `turns` only the last is."""
    if isinstance(node, list):
        for part in node:
            yield from _judged(part)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "turns":
                yield value[-1]
            elif key in JUDGED:
                yield from value
            else:
                yield from _judged(value)
