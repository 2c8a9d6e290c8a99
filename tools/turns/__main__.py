"""Makes a folder of spoken turns: `python -m tools.turns OUT --count 300 --seed 6 --voices held-out --noise all`."""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

import soundfile

from tools.train.speech.voices import RATE_HZ
from tools.turns import labels
from tools.turns.making import turns
from tools.turns.surroundings import NOISES
from tools.turns.worlds import World


def main() -> None:
    """Reads the options, writes the turns and says how often a silence timer would cut in."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--voices", choices=[world.value for world in World], default=World.HELD_OUT.value)
    parser.add_argument("--noise", choices=("all", *NOISES), default="all")
    options = parser.parse_args()
    found = make(options.out, options.count, options.seed, options.voices, options.noise)
    print(
        f"{len(found)} turns, {sum(label.end_s for label in found) / 60:.1f} min of speech, in {options.out}"
    )
    for wait_s in (0.3, 0.6, 1.0, 1.6):
        print(f"a timer of {wait_s} s cuts into {cut_in(found, wait_s):.1%} of them")


def make(
    out: Path, count: int, seed: int, voices: str = "held-out", noise: str = "all"
) -> list[labels.Label]:
    """Write `count` turns and their label file."""
    out.mkdir(parents=True, exist_ok=True)
    found = []
    for turn in islice(turns(seed, World(voices), None if noise == "all" else noise), count):
        soundfile.write(out / turn.label.file, turn.samples, RATE_HZ, subtype="PCM_16")
        found.append(turn.label)
    labels.write(out, found, f"made by `python -m tools.turns`: seed {seed}, voices {voices}, noise {noise}")
    return found


def cut_in(found: list[labels.Label], wait_s: float) -> float:
    """The share of turns with a pause longer than this."""
    return sum(any(b - a > wait_s for a, b in label.pauses) for label in found) / len(found)


if __name__ == "__main__":
    main()
