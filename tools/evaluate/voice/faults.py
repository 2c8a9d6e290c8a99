"""What must not be heard: clicks where pieces join, clipped samples; and how loud the sound is."""

from __future__ import annotations

import numpy as np

from epsilon.ring import Samples

NEIGHBOURHOOD = 160  # samples on either side of a join that its step is compared with
CLICK = 1.5  # a step at a join this much larger than every step around it
SMALLEST_STEP = 1e-3  # of full scale: smaller ones cannot be heard
BROKEN_OFF = 0.02  # a step of this size where phrases meet: both should be silent there
CLIPPED = 0.999
LOUD_FRAME = 320  # 20 ms


def is_click(samples: Samples, at: int) -> bool:
    """Whether the step into sample `at` stands out from all steps around it."""
    if not 0 < at < len(samples):
        return False
    steps = np.abs(np.diff(samples[max(0, at - NEIGHBOURHOOD) : at + NEIGHBOURHOOD]))
    own = min(at, NEIGHBOURHOOD) - 1
    others = np.delete(steps, own).max(initial=0.0)
    return bool(steps[own] > CLICK * max(others, SMALLEST_STEP))


def breaks_off(samples: Samples, at: int) -> bool:
    """Whether a phrase ends or begins at sample `at` while it still sounds, or clicks."""
    if not 0 < at < len(samples):
        return False
    return is_click(samples, at) or bool(abs(samples[at] - samples[at - 1]) > BROKEN_OFF)


def clipped(samples: Samples) -> int:
    """How many samples stand at full scale."""
    return int((np.abs(samples) >= CLIPPED).sum())


def level_db(samples: Samples) -> float:
    """RMS of the louder half of 20 ms frames, in dB below full scale; -120 for silence."""
    frames = samples[: len(samples) // LOUD_FRAME * LOUD_FRAME].reshape(-1, LOUD_FRAME)
    power = np.sort((frames.astype(np.float64) ** 2).mean(axis=1))
    return float(10 * np.log10(power[len(power) // 2 :].mean() + 1e-12)) if len(power) else -120.0
