"""Bakes each character's persona into the model that a board thinks with: `python -m tools.personas`."""

from __future__ import annotations

import argparse
import time

from epsilon.config import folders
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.engines.llm.conversation import Conversation
from epsilon.parts import load_engine, persona_place


def main() -> None:
    """One file a character, in the model's folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--board", default="host", help="whose model and runtime are used (default: host)")
    board = load_board(parser.parse_args().board)
    model = load_engine(board, "llm")
    for name in folders.character_names():
        character = load_character(name)
        ids = Conversation(model, character.persona).ids()
        began_s = time.perf_counter()
        seq = model.start()
        model.append(seq, ids)
        prefilled_s = time.perf_counter()
        place = persona_place(board, character)
        place.save(ids, model.store(seq))
        stored_s = time.perf_counter()
        model.restore(ids, place.load(ids))
        restored_s = time.perf_counter()
        print(
            f"{name}: {len(ids)} tokens, {place.array.stat().st_size / 1000:.0f} kB; prefilled in "
            f"{1000 * (prefilled_s - began_s):.1f} ms, restored in {1000 * (restored_s - stored_s):.1f} ms"
        )


if __name__ == "__main__":
    main()
