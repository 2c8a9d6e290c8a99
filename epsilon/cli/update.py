"""Install a signed update bundle, from a file or from a stick; the toy starts it the next time it is turned on."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

from epsilon.updates import sticks
from epsilon.updates.bundle import Bundle, UpdateError
from epsilon.updates.fit import newest
from epsilon.updates.installing import Places, check, install


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which bundle."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("bundle", nargs="?", type=Path, metavar="BUNDLE.raucb", help="the bundle")
    which.add_argument(
        "--usb",
        action="store_true",
        help="the newest bundle for this toy on any stick or card that is plugged in",
    )
    parser.add_argument(
        "--check", action="store_true", help="say whether it is for this toy, and install nothing"
    )
    parser.add_argument(
        "--again", action="store_true", help="take a version that has failed to start here before"
    )
    parser.add_argument(
        "--root", type=Path, default=Path("/"), metavar="DIR", help="the toy's file system (default: /)"
    )


def run(chosen: argparse.Namespace) -> int:
    """0 when a bundle was installed or none was on any stick; a bundle that is refused says why, code 2."""
    places = Places.on(chosen.root)
    if not chosen.usb:
        return _take(check(chosen.bundle, places, chosen.again), places, chosen.check)
    sysfs = chosen.root / "sys"
    refused: list[UpdateError] = []
    taken: list[Bundle] = []
    with contextlib.ExitStack() as plugged_in:
        for name in sticks.foreign(sysfs, sticks.own_disk(places.devices, sysfs)):
            folder = plugged_in.enter_context(sticks.mounted(name))
            if folder is not None:
                bundle, others = sticks.choose(folder, lambda path: check(path, places, chosen.again))
                refused += others
                taken += [bundle] if bundle is not None else []
        best = newest(taken)
        if best is not None:
            return _take(best, places, chosen.check)
    for mistake in refused:
        print(mistake, file=sys.stderr)
    if not refused:
        print("no bundle on any stick", file=sys.stderr)
    return 2 if refused else 0


def _take(bundle: Bundle, places: Places, only_check: bool) -> int:
    if only_check:
        print(
            f"{bundle.path.name}: version {bundle.version}, signed, and for this toy; what is in it was not read"
        )
        return 0
    progress = _Progress()
    slot = install(bundle, places, progress.tell)
    progress.end()
    print(f"version {bundle.version} is in slot {slot} and starts when the toy is next turned on")
    return 0


class _Progress:
    """Says what is being done: in one line that changes on a terminal, else a line a step."""

    def __init__(self) -> None:
        self._step, self._moving = "", sys.stderr.isatty()

    def tell(self, step: str, share: float) -> None:
        """A step begins or goes on."""
        if self._moving:
            print(f"\r\033[K{step} … {share:.0%}", end="", file=sys.stderr, flush=True)
        elif step != self._step:
            print(f"{step} …", file=sys.stderr, flush=True)
        self._step = step

    def end(self) -> None:
        """All is done."""
        if self._moving:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
