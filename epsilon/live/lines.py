"""What the lines of the live view say. Shapes tell everything that colours do: NO_COLOR takes nothing away."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rich.text import Text

from epsilon.gauges import LISTENS, Reading
from epsilon.journal import PARTS
from epsilon.ladder import Standing

QUIETEST_DB, LOUD_DB, CLIPS_DB = -60.0, -12.0, -3.0  # where a meter begins, and where it turns yellow and red
INDENT = 10  # columns before what a line says: whose it is
AROUND_METERS = 57  # columns of the line with both meters that are none of theirs
AROUND_BAR = INDENT + 11  # "▕", "▏" and " 12345 ms"
SHORTEST_METER, LONGEST_METER = 4, 20
LEAST_SCALE_MS = 1000.0  # the bar of TIFU is never longer than this
DRAWN = {  # a part of TIFU: its shape, its colour
    "dead_air_ms": ("░", "bright_black"),
    "asr_ms": ("▒", "cyan"),
    "prefill_ms": ("▓", "blue"),
    "decode_ms": ("█", "magenta"),
    "tts_ms": ("▚", "yellow"),
    "card_ms": ("▞", "green"),
}
BETWEEN = "  "  # two things on a line
LOSSES = ("overruns", "underruns", "laps")  # `stale` is none: an answer that is not wanted is dropped


def meters(reading: Reading | None, columns: int) -> Text:
    """What the toy does, and how loud what it hears and says is."""
    line = _line("now")
    if reading is None:
        return line.append("no toy lives", "bold red")
    width = min(max((columns - AROUND_METERS) // 2, SHORTEST_METER), LONGEST_METER)
    line.append(f"{reading.state:<16}", "dim" if reading.state == LISTENS else "bold")
    for name, level_db in (("hears", reading.hears_db), ("says", reading.says_db)):
        line.append(f" {name} ", "dim").append_text(meter(level_db, width))
    return line


def meter(level_db: float, width: int) -> Text:
    """A level as a bar and a number."""
    full = round(width * (1 - max(level_db, QUIETEST_DB) / QUIETEST_DB))
    full = min(max(full, 0), width)
    style = "red" if level_db > CLIPS_DB else "yellow" if level_db > LOUD_DB else "green"
    number = f"{level_db:4.0f}" if math.isfinite(level_db) else "   –"
    return Text.assemble(
        ("▕", "dim"),
        ("█" * full, style),
        ("·" * (width - full), "dim"),
        ("▏", "dim"),
        (f"{number} dB", "dim"),
    )


def spoken(who: str, stays: str, changes: str, columns: int) -> Text:
    """Words that stay, and dimmed those that may still change; of more than a line the end."""
    words = f"{stays} {changes}".strip()
    room = columns - INDENT - 2
    lost = max(0, len(words) - room)
    kept = f"…{words[lost + 1 :]}" if lost else words
    tail = min(len(changes), len(kept))
    return _line(who).append(kept[: len(kept) - tail]).append(kept[len(kept) - tail :], "dim italic")


def bar(parts: dict[str, float], longest_ms: float, columns: int) -> list[Text]:
    """The time to the first utterance as a bar of its parts, on one scale for all answers, and what they are."""
    line = _line("TIFU")
    if not parts:
        return [line.append("no answer yet", "dim")]
    width = max(columns - AROUND_BAR, 1)
    line.append("▕", "dim")
    for (shape, colour), cells in zip(DRAWN.values(), shares(parts, longest_ms, width), strict=True):
        line.append(shape * cells, colour)
    line.append(" " * (width + INDENT + 1 - line.cell_len)).append("▏", "dim")
    line.append(f"{parts['answer_ms']:5.0f} ms", "bold")
    named = [
        Text.assemble(DRAWN[name], f" {name.removesuffix('_ms').replace('_', ' ')} {parts[name]:.0f}")
        for name, _ in PARTS
    ]
    return [line, *flowing("", named, columns)]


def shares(parts: dict[str, float], longest_ms: float, width: int) -> list[int]:
    """How many cells of a bar each part takes; none is longer than the bar, and together they are as the whole is."""
    scale_ms, taken, passed_ms = max(longest_ms, LEAST_SCALE_MS), 0, 0.0
    cells = []
    for name in DRAWN:
        passed_ms += parts[name]
        end = min(round(width * passed_ms / scale_ms), width)
        cells.append(end - taken)
        taken = end
    return cells


def rings(reading: Reading, columns: int) -> list[Text]:
    """How full the rings are, and what was lost."""
    fill = [
        f"microphone {reading.microphone:.0%}",
        f"messages {reading.messages:.0%}",
        f"card {reading.speaker_ms:.0f} ms",
    ]
    said: list[Text] = [Text(text, "dim") for text in fill]
    said += [Text(f"{name} {count}", _loud(count > 0)) for name, count in _losses(reading)]
    return flowing("rings", said, columns)


def body(reading: Reading, felt: str) -> list[Text]:
    """How battery and heat stand, with the figures that were told last; nothing where a toy has neither."""
    if reading.standing is None:
        return []
    return [_line("body").append(felt or reading.standing.name, _loud(reading.standing != Standing()))]


def flowing(label: str, said: Sequence[Text], columns: int) -> list[Text]:
    """Several things on as few lines as they need."""
    lines = [_line(label)]
    for text in said:
        if lines[-1].cell_len + len(BETWEEN) + text.cell_len > columns:
            lines.append(_line(""))
        lines[-1].append(BETWEEN if lines[-1].cell_len > INDENT else "").append_text(text)
    return lines


def _losses(reading: Reading) -> Iterable[tuple[str, int]]:
    return [(name, reading.counts[name]) for name in LOSSES]


def _loud(bad: bool) -> str:
    return "bold red" if bad else "dim"


def _line(label: str) -> Text:
    """A line that is never broken."""
    return Text(no_wrap=True, overflow="ellipsis").append(f"{label[:8]:>8}  ", "dim")
