"""Spectrogram pictures, written without a plotting library: grey PNG, time to the right, frequency upwards."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE_HZ = 16_000
HOP_SAMPLES, WINDOW_SAMPLES = 80, 400
RANGE_DB = 70.0
GAP_ROWS = 6  # white rows between pictures that stand above one another

Pixels = npt.NDArray[np.uint8]


def spectrogram(samples: npt.NDArray[np.floating]) -> Pixels:
    """Rows of frequency (0 to 8 kHz, lowest last) by frames of 5 ms; black is the loudest, white 70 dB below."""
    padded = np.pad(np.asarray(samples, np.float64), (WINDOW_SAMPLES // 2, WINDOW_SAMPLES))
    starts = np.arange(0, len(samples), HOP_SAMPLES)
    frames = padded[starts[:, None] + np.arange(WINDOW_SAMPLES)] * np.hanning(WINDOW_SAMPLES)
    level_db = 20 * np.log10(np.abs(np.fft.rfft(frames, 512, axis=1)) + 1e-9)
    depth = (level_db.max() - level_db) / RANGE_DB
    return (np.clip(depth, 0, 1) * 255).astype(np.uint8).T[::-1]


def write_above_one_another(path: Path, pictures: list[Pixels]) -> None:
    """One PNG of several pictures, left edges in line."""
    width = max(picture.shape[1] for picture in pictures)
    rows = []
    for picture in pictures:
        rows.append(np.pad(picture, ((0, GAP_ROWS), (0, width - picture.shape[1])), constant_values=255))
    _write_png(path, np.concatenate(rows))


def _write_png(path: Path, pixels: Pixels) -> None:
    """8-bit grey PNG (RFC 2083): a filter byte of 0 before every row, one compressed block."""
    height, width = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(np.pad(pixels, ((0, 0), (1, 0))).tobytes(), 6)
    blocks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in blocks:
            file.write(struct.pack(">I", len(data)) + kind + data)
            file.write(struct.pack(">I", zlib.crc32(kind + data)))
