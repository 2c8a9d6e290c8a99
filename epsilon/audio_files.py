"""Audio files: whatever a tester has becomes 16 kHz mono; what is written appears whole or not at all."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from epsilon.dsp.resample import resample
from epsilon.errors import AudioFileError, nearest
from epsilon.ring import Samples

RATE_HZ = 16_000
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 4_000, 384_000
LOUDEST = 1.5  # float files may pass full scale a little; far beyond it the bytes are not sound
PIECE_FRAMES = 1 << 18
REPAIR = "record it again, or let an audio editor write it anew"


def read_audio(path: Path, rate_hz: int = RATE_HZ) -> Samples:
    """The sound of a WAV or FLAC file as (n,) at `rate_hz`; channels are averaged.

    Raises AudioFileError for what is missing, not audio, damaged, empty, or not a number.
    """
    where = str(path)
    _check_place(path)
    _check_wav(path)
    try:
        with soundfile.SoundFile(where) as file:
            found_hz, promised = file.samplerate, file.frames
            if not LOWEST_RATE_HZ <= found_hz <= HIGHEST_RATE_HZ:
                raise AudioFileError(
                    f"its header claims {found_hz} Hz; rates are {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz",
                    where,
                    REPAIR,
                )
            sound = _whole(file)
    except soundfile.LibsndfileError as refusal:
        reason = refusal.error_string.strip().rstrip(".")
        raise AudioFileError(
            f"cannot be read as audio: {reason}", where, "WAV and FLAC are known"
        ) from refusal
    if len(sound) < promised:
        raise AudioFileError(f"ends after {len(sound)} of {promised} frames", where, REPAIR)
    if not len(sound):
        raise AudioFileError("holds no sound: its length is zero", where)
    return resample(_mono(sound, where), found_hz, rate_hz)


def write_wav(path: Path, samples: Samples, rate_hz: int = RATE_HZ) -> None:
    """Writes (n,) or (n, channels) as 16-bit WAV, whole or not at all; makes the folder it lies in."""
    with finished(path) as unfinished:
        save_wav(unfinished, samples, rate_hz)


def save_wav(unfinished: Path, samples: Samples, rate_hz: int = RATE_HZ) -> None:
    """Writes (n,) or (n, channels) as 16-bit WAV to a name that `finished` gave."""
    clipped = np.clip(samples, -1.0, 1.0)
    soundfile.write(str(unfinished), clipped, rate_hz, subtype="PCM_16", format="WAV")


@contextmanager
def finished(path: Path) -> Iterator[Path]:
    """A name to write to, which becomes `path` when the block ends well and disappears when it does not."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield unfinished
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except (OSError, soundfile.LibsndfileError) as refusal:
        reason = getattr(refusal, "strerror", None) or str(refusal)
        raise AudioFileError(f"cannot be written: {reason}", str(path)) from refusal


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise AudioFileError("is a folder, not an audio file", str(path))
    if not path.exists():
        folder = path.parent
        sounds = [one.name for one in folder.glob("*") if one.suffix.lower() in {".wav", ".flac"}]
        raise AudioFileError(f"no such file{nearest(path.name, sounds) if sounds else ''}", str(path))
    if not os.access(path, os.R_OK):
        raise AudioFileError("may not be read", str(path), "see its permissions")
    if path.stat().st_size == 0:
        raise AudioFileError("is empty: 0 bytes", str(path))


def _check_wav(path: Path) -> None:
    """Compares what a WAV file's chunks promise with its size; libsndfile would play a damaged file."""
    size, where = path.stat().st_size, str(path)
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return
        at, has_format = 12, False
        while at + 8 <= size:
            file.seek(at)
            name, length = struct.unpack("<4sI", file.read(8))
            at += 8
            if at + length > size:
                what = (
                    "its data is" if name == b"data" else f"its part {name.decode('latin-1')!r} claims to be"
                )
                raise AudioFileError(
                    f"truncated or damaged: {what} {length} bytes long, the file has {size - at} more",
                    where,
                    REPAIR,
                )
            if name == b"data":
                if not has_format:
                    break
                if length == 0:
                    raise AudioFileError("holds no sound: its data is 0 bytes long", where)
                return
            has_format |= name == b"fmt "
            at += length + length % 2
    raise AudioFileError("damaged: there is no sound data behind its header", where, REPAIR)


def _whole(file: soundfile.SoundFile) -> Samples:
    """All there is, (n, channels): read piece by piece, since a header may promise more than any memory holds."""
    pieces = [np.zeros((0, file.channels), np.float32)]
    while len(piece := file.read(PIECE_FRAMES, dtype="float32", always_2d=True)):
        pieces.append(piece)
    return np.concatenate(pieces)


def _mono(sound: Samples, where: str) -> Samples:
    mono: Samples = sound.mean(axis=1, dtype=np.float32)
    strange = np.flatnonzero(~np.isfinite(mono))
    if len(strange):
        raise AudioFileError(
            f"sample {strange[0]} is not a number ({len(strange)} of {len(mono)} are not)", where, REPAIR
        )
    peak = float(np.abs(mono).max())
    if peak > LOUDEST * 100:
        raise AudioFileError(
            f"its loudest sample is {peak:.3g} times full scale: this is not sound", where, REPAIR
        )
    return np.clip(mono, -LOUDEST, LOUDEST)
