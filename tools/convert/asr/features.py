"""Features of recordings in the shapes that an encoder takes, to calibrate and to compare with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from epsilon.audio_files import read_audio
from epsilon.dsp.mel import HOP_FRAMES, LogMel
from epsilon.errors import ModelError

Mel = npt.NDArray[np.float32]

PADDING_FRAMES = 50  # silence after the speech, as the recogniser leaves it
LEAST_FRAMES = 100  # a shorter rest of a recording is left out


def recordings(folder: Path) -> list[Path]:
    """The WAV files in a folder and below it; ModelError when there are none."""
    paths = sorted(folder.rglob("*.wav"))
    if not paths:
        raise ModelError("holds no .wav file", str(folder), "--calibration names a folder of recorded speech")
    return paths


def features(paths: list[Path], bands: int, frames: int) -> Iterator[Mel]:
    """Log-mel [1, bands, frames] of each recording, cut into pieces that fit with their padding."""
    room = (frames - PADDING_FRAMES) * HOP_FRAMES
    for path in paths:
        sound = read_audio(path)
        for start in range(0, len(sound), room):
            piece = sound[start : start + room]
            if len(piece) >= LEAST_FRAMES * HOP_FRAMES or start == 0:
                mel = LogMel(bands)
                mel.push(piece)
                yield mel.window(frames)
