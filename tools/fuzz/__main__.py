"""Fuzzes one target for a while; what breaks it is kept for `make test`, and then the exit code is 1."""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import importlib.util
import random
import sys
import tempfile
import time
from pathlib import Path

from tools import fuzz
from tools.fuzz.edits import drawn, edited

HANG_S = 20.0  # reading one file never takes so long
SHOW_S = 10.0


class Finder:
    """Tries inputs; counts them, and keeps the one that breaks the target."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name, self._target, self._folder = name, fuzz.find(name), folder
        self.tried = self.good = 0
        self._last = folder / "last-input"

    def take(self, data: bytes) -> None:
        """Try it; whatever is no EpsilonError goes through."""
        self.tried += 1
        self._last.write_bytes(data)  # where a crash of native code leaves it
        faulthandler.dump_traceback_later(HANG_S, exit=True)
        try:
            self.good += not fuzz.attempt(self._target, data, self._folder)
        except Exception:
            print(f"breaks it: {self._keep(data)}", file=sys.stderr)
            raise
        finally:
            faulthandler.cancel_dump_traceback_later()

    def _keep(self, data: bytes) -> Path:
        path = fuzz.CORPUS / self._name / hashlib.sha256(data).hexdigest()[:12]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


def by_chance(finder: Finder, name: str, minutes: float, seed: int) -> None:
    """Edits of good files, drawn at random."""
    target, rng = fuzz.find(name), random.Random(seed)
    seeds, end_s, show_s = target.seeds(), time.monotonic() + 60 * minutes, time.monotonic() + SHOW_S
    while time.monotonic() < end_s:
        finder.take(edited(rng.choice(seeds), drawn(rng), target.WORDS))
        if time.monotonic() > show_s:
            show_s = time.monotonic() + SHOW_S
            print(f"{finder.tried} tried, {finder.good} of them good", flush=True)


def guided(finder: Finder, name: str, minutes: float, seed: int, folder: Path) -> None:
    """libFuzzer, by way of atheris, goes where it finds new branches; it ends the process."""
    import atheris

    corpus = folder / "corpus"
    corpus.mkdir()
    for number, data in enumerate(fuzz.find(name).seeds()):
        (corpus / str(number)).write_bytes(data)
    options = [
        f"-max_total_time={round(60 * minutes)}",
        f"-seed={seed}",
        "-max_len=65536",
        f"-artifact_prefix={folder}/",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], finder.take)
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("target", choices=fuzz.names())
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chance", action="store_true", help="without atheris, even where it is installed")
    options = parser.parse_args()
    by_coverage = importlib.util.find_spec("atheris") is not None and not options.chance
    if by_coverage:
        import atheris

        with atheris.instrument_imports(include=["epsilon", "yaml", "json"]):
            fuzz.find(options.target)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        finder = Finder(options.target, folder)
        if by_coverage:
            guided(finder, options.target, options.minutes, options.seed, folder)
        else:
            by_chance(finder, options.target, options.minutes, options.seed)
    print(f"{finder.tried} tried, {finder.good} of them good; nothing broke it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
