"""What a decoder answers when tokens come in pieces, are taken back and forked: `python -m …mlc.exercise FOLDER OUT`.

It runs on any machine that has a library, so that what two machines answer can be compared. It needs what the toy
needs and no more: on a board, or under an emulator, there is no compiler.
"""

from __future__ import annotations

import argparse
import platform
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from epsilon.config.models import Model
from epsilon.realtime import Seat
from epsilon.runtimes import mlc

STEPS = 8


def answers(decoder: Any, seed: int = 1) -> npt.NDArray[np.float32]:
    """Logits [answers, vocabulary]: of pieces, after taking back, of a branch, of what was stored, of greedy steps."""
    first = decoder.new()
    vocabulary = len(decoder.run(first, [1]))
    ids = [int(one) for one in np.random.default_rng(seed).integers(0, vocabulary, 24)]
    found = [decoder.run(first, piece) for piece in (ids[:9], ids[9:10], ids[10:])]
    decoder.keep(first, 12)
    found.append(decoder.run(first, ids[12:20]))
    branch = decoder.fork(first)
    found += [decoder.run(branch, ids[:3]), decoder.run(first, ids[20:])]
    again = decoder.restore(decoder.store(first))
    token = int(found[-1].argmax())
    for _ in range(STEPS):
        found.append(decoder.run(again, [token]))
        token = int(found[-1].argmax())
    return np.stack(found)


def main() -> None:
    """Writes the answers of a folder's library for this machine."""
    parser = argparse.ArgumentParser(prog="python -m tools.convert.llm.mlc.exercise", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path, help="an .npy file")
    parser.add_argument("--tvm", required=True, help="the version that compiled the library")
    given = parser.parse_args()
    model = Model("exercise", given.folder, "llm", "mistral", "", "", "", {}, tvm=given.tvm)
    np.save(given.out, answers(mlc.load_decoder(model, Seat())))
    print(f"{platform.machine()}: {given.out}")


if __name__ == "__main__":
    main()
