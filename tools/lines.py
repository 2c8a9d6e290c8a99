"""Records what each character has as sound, in its voice and equally loud: `python -m tools.lines`."""

from __future__ import annotations

import argparse

from epsilon.config import folders
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.dsp.level import leveled
from epsilon.engines.protocols import SAMPLE_RATE_HZ
from epsilon.last_words import store_trouble_line
from epsilon.opener_clips import store_clip
from epsilon.organs import Voice


def main() -> None:
    """The lines, openers and small noises of every character."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--board", default="host", help="whose voice model is used (default: host)")
    board = load_board(parser.parse_args().board)
    for name in folders.character_names():
        character = load_character(name)
        voice = Voice(board, character)
        samples = leveled(voice.say(character.lines.trouble), SAMPLE_RATE_HZ)
        store_trouble_line(character, samples)
        print(f"{name}: {len(samples) / 16_000:.2f} s: {character.lines.trouble}")
        small = (*character.attention.fillers, *character.attention.murmurs)
        body = (character.lines.low_battery, character.lines.hot, character.lines.goodbye)
        for text in filter(None, (*character.openers, *small, *body)):
            samples = leveled(voice.dry(text), SAMPLE_RATE_HZ)
            store_clip(character, text, samples)
            print(f"{name}: {len(samples) / 16_000:.2f} s: {text}")


if __name__ == "__main__":
    main()
