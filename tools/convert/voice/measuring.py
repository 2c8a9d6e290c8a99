"""What is measured of a cut voice: how far its vocoder sees, and how near its windows are to the published graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epsilon.ring import Samples
from epsilon.runtimes import Array, Graph

PROBED_FRAMES = 64
BANDS_FFT, BANDS_HOP = 1024, 256
FLOOR_DB = 60.0  # what is so far below the loudest band is not compared

SENTENCES = (
    "Well, hello there. What a strange day this is!",
    "My little boat went down the river and around the old stone bridge before anyone woke up.",
)


@dataclass(frozen=True)
class Sight:
    """How many frames before and after one its samples depend on."""

    left: int
    right: int


@dataclass(frozen=True)
class Deviation:
    """What is said window by window, beside the same phrase said whole by the published graph."""

    spectral_db: float  # root mean square difference of the log spectra
    level_db: float  # how much louder
    error_db: float  # the difference's level, relative to the whole


def sight(meter: Graph, vocoder: Graph, hop: int, steps: int, seed: int = 0) -> Sight:
    """One frame is changed, and then the excitation of one, and it is seen which samples change.

    `hop` samples and `steps` of the excitation belong to a frame.
    """
    random = np.random.default_rng(seed)
    frames, source = (int(vocoder.inputs[name][1]) for name in ("frames", "source"))
    feeds: dict[str, Array] = {
        "frames": random.standard_normal((1, frames, PROBED_FRAMES)).astype(np.float32),
        "source": random.standard_normal((1, source, PROBED_FRAMES * steps + 1)).astype(np.float32),
        "style": random.standard_normal((1, 256)).astype(np.float32),
    }
    feeds |= meter(feeds)
    before, middle = vocoder(feeds)["audio"].reshape(-1), PROBED_FRAMES // 2
    left = right = 0
    for name, place in (("frames", middle), ("source", middle * steps), ("source", (middle + 1) * steps)):
        changed = feeds[name].copy()
        changed[:, :, place] += 1
        differs = np.flatnonzero(vocoder(feeds | {name: changed})["audio"].reshape(-1) != before)
        left = max(left, int(differs[-1]) // hop - middle)
        right = max(right, middle - int(differs[0]) // hop)
    return Sight(left, right)


def compare(cut: Samples, whole: Samples) -> Deviation:
    """How far two renderings of a phrase are apart."""
    one, other = _spectrum_db(cut), _spectrum_db(whole)
    floor = other.max() - FLOOR_DB
    difference = np.maximum(one, floor) - np.maximum(other, floor)
    return Deviation(
        float(np.sqrt(np.mean(difference**2))),
        _level_db(cut) - _level_db(whole),
        _level_db(cut - whole) - _level_db(whole),
    )


def _spectrum_db(samples: Samples) -> npt.NDArray[np.float64]:
    window = np.hanning(BANDS_FFT)
    pieces = [samples[at : at + BANDS_FFT] * window for at in _places(len(samples))]
    return 20 * np.log10(np.abs(np.fft.rfft(pieces)) + 1e-9)


def _places(length: int) -> Iterator[int]:
    yield from range(0, max(1, length - BANDS_FFT + 1), BANDS_HOP)


def _level_db(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2) + 1e-20))
