"""How much it repeats itself, how varied its words are, how long its replies, and whether they end as sentences do."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import yaml

from epsilon.engines.llm.reply import SENTENCE_END
from tools.evaluate.mind.chatter import CHARACTERS, Cast
from tools.evaluate.mind.figures import Figures, Row, share, shown, spread

LINES = Path(__file__).with_name("silence.yaml")
TURNS = 20
SEEDS = (0, 1, 2)
WORDS_A_SECOND = 2.6  # what the voices say, about


def measure(cast: Cast, quick: bool) -> Figures:
    """Conversations of twenty different lines; words and lengths over all replies of this run, of every part."""
    table = yaml.safe_load(LINES.read_text(encoding="utf-8"))
    lines = [text for part in table["spoken to"].values() for text in part["addressed"]]
    talks = []
    for name in CHARACTERS:
        for seed in SEEDS[:1] if quick else SEEDS:
            chatter = cast.begin(name, seed)
            for text in random.Random(seed).sample(lines, TURNS):
                chatter.answer(text)
            talks.append(chatter.replies)
    return figures(talks, [reply for chatter in cast.chatters for reply in chatter.replies])


def figures(talks: Sequence[Sequence[str]], replies: Sequence[str]) -> Figures:
    """Repeats within each of the talks; everything else over all replies."""
    words = [len(reply.split()) for reply in replies]
    return {
        "repeated_verbatim": share(
            reply in talk[:place] for talk in talks for place, reply in enumerate(talk) if place
        ),
        "replies": len(replies),
        "different_replies": len(set(replies)),
        "distinct_1": distinct(replies, 1),
        "distinct_2": distinct(replies, 2),
        "words": spread(words) if words else None,
        "seconds": spread([count / WORDS_A_SECOND for count in words]) if words else None,
        "ends_as_a_sentence": share(reply.endswith(SENTENCE_END) for reply in replies),
    }


def distinct(replies: Sequence[str], size: int) -> float:
    """Different runs of one or two words, as a share of all there are (Li et al. 2016)."""
    words = [reply.lower().split() for reply in replies]
    runs = [run for reply in words for run in (pairwise(reply) if size == 2 else reply)]
    return len(set(runs)) / len(runs) if runs else 0.0


def rows(found: Figures) -> Iterator[Row]:
    """The lines of the table."""
    yield Row(f"replies repeated word for word within {TURNS} turns", shown(found["repeated_verbatim"]))
    yield Row("different replies in this run", f"{found['different_replies']} of {found['replies']}")
    yield Row("distinct-1, distinct-2", f"{found['distinct_1']:.3f}, {found['distinct_2']:.3f}")
    if found["words"]:
        for what, unit in (("words", ""), ("seconds", " s")):
            known = found[what]
            value = ", ".join(f"{name} {known[name]:.1f}{unit}" for name in ("median", "mean", "p95"))
            yield Row(f"{what} of a reply" + (f" at {WORDS_A_SECOND:g} words/s" if unit else ""), value)
    yield Row("replies that end with . ! or ?", shown(found["ends_as_a_sentence"]))


def details(found: Figures) -> Iterator[str]:
    """Nothing more than the table says."""
    yield from ()
