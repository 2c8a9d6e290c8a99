"""Whether a bundle is for this toy: its board, its character, its kernel, and not older than what runs."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from epsilon import slots
from epsilon.updates.bundle import COMPATIBLE, Bundle, UpdateError

VERSION = re.compile(r"(\d+(?:\.\d+)*)(?:\+(\d+(?:\.\d+)*))?")


@dataclass(frozen=True)
class Facts:
    """What the image that runs says of itself."""

    board: str
    character: str
    version: str
    kernel: str

    @property
    def compatible(self) -> str:
        """What a bundle for this toy is compatible with."""
        return COMPATIBLE.format(board=self.board, character=self.character)


def read_facts(path: Path) -> Facts:
    """The image's own description, image.json."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return Facts(*(str(table[key]) for key in ("board", "character", "version", "kernel")))
    except FileNotFoundError as absent:
        raise UpdateError(
            "this system was not built as an image", str(path), "updates are for toys that `make image` made"
        ) from absent
    except (ValueError, KeyError, TypeError) as mistake:
        raise UpdateError(f"does not describe an image: {mistake}", str(path)) from mistake


def demand_fit(bundle: Bundle, facts: Facts) -> None:
    """UpdateError says why this bundle is not for this toy."""
    where = str(bundle.path)
    if bundle.compatible != facts.compatible:
        raise UpdateError(f"the bundle is for '{bundle.compatible}', this toy is '{facts.compatible}'", where)
    if bundle.kernel != facts.kernel:
        raise UpdateError(
            f"the bundle needs the kernel {bundle.kernel or '(unnamed)'}, this toy has {facts.kernel}",
            where,
            "the kernel lies outside what updates replace: flash a new image",
        )
    if older(bundle.version, facts.version, where):
        raise UpdateError(f"the bundle's version {bundle.version} is older than {facts.version}", where)


def demand_new(bundle: Bundle, record: slots.Record, running: str, again: bool, rescue: bool = False) -> None:
    """UpdateError when the image is there already, has failed before, or would replace the only proven system.

    A rescue of a toy that does not start any more has no proven system to lose.
    """
    image, target = slots.identity(bundle.sha256), record.slot(slots.other(running))
    where = str(bundle.path)
    if record.slot(running).identity == image and not rescue:
        raise UpdateError("this is the version that runs", where)
    if record.slot(running).state != "good" and not rescue:
        raise UpdateError(
            "the system that runs has not proved itself yet",
            where,
            "once it has listened and spoken, an update may replace the other one",
        )
    if target.identity == image and target.tries and target.state != "empty":
        raise UpdateError(
            "this version is installed already", where, "it starts when the toy is next turned on"
        )
    failed = target.state == "bad" or (target.state == "new" and not target.tries)
    if target.identity == image and failed and not (again or rescue):
        raise UpdateError("this version failed to start on this toy", where, "--again tries it once more")


def older(one: str, than: str, where: str = "") -> bool:
    """Whether a version comes before another: numbers between dots, then those after a plus."""
    return _padded(one, where) < _padded(than, where)


def newest(bundles: Iterable[Bundle]) -> Bundle | None:
    """The one with the highest version."""
    return max(bundles, key=lambda bundle: _padded(bundle.version, str(bundle.path)), default=None)


def _padded(version: str, where: str) -> tuple[tuple[int, ...], ...]:
    found = VERSION.fullmatch(version)
    if not found:
        raise UpdateError(
            f"'{version}' is no version", where, "numbers between dots, as in 1.4.0 or 1.4.0+20270131"
        )
    return tuple(
        tuple(itertools.islice(itertools.chain(map(int, (part or "0").split(".")), itertools.repeat(0)), 8))
        for part in found.groups()
    )
