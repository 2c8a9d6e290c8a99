"""Whole thoughts against beginnings: does the probability of the toy's mark tell when somebody is done speaking?"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from epsilon.engines.llm.conversation import Conversation, finished
from tools.evaluate.mind.chatter import CHARACTERS, Cast
from tools.evaluate.mind.figures import Figures, Row, sample
from tools.evaluate.mind.scoring import area_under_curve, sequence

LINES = Path(__file__).with_name("finished.yaml")
KINDS = ("finished", "unfinished")


def measure(cast: Cast, quick: bool) -> Figures:
    """Every line as the first that each character hears."""
    table = yaml.safe_load(LINES.read_text(encoding="utf-8"))
    lines = {
        kind: [
            {"line": line, "character": name, "probability": probability(cast, name, line)}
            for line in sample(table[kind], quick)
            for name in CHARACTERS
        ]
        for kind in KINDS
    }
    return figures(lines)


def probability(cast: Cast, name: str, line: str) -> float:
    """Of the toy's mark behind the words."""
    conversation = Conversation(cast.mind, cast.characters[name].persona)
    ids = conversation.ids(line.split())
    return finished(cast.mind.chat, cast.mind.logits(sequence(cast.mind, ids)))


def figures(lines: dict[str, list[dict[str, Any]]]) -> Figures:
    """How often a whole thought has the higher probability, and the middle of both kinds."""
    whole, begun = ([row["probability"] for row in lines[kind]] for kind in KINDS)
    return {
        "auc": area_under_curve(whole, begun),
        "median": {"finished": statistics.median(whole), "unfinished": statistics.median(begun)},
        "lines": lines,
    }


def rows(found: Figures) -> Iterator[Row]:
    """The lines of the table."""
    middle = found["median"]
    told = f"AUC {found['auc']:.3f} (medians {middle['finished']:.2f}, {middle['unfinished']:.2f})"
    yield Row("a finished thought against its beginning, by the toy's mark", told)


def details(found: Figures) -> Iterator[str]:
    """Every line with its probability."""
    for kind in KINDS:
        for row in found["lines"][kind]:
            yield f"{kind:10} {row['probability']:.2f} {row['character']:7} {row['line']}"
