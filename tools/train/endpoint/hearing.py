"""What the toy's vad stage would hand the end-of-turn engine of a recorded turn, window by window.

The rules are those of epsilon/stages/vad.py: a turn begins with 96 ms of voice, two windows of voice end a pause.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from epsilon.engines.vad.silero import SileroDetector
from epsilon.ring import Samples
from epsilon.stages.vad import AGAIN_FRAMES, WINDOW_FRAMES
from tools.turns.labels import Label

WINDOW = WINDOW_FRAMES
RATE_HZ = 16_000
WINDOW_MS = WINDOW * 1000 / RATE_HZ
THRESHOLD = 0.5
BEGIN_WINDOWS = 3
AGAIN_WINDOWS = AGAIN_FRAMES // WINDOW
PREPARE_WINDOWS = 4  # 100 ms, in whole windows: before, a silence is no pause yet
_BEGIN_LATE_S = 0.0, 0.08
# How much later than the speech the detector's voice ends: measured on 150 turns of held-out voices.
_LATE_SHARES = 0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0
_END_LATE_S = -0.2, -0.1, 0.02, 0.06, 0.1, 0.2, 0.3
FOLLOW_S = 2.0  # of silence after the end that are of interest


class Heard(NamedTuple):
    """A turn as it was heard, from the window after its begin; all arrays have a row a window."""

    first: int  # window of the recording
    voiced: NDArray[np.bool_]
    silence: NDArray[np.int16]  # windows since the last voice
    over: NDArray[np.bool_]  # the speech had ended when the window had


def hear(
    samples: Samples, end_s: float, detector: SileroDetector, follow_s: float = FOLLOW_S
) -> Heard | None:
    """None where the detector heard nobody before the end. `follow_s` of what comes after the end is heard."""
    detector.reset()
    until = round((end_s + follow_s) * RATE_HZ)
    return as_stage(np.array(detector.push(samples[:until])) >= THRESHOLD, end_s)


def imagine(label: Label, follow_s: float, rng: np.random.Generator) -> Heard | None:
    """The same without a detector, which is most of the work: voice begins and ends about as late as it is noticed."""
    judged = np.zeros(round((label.end_s + follow_s) * RATE_HZ) // WINDOW, bool)
    begins = [label.start_s, *(to_s for _, to_s in label.pauses)]
    ends = [*(from_s for from_s, _ in label.pauses), label.end_s]
    for begin_s, end_s in zip(begins, ends, strict=True):
        first = begin_s + rng.uniform(*_BEGIN_LATE_S)
        last = end_s + np.interp(rng.random(), _LATE_SHARES, _END_LATE_S)
        judged[round(first * RATE_HZ / WINDOW) : round(last * RATE_HZ / WINDOW)] = True
    return as_stage(judged, label.end_s)


def as_stage(judged: NDArray[np.bool_], end_s: float) -> Heard | None:
    """What the stage makes of the detector's judgement of every window."""
    voices = np.convolve(judged, np.ones(BEGIN_WINDOWS), "valid") == BEGIN_WINDOWS
    if not voices.any():
        return None
    first = int(voices.argmax()) + BEGIN_WINDOWS
    last = len(judged)
    if (first + 1) * WINDOW > end_s * RATE_HZ or last <= first:
        return None
    voiced = judged[first:last]
    ends = (np.arange(first, last) + 1) * WINDOW
    return Heard(first, voiced, silences(voiced), ends >= end_s * RATE_HZ)


def silences(voiced: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Windows since the last voice; inside a pause a single voiced window is no voice."""
    found, silence, again = np.zeros(len(voiced), np.int16), 0, 0
    for place, voice in enumerate(voiced):
        again = again + 1 if voice else 0
        paused = silence >= PREPARE_WINDOWS
        silence = 0 if again >= (AGAIN_WINDOWS if paused else 1) else silence + 1
        found[place] = silence
    return found


def pauses(heard: Heard) -> list[tuple[int, int]]:
    """The silences in which the stage asks for the end: from the last voice to before the next, in windows."""
    found, begin = list[tuple[int, int]](), None
    for place, silence in enumerate([*heard.silence.tolist(), 0]):
        if silence == 0:
            if begin is not None and place - begin > PREPARE_WINDOWS:
                found.append((begin, place))
            begin = None
        elif begin is None:
            begin = place
    return found
