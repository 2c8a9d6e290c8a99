"""Spectrograms of a speaker and its teacher side by side, with the melody drawn over them: a PNG a speaker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from epsilon.ring import Samples
from tools.evaluate.spectrograms import spectrogram
from tools.evaluate.voice import HOP_SAMPLES, RATE_HZ, pitch

PIXELS_A_S, HEIGHT = 200, 257  # of a panel: a column is 5 ms, a row 31.25 Hz
LEFT, TOP, RIGHT, BOTTOM, GAP = 62, 46, 62, 40, 26  # room around a panel
TOP_KHZ, MELODY_HZ = 8, 400  # what the upper edge of a panel stands for: on the left, on the right
MELODY, INK, FAINT = (210, 30, 30), (20, 20, 20), (150, 150, 150)
MELODY_WIDTH = 3
TEXT_PIXELS = 15


@dataclass(frozen=True)
class Pair:
    """A sentence said twice."""

    sentence: str
    ours: Samples
    theirs: Samples | None


def draw(path: Path, speaker: str, teacher: str | None, pairs: Sequence[Pair]) -> None:
    """One row a sentence: on the left the speaker, on the right its teacher where it has one."""
    columns = 2 if teacher else 1
    longest = max(len(sound) for pair in pairs for sound in (pair.ours, pair.theirs) if sound is not None)
    width = LEFT + int(longest / RATE_HZ * PIXELS_A_S) + RIGHT
    tall = TOP + HEIGHT + BOTTOM + GAP
    picture = Image.new("RGB", (columns * width, len(pairs) * tall), "white")
    for row, pair in enumerate(pairs):
        panels = [(speaker, pair.ours), *([(f"flite {teacher}", pair.theirs)] if teacher else [])]
        for column, (name, sound) in enumerate(panels):
            if sound is not None:
                _panel(picture, column * width + LEFT, row * tall + TOP, f"{name}: {pair.sentence}", sound)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


def _panel(picture: Image.Image, x: int, y: int, title: str, sound: Samples) -> None:
    """Frequency upwards in kHz and time to the right in s; the red line is F0, on the right scale in Hz."""
    pixels = spectrogram(sound)
    picture.paste(Image.fromarray(pixels), (x, y))
    canvas, font = ImageDraw.Draw(picture), ImageFont.load_default(TEXT_PIXELS)
    width = pixels.shape[1]
    canvas.rectangle((x - 1, y - 1, x + width, y + HEIGHT), outline=INK)
    canvas.text((x, y - 26), title, INK, font)
    _sides(canvas, font, x, y, width)
    for tenth in range(0, int(10 * len(sound) / RATE_HZ) + 1, 5):
        at = x + tenth * PIXELS_A_S // 10
        canvas.line((at, y + HEIGHT, at, y + HEIGHT + 5), INK)
        canvas.text((at, y + HEIGHT + 7), f"{tenth / 10:g} s", INK, font, anchor="ma")
    _melody(canvas, x, y, sound)


def _sides(canvas: ImageDraw.ImageDraw, font: object, x: int, y: int, width: int) -> None:
    for quarter in range(5):
        at = y + HEIGHT - 1 - quarter * (HEIGHT - 1) // 4
        canvas.line((x - 6, at, x - 1, at), INK)
        canvas.text((x - 9, at), f"{TOP_KHZ * quarter // 4} kHz", INK, font, anchor="rm")  # type: ignore[arg-type]
        if quarter:
            canvas.line((x + width, at, x + width + 5, at), MELODY)
            label = f"{MELODY_HZ * quarter // 4} Hz"
            canvas.text((x + width + 8, at), label, MELODY, font, anchor="lm")  # type: ignore[arg-type]


def _melody(canvas: ImageDraw.ImageDraw, x: int, y: int, sound: Samples) -> None:
    """A line through each stretch that has a pitch."""
    f0_hz = pitch.track(sound)
    across = x + np.arange(len(f0_hz)) * HOP_SAMPLES * PIXELS_A_S / RATE_HZ
    up = y + HEIGHT * (1 - np.minimum(f0_hz, MELODY_HZ) / MELODY_HZ)
    edges = np.flatnonzero(np.diff(np.pad((f0_hz > 0).astype(int), 1)))
    for start, end in edges.reshape(-1, 2):
        points = [(float(at), float(high)) for at, high in zip(across[start:end], up[start:end], strict=True)]
        canvas.line(points, MELODY, MELODY_WIDTH)
