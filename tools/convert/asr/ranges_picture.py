"""Ranges to look at: a bar of text for a table's row, and a drawing of all operations in the graph's order."""

from __future__ import annotations

import math
from pathlib import Path
from xml.sax.saxutils import escape

from tools.convert.asr.ranges import LIMIT, NEAR, SMALLEST, Range

BAR_WIDTH = 26
LOWEST, HIGHEST = -14.0, 20.0  # powers of two that are drawn
COLOURS = {"over": "#c0392b", "near": "#e67e22", "inside": "#8e44ad", "small": "#2980b9", "ok": "#27ae60"}
STEP, HEIGHT, LEFT, TOP = 5, 340, 60, 30  # pixels


def bar(one: Range) -> str:
    """The largest number as a bar from 2**-14 to 2**20; a `|` stands at the limit."""
    at = round(_place(one.largest) * (BAR_WIDTH - 1))
    limit = round(_place(LIMIT) * (BAR_WIDTH - 1))
    cells = ["#" if place <= at else "." for place in range(BAR_WIDTH)]
    cells[limit] = "|" if at < limit else "X"
    return "".join(cells)


def draw(path: Path, ranges: list[Range], title: str) -> None:
    """An SVG: a bar an operation, coloured by its verdict, and lines at what float16 can hold."""
    width = LEFT + STEP * len(ranges) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT + TOP + 30}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LEFT}" y="18" font-size="13">{escape(title)}: largest number of each operation</text>',
    ]
    for power in range(int(LOWEST), int(HIGHEST) + 1, 4):
        y = _y(2.0**power)
        parts.append(f'<text x="4" y="{y + 4:.0f}">2^{power}</text>')
        parts.append(f'<line x1="{LEFT}" x2="{width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
    for number, one in enumerate(ranges):
        y = _y(one.largest)
        name = escape(f"{one.op} {one.node}: {one.largest:.4g}, {one.verdict()}")
        parts.append(
            f'<rect x="{LEFT + STEP * number}" y="{y:.1f}" width="{STEP - 1}" '
            f'height="{TOP + HEIGHT - y:.1f}" fill="{COLOURS[one.verdict()]}"><title>{name}</title></rect>'
        )
    for limit, text in ((LIMIT, "65504"), (NEAR, "a quarter of it"), (SMALLEST, "6e-5")):
        y = _y(limit)
        parts.append(f'<line x1="{LEFT}" x2="{width}" y1="{y:.1f}" y2="{y:.1f}" stroke="black"/>')
        parts.append(f'<text x="{LEFT + 4}" y="{y - 3:.0f}">{text}</text>')
    path.write_text("\n".join([*parts, "</svg>", ""]), "utf-8")


def _place(number: float) -> float:
    """Where a number stands between the lowest and the highest power, 0 to 1."""
    power = math.log2(number) if number > 0 else LOWEST
    return min(1.0, max(0.0, (power - LOWEST) / (HIGHEST - LOWEST)))


def _y(number: float) -> float:
    return TOP + HEIGHT * (1 - _place(number))
