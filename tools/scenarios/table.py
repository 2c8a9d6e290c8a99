"""What every fault came to: how soon a person sees or hears of it, and how soon the toy is well again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from epsilon.config.document import Text
from epsilon.emulation.faults import build
from tools.scenarios import Scenario
from tools.scenarios.performance import RATE_HZ, Event

NOTICED = ("died", "not born", "killed", "card gone", "standing")
SHOWN = ("trouble", "hot", "low", "muted", "leaving")  # what a light may say of it
WELL = ("born", "card back")


@dataclass(frozen=True)
class Row:
    """Of a fault, in seconds; None where nothing of the kind happened."""

    fault: str
    sign_s: float | None  # from its being noticed to a light or a sound
    sign: str
    well_s: float | None  # from its end to a toy that listens


def row_of(scenario: Scenario, events: Iterable[Event]) -> Row:
    """What a scenario with one fault came to."""
    table = scenario.faults[0]
    name = table.items["name"]
    assert isinstance(name, Text)
    told = list(events)
    killed_at = [
        event.at for event in told if event.what == "killed"
    ]  # until then a call that hangs is not over
    ends_at = max([round(build(table).ends_s * RATE_HZ), *killed_at])
    noticed = next((event.at for event in told if event.what in NOTICED or _is_sign(event)), None)
    sign = next(
        (event for event in told if noticed is not None and event.at >= noticed and _is_sign(event)), None
    )
    well = next((event for event in told if event.at >= ends_at and event.what in WELL), None)
    return Row(
        f"{name.value} ({scenario.path.stem})" if name.value != scenario.path.stem else name.value,
        None if sign is None or noticed is None else (sign.at - noticed) / RATE_HZ,
        "" if sign is None else f"light: {sign.text}" if sign.what == "light" else "its line for trouble",
        None if well is None else (well.at - ends_at) / RATE_HZ,
    )


def lines(rows: Iterable[Row]) -> Iterator[str]:
    """The table in Markdown."""
    yield "| fault | first sign, after it is noticed | well again, after its end |"
    yield "|---|---|---|"
    for row in rows:
        sign = "none is needed" if row.sign_s is None else f"{row.sign}, {row.sign_s:.1f} s"
        yield f"| {row.fault} | {sign} | {'at once' if row.well_s is None else f'{row.well_s:.1f} s'} |"


def _is_sign(event: Event) -> bool:
    return event.what == "trouble" or (event.what == "light" and event.text in SHOWN)
