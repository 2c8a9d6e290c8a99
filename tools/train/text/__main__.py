"""Writes sample sentences, one a line: `python -m tools.train.text --count 20000 --out sentences.txt`."""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from tools.train.text.sentences import distinct, load


def main() -> None:
    """Draws distinct sentences and tells their number and vocabulary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("build/train/sentences.txt"))
    options = parser.parse_args()
    rng = random.Random(options.seed)
    sentences = load()
    found = distinct(iter(lambda: sentences.draw(rng), ""), options.count, set())
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text("\n".join(found) + "\n")
    words = {word for sentence in found for word in sentence.split()}
    print(f"{len(found)} sentences, {len(words)} words, {len(sentences.templates)} templates: {options.out}")


if __name__ == "__main__":
    main()
