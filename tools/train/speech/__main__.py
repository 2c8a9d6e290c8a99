"""Makes speech to train the ears on: `python -m tools.train.speech --minutes 7`."""

from __future__ import annotations

import argparse
from pathlib import Path

from tools.train.speech.workers import Order, make_speech


def main() -> None:
    """Reads the options and says how much was made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/train/ears/speech"))
    parser.add_argument("--minutes", type=float, default=Order.minutes, help="at most")
    parser.add_argument("--workers", type=int, default=Order.workers, help="processes")
    parser.add_argument("--seed", type=int, default=Order.seed)
    parser.add_argument(
        "--evaluation", type=int, default=Order.evaluation, help="utterances a set, 0 for none"
    )
    parser.add_argument("--sentences", type=Path, help="speak these lines instead of the templates")
    parser.add_argument("--times", type=int, default=1, help="how often each line of --sentences is spoken")
    order = Order(**vars(parser.parse_args()))
    print(f"{make_speech(order)} utterances in {order.out}")


if __name__ == "__main__":
    main()
