"""`python -m epsilon.slots`: what units call, and the four questions that RAUC asks of a custom boot backend."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from epsilon.errors import nearest
from epsilon.slots.partition import DEVICES, SlotError, change, line_of, mark_good, read
from epsilon.slots.record import LOST, NAMES, NO_IDENTITY, TRIES, Record, Slot, bad, good, starting


def main(arguments: list[str] | None = None) -> int:
    """`show` and `good`, and the four questions that RAUC asks of a custom boot backend."""
    parser = argparse.ArgumentParser(prog="python -m epsilon.slots", description=str(__doc__))
    parser.add_argument(
        "what", choices=("show", "good", "get-primary", "set-primary", "get-state", "set-state")
    )
    parser.add_argument("slot", nargs="?", help="a or b")
    parser.add_argument("state", nargs="?", help="good or bad")
    parser.add_argument("--devices", type=Path, default=DEVICES, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    try:
        said = _answer(chosen.what, chosen.slot, chosen.state, chosen.devices)
    except SlotError as mistake:
        sys.stderr.write(f"{mistake}\n")
        return 2
    if said:
        sys.stdout.write(f"{said}\n")
    return 0


def _answer(what: str, slot: str | None, state: str | None, devices: Path) -> str:
    path = devices / "slots"
    if what == "good":
        record = mark_good(devices)
        return line_of(record) if record else "there are no slots here"
    if what in ("show", "get-primary"):
        record = read(path) or LOST
        return line_of(record) if what == "show" else _primary(record)
    if slot not in NAMES:
        raise SlotError(f"no slot '{slot}'{nearest(str(slot), NAMES)}")
    if what == "get-state":
        return "good" if (read(path) or LOST).slot(slot).tries else "bad"
    if what == "set-primary":
        change(path, lambda record: replace(_tried_anew(record, slot), first=slot))
        return ""
    if state not in ("good", "bad"):
        raise SlotError(f"no state '{state}'{nearest(str(state), ('good', 'bad'))}")
    change(path, lambda record: good(record, slot) if state == "good" else bad(record, slot))
    return ""


def _primary(record: Record) -> str:
    """The slot that will start next."""
    return starting(record)[1] or record.first


def _tried_anew(record: Record, name: str) -> Record:
    """The slot with all its tries; where RAUC has filled it itself (after setting it bad) it is a new one."""
    slot = record.slot(name)
    filled = slot.state in ("empty", "bad")
    return record.with_slot(name, Slot("new", TRIES, NO_IDENTITY) if filled else replace(slot, tries=TRIES))


if __name__ == "__main__":
    sys.exit(main())
