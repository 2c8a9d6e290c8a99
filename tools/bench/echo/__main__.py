"""Every echo canceller, measured: python -m tools.bench.echo [--minutes 10] [--canceller NAME …]

First alone, in rooms of a made-up impulse response: how much of the toy's voice is taken out (in the first five
seconds, and in the second half), in how many windows of 32 ms the voice detector still hears it, how often the toy
would hold its breath, how many of the windows of a user who is 6 dB fainter than the echo are still heard, and the
processor time. Then the whole toy in lock-step, its echo at -6 dB, 60 ms late, the clocks 50 ppm apart and the
speaker a little overdriven: turns that its own voice began, and interruptions heard, beside the same without echo.
The result is 1 when the host's canceller lets the toy answer itself.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from epsilon.config.board import load_board
from epsilon.config.folders import loadable_names
from epsilon.errors import nearest
from tools.bench import count, print_table
from tools.bench.echo import rooms, talking
from tools.echo_path import Room

ECHO = Room(level_db=-6.0, delay_ms=60.0, drift_ppm=50.0, drive=2.0, reverberation_ms=300.0, seed=6)
ROOM_S = 60
CONVERSATION, INTERRUPTED = "three-turns", "barge-in"
SECONDS_A_MINUTE = 60


def main() -> int:
    """Print both tables and the verdict."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=count, default=10, help="of conversation (default: 10)")
    parser.add_argument("--canceller", action="append", help="instead of all; may come again")
    chosen = parser.parse_args()
    known = loadable_names("engines", "echo")
    names: list[str] = chosen.canceller or known
    if strange := set(names) - set(known):
        print(f"no canceller '{min(strange)}'{nearest(min(strange), known)}", file=sys.stderr)
        return 2
    print_rooms(names)
    own = print_talks(names, chosen.minutes)
    host = load_board("host").stages["capture"].engine
    if host not in own:
        return 0
    print(f"the host's {host}: {own[host]} turns of its own voice's making; must be 0")
    return int(own[host] > 0)


def print_rooms(names: list[str]) -> None:
    """Each canceller alone in each room."""
    head = ("canceller", "room", "first dB", "later dB", "voiced", "ducks", "user kept %", "% of a core")
    rows = []
    for name in names:
        for room_name, room in rooms.ROOMS.items():
            found = rooms.examine(name, room, ROOM_S)
            rows.append(
                (name, room_name, found.early_db, found.later_db, found.voiced, found.ducks)
                + (found.kept_percent, found.core_percent)
            )
    print(f"alone, {ROOM_S} s in each room, echo at -6 dB where not said otherwise")
    print_table(head, rows)


def print_talks(names: list[str], minutes: int) -> dict[str, int]:
    """The whole toy with each canceller; returns the turns of its own making."""
    head = (
        "canceller",
        "minutes",
        "replies",
        "own turns",
        "ducks",
        "interruptions",
        "heard",
        "ms p50",
        "ms p95",
    )
    seconds = minutes * SECONDS_A_MINUTE
    rows, own = [], {}
    for name, room in [("(no echo)", None), *((name, ECHO) for name in names)]:
        engine = "none" if room is None else name
        talked = talking.talk(engine, CONVERSATION, room, seconds)
        cut = talking.talk(engine, INTERRUPTED, room, seconds / 2)
        late_ms = [float(ms) for ms in np.percentile(cut.late_ms, (50, 95))] if cut.late_ms else [None, None]
        rows.append(
            (name, talked.minutes, talked.replies, talked.own, talked.ducks)
            + (cut.interruptions, len(cut.late_ms), *late_ms)
        )
        own[name] = talked.own
    print(f"\nthe whole toy in lock-step: {minutes} minutes of conversation, and half as long interrupted")
    print_table(head, rows)
    return own


if __name__ == "__main__":
    raise SystemExit(main())
