"""The table as a drawing: milliseconds over depth, a panel for each block and each kind of pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, TOP, GAP = 430, 250, 60, 70, 60  # pixels of a panel and around it
COLOURS = ("#2980b9", "#c0392b", "#27ae60")
MARKS = 4  # along the upright axis
ROUND = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 4.8, 6, 8, 10, 12)  # ends of an axis whose quarters read well
ROOM = 1.1  # the axis ends above the highest value, which stands over its mark
UNDER, OVER = 20, -10  # where numbers stand: the first line's under its marks, the others' over them


@dataclass(frozen=True)
class Line:
    """A line of a panel: its name, and the milliseconds of every shape."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True)
class Panel:
    """A title, the shapes' names from left to right, and lines over them."""

    title: str
    shapes: Sequence[str]
    lines: Sequence[Line]


def draw(path: Path, title: str, rows: Sequence[Sequence[Panel]]) -> None:
    """An SVG with the panels in rows."""
    width = GAP + max(len(row) for row in rows) * (LEFT + WIDTH + GAP)
    height = TOP + len(rows) * (HEIGHT + TOP + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{GAP}" y="28" font-size="15">{escape(title)}</text>',
    ]
    for down, row in enumerate(rows):
        for along, panel in enumerate(row):
            x, y = GAP + along * (LEFT + WIDTH + GAP) + LEFT, TOP + down * (HEIGHT + TOP + GAP) + 30
            parts += [f'<g transform="translate({x} {y})">', *_panel(panel), "</g>"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*parts, "</svg>", ""]), "utf-8")


def scale(highest: float) -> float:
    """The end of an axis from 0: a round number just above the highest value."""
    step = 10.0 ** (len(str(int(highest))) - 1) if highest >= 1 else 0.1
    return next(step * times for times in ROUND if step * times >= highest)


def _panel(panel: Panel) -> list[str]:
    top = scale(ROOM * max(max(line.values) for line in panel.lines))
    parts = [f'<text x="0" y="-30" font-weight="bold">{escape(panel.title)}</text>']
    for mark in range(MARKS + 1):
        y = HEIGHT * (1 - mark / MARKS)
        parts.append(f'<line x1="0" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="-6" y="{y + 4:.1f}" text-anchor="end">{top * mark / MARKS:.3g}</text>')
    parts.append('<text x="-6" y="-14" text-anchor="end">ms</text>')
    for place, shape in enumerate(panel.shapes):
        parts.append(
            f'<text x="{_x(place, panel):.1f}" y="{HEIGHT + 18}" text-anchor="middle">{escape(shape)}</text>'
        )
    for line, colour in zip(panel.lines, COLOURS, strict=False):
        parts += _line(line, colour, panel, top, UNDER if line is panel.lines[0] else OVER)
    for number, (line, colour) in enumerate(zip(panel.lines, COLOURS, strict=False)):
        x = 10 + 170 * number
        parts.append(f'<circle cx="{x}" cy="-14" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{x + 9}" y="-10">{escape(line.name)}</text>')
    return parts


def _line(line: Line, colour: str, panel: Panel, top: float, shift: int) -> list[str]:
    places = [(_x(place, panel), HEIGHT * (1 - value / top)) for place, value in enumerate(line.values)]
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts = [f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="2"/>']
    for (x, y), value in zip(places, line.values, strict=True):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{y + shift:.1f}" text-anchor="middle" fill="{colour}">{value:.3g}</text>'
        )
    return parts


def _x(place: int, panel: Panel) -> float:
    return WIDTH * (place + 0.5) / len(panel.shapes)
