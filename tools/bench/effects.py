"""What each effect costs and delays: python -m tools.bench.effects [--character NAME …]

Speech-like noise goes through each effect at every option's far end, and through the chains of the characters, in
chunks of 200 ms as in the toy. The cost is the processor time of the quickest of some rounds, in per cent of one
core while the toy speaks.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence

import numpy as np

from epsilon import effects
from epsilon.config import folders
from epsilon.config.character import load_character
from epsilon.config.fields import settings_of, spec_of
from epsilon.engines.protocols import SAMPLE_RATE_HZ, Effect
from epsilon.errors import EpsilonError
from epsilon.parts import load_effects
from epsilon.ring import Samples
from tools.bench import print_table

CHUNK_FRAMES = SAMPLE_RATE_HZ // 5
SECONDS, ROUNDS = 4, 7


def main() -> int:
    """Print the table; 2 when a character is missing or mistaken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--character", action="append", help="instead of all; may come again")
    characters = parser.parse_args().character or folders.character_names()
    try:
        chains = list(_chains(characters))
    except EpsilonError as mistake:
        print(mistake, file=sys.stderr)
        return 2
    head = ("chain", "% of a core", "delay ms", "tail ms")
    print_table(head, [_row(name, chain) for name, chain in chains])
    return 0


def _chains(characters: Sequence[str]) -> Iterator[tuple[str, list[Effect]]]:
    for name in folders.loadable_names("effects"):
        module = effects.module_of(name)
        most = {field.name: spec_of(field).high for field in settings_of(module.Options)}
        yield name, [module.load(module.Options(**most), SAMPLE_RATE_HZ)]
    for name in characters:
        character = load_character(name)
        names = ", ".join(effect.name for effect in character.effects) or "no effects"
        yield f"{name} ({names})", load_effects(character)


def _row(name: str, chain: Sequence[Effect]) -> list[str]:
    delay, tail = (
        1000 * sum(getattr(effect, what) for effect in chain) / SAMPLE_RATE_HZ
        for what in ("delay_frames", "tail_frames")
    )
    return [name, f"{100 * share(chain):.2f}", f"{delay:.0f}", f"{tail:.0f}"]


def share(chain: Sequence[Effect]) -> float:
    """The part of one core that a chain needs while somebody speaks."""
    voice = _voice()
    costs = []
    for _ in range(ROUNDS):
        began_s = time.thread_time()
        for at in range(0, len(voice), CHUNK_FRAMES):
            chunk = voice[at : at + CHUNK_FRAMES]
            for effect in chain:
                chunk = effect.process(chunk)
        costs.append((time.thread_time() - began_s) / SECONDS)
    return min(costs)


def _voice() -> Samples:
    """Noise that swells as syllables do."""
    at = np.arange(SECONDS * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    noise = np.random.default_rng(1).standard_normal(len(at))
    return (0.1 * noise * np.abs(np.sin(2 * np.pi * 2 * at))).astype(np.float32)


if __name__ == "__main__":
    sys.exit(main())
