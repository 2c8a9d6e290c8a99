"""What the evaluation says to the toy: the words that training must never show."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
SAYING = ("turns", "asides", "addressed", "said", "asked")  # the keys whose texts are spoken to the toy
FREE = "context"  # the key of what is said before, to fill a conversation: anybody may say it


@cache
def held_out_texts(folder: Path = HERE) -> frozenset[str]:
    """Every exact text that the evaluation judges the answer to, from the YAML files of this folder."""
    return frozenset(
        text
        for path in sorted(folder.glob("*.yaml"))
        for text in _judged(yaml.safe_load(path.read_text(encoding="utf-8")))
    )


def _judged(node: Any) -> Iterator[str]:
    """The judged texts anywhere in a file: of `turns` the last, of the other keys all."""
    if isinstance(node, list):
        for part in node:
            yield from _judged(part)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "turns":
                yield value[-1]
            elif key in SAYING:
                yield from value
            elif key != FREE:
                yield from _judged(value)
