"""Makes the language model and dictionary of the engine pocketsphinx: `python -m tools.train.topics`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from tools.train.text.lines import lines_to_characters
from tools.train.text.sentences import load
from tools.train.topics import corpus, english, pronunciation
from tools.train.topics.mixture import Mixture
from tools.train.topics.ngrams import END, KneserNey

FACTS = """\
# The words of the engine pocketsphinx; made by `python -m tools.train.topics`.
language_weight: 6.5
min_log10_probability: -1.5   # the words' mean; below it they are guesses about a noise
max_phone_ms: 200             # the words' mean; nobody speaks slower, music does
"""


@dataclass(frozen=True)
class Order:
    """What to make. The defaults are those of the model that ships."""

    out: Path = Path("models/pocket/topics")
    sentences: int = 40_000  # drawn from the ears' templates, and as many from dialogues
    seed: int = 1
    share: float = 0.3  # of the topics; the rest is everyday English
    english: int = 9_000  # everyday words besides those of the topics
    heads: int = 2_500  # everyday words whose following words are told
    least: float = 6e-7  # n-grams that change the log probability by less are left out


def make(order: Order) -> str:
    """Writes words.arpa, words.dict and model.yaml; returns a line about them."""
    dictionary = pronunciation.Dictionary()
    written = set(load().words) | {word for line in lines_to_characters() for word in line.split()}

    def is_known(word: str) -> bool:
        """Dialogues have made-up names in them, which nobody will say."""
        return word in dictionary.entries or word in written or word.endswith("'s")

    said = [
        line for line in corpus.sentences(order.sentences, order.seed) if all(map(is_known, line.split()))
    ]
    print(f"{len(said)} sentences", flush=True)
    topics = {word for line in said for word in line.split()}
    spelt = {word for word in dictionary.entries if word.replace("'", "").isalpha() and word.isascii()}
    everyday = english.load(spelt, order.english, order.heads)
    print(f"{len(topics)} words of the topics, {len(everyday.words)} everyday words", flush=True)
    words = topics | set(everyday.words) | {END}
    mixture = Mixture(KneserNey(said, topics), everyday, order.share, words, order.least)
    order.out.mkdir(parents=True, exist_ok=True)
    mixture.write(order.out / "words.arpa")
    pronunciation.write(order.out / "words.dict", words - {END}, dictionary)
    (order.out / "model.yaml").write_text(FACTS)
    counts = [sum(map(len, table.values())) for table in mixture.tables]
    return f"{counts[0]} words, {counts[1]} pairs, {counts[2]} triples: {order.out}"


def main() -> None:
    """Reads the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in vars(Order()).items():
        parser.add_argument(f"--{name}", type=type(default) if name != "out" else Path, default=default)
    print(make(Order(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
