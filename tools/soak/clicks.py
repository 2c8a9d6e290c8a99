"""Finds clicks: steps from one sample to the next that stand out from all others around them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from epsilon.ring import Samples

AROUND = 160  # frames on either side that a step is compared with: 10 ms, a period of the deepest voice
ADJACENT = 2  # beside it: an impulse is two steps
FLOOR = 0.02  # of full scale: smaller steps are no click
ROWS = 4096  # places looked at together

Places = npt.NDArray[np.int64]


def prominence(samples: Samples, places: Places) -> npt.NDArray[np.float32]:
    """How many times larger each step |x[n] - x[n-1]| at `places` [k] is than the largest around it; 0 below FLOOR.

    Around means within samples [n]; a step that stands alone in silence is as prominent as it is times FLOOR.
    """
    steps = np.abs(np.diff(samples, prepend=samples[:1]))
    padded = np.pad(steps, AROUND)
    offsets = np.concatenate((np.arange(-AROUND, -ADJACENT), np.arange(ADJACENT + 1, AROUND + 1))) + AROUND
    found = np.zeros(len(places), np.float32)
    loud = np.flatnonzero(steps[places] > FLOOR)
    for start in range(0, len(loud), ROWS):
        rows = loud[start : start + ROWS]
        around = padded[places[rows][:, None] + offsets].max(axis=1)
        found[rows] = steps[places[rows]] / np.maximum(around, FLOOR)
    return found


def most_prominent(samples: Samples) -> tuple[float, int]:
    """The largest prominence anywhere in samples [n], and where. Only the largest step of each 5 ms can be it."""
    steps = np.abs(np.diff(samples, prepend=samples[:1]))
    size = AROUND // 2
    whole = np.pad(steps, (0, -len(steps) % size)).reshape(-1, size)
    places = np.arange(len(whole)) * size + whole.argmax(axis=1)
    places = places[places < len(samples)]
    if not len(places):
        return 0.0, 0
    found = prominence(samples, places)
    return float(found.max()), int(places[found.argmax()])
