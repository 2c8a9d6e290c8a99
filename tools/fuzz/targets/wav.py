"""Recordings: WAV headers and what follows them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile

from epsilon.audio_files import read_audio

WORDS = (
    b"RIFF",
    b"RIFX",
    b"RF64",
    b"WAVE",
    b"fmt ",
    b"data",
    b"LIST",
    b"fact",
    b"\x01\x00\x02\x00",
    b"\x80\x3e\x00\x00",
)


def seeds() -> list[bytes]:
    """A tone in the formats that recorders write, and FLAC."""
    tone = 0.1 * np.sin(np.arange(400) / 5)
    kinds = [
        ("WAV", "PCM_16"),
        ("WAV", "PCM_24"),
        ("WAV", "FLOAT"),
        ("WAV", "ULAW"),
        ("WAVEX", "PCM_16"),
        ("FLAC", "PCM_16"),
    ]
    return [_file(np.stack([tone] * channels, 1), *kind) for kind in kinds for channels in (1, 2)]


def _file(sound: np.ndarray, kind: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, 16_000, subtype=subtype, format=kind)
    return file.getvalue()


def read(data: bytes, folder: Path) -> object:
    """As `epsilon emulate`."""
    path = folder / "fuzzed.wav"
    path.write_bytes(data)
    sound = read_audio(path)
    assert np.isfinite(sound).all() and len(sound)
    return sound
