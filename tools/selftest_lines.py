"""Records the words of the factory self-test: `python -m tools.selftest_lines`."""

from __future__ import annotations

import argparse

from epsilon import selftest
from epsilon.audio_files import write_wav
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.dsp.level import leveled
from epsilon.engines.protocols import SAMPLE_RATE_HZ
from epsilon.organs import Voice
from epsilon.selftest.bench import SPOKEN

WORDS = {"pass": "Pass.", "fail": "Fail.", "press": "Press the button, please."}


def main() -> None:
    """Pass, fail, the request for the button, and the name of every item."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--board", default="host", help="whose voice model is used (default: host)")
    board = load_board(parser.parse_args().board)
    voice = Voice(board, load_character(board.character), wet=False)
    names = {name: f"{selftest.item(name).SPOKEN.capitalize()}." for name in selftest.item_names()}
    for name, text in (WORDS | names).items():
        samples = leveled(voice.say(text), SAMPLE_RATE_HZ)
        write_wav(SPOKEN / f"{name}.wav", samples)
        print(f"{name}: {len(samples) / SAMPLE_RATE_HZ:.2f} s: {text}")


if __name__ == "__main__":
    main()
