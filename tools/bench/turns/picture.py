"""The curves as a drawing: the wait at the end of a turn over the share of turns that are cut into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from tools.bench.turns.policies import Point

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 620, 380, 70, 60, 180, 50  # pixels
MOST_CUT_IN, MOST_MS = 0.3, 1_600.0
COLOURS = ("#7f8c8d", "#2980b9", "#27ae60", "#c0392b")
AIM = 0.05  # of turns: where ways to find the end are compared


def draw(path: Path, title: str, curves: Mapping[str, Sequence[Point]]) -> None:
    """An SVG; raises OSError where it cannot be written."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + RIGHT}" '
        f'height="{TOP + HEIGHT + BOTTOM}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LEFT}" y="30" font-size="15">{escape(title)}</text>',
        *_axes(),
    ]
    for number, (name, points) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        parts.append(_line(points, colour))
        parts.append(
            f'<text x="{LEFT + WIDTH + 12}" y="{TOP + 20 + 20 * number}" fill="{colour}">{escape(name)}</text>'
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")


def _axes() -> list[str]:
    parts = []
    for step in range(7):
        x, share = LEFT + WIDTH * step / 6, MOST_CUT_IN * step / 6
        parts.append(f'<line x1="{x}" y1="{TOP}" x2="{x}" y2="{TOP + HEIGHT}" stroke="#eee"/>')
        parts.append(f'<text x="{x}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{100 * share:.0f} %</text>')
    for step in range(9):
        y, wait_ms = TOP + HEIGHT * (1 - step / 8), MOST_MS * step / 8
        parts.append(f'<line x1="{LEFT}" y1="{y}" x2="{LEFT + WIDTH}" y2="{y}" stroke="#eee"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{wait_ms:.0f}</text>')
    aim = LEFT + WIDTH * AIM / MOST_CUT_IN
    parts.append(
        f'<line x1="{aim}" y1="{TOP}" x2="{aim}" y2="{TOP + HEIGHT}" stroke="#aaa" stroke-dasharray="4"/>'
    )
    parts.append(f'<text x="{LEFT}" y="{TOP - 10}">median wait, ms</text>')
    parts.append(f'<text x="{LEFT + WIDTH}" y="{TOP + HEIGHT + 38}" text-anchor="end">turns cut into</text>')
    return parts


def _line(points: Sequence[Point], colour: str) -> str:
    inside = sorted(
        (p.cut_in, p.median_ms) for p in points if p.cut_in <= MOST_CUT_IN and p.median_ms <= MOST_MS
    )
    places = " ".join(
        f"{LEFT + WIDTH * cut_in / MOST_CUT_IN:.1f},{TOP + HEIGHT * (1 - wait_ms / MOST_MS):.1f}"
        for cut_in, wait_ms in inside
    )
    return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"/>'
