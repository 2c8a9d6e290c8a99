"""How alike two sets of arrays are, as checks that are told and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from epsilon.errors import ModelError
from tools.convert.asr import Check

Arrays = dict[str, npt.NDArray]


def cosine(found: npt.NDArray, wanted: npt.NDArray) -> float:
    """The cosine of the angle between two arrays seen as vectors; 1 for two that are all zeros."""
    first, second = found.astype(np.float64).ravel(), wanted.astype(np.float64).ravel()
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / size if size else float(np.array_equal(first, second))


def same_within(name: str, found: Arrays, wanted: Arrays, most: float) -> Check:
    """Whether every number is: whole ones exactly, others within `most` of the size of what is compared."""
    worst = 0.0
    for key, array in wanted.items():
        if np.issubdtype(array.dtype, np.integer):
            worst = max(worst, float(np.count_nonzero(found[key] != array)))
        else:
            difference = np.abs(found[key].astype(np.float64) - array).max(initial=0.0)
            worst = max(worst, float(difference / max(1.0, np.abs(array).max(initial=0.0))))
    nearest = min(cosine(found[key], array) for key, array in wanted.items() if array.dtype.kind == "f")
    text = f"largest difference {worst:.1e}, smallest cosine {nearest:.7f}"
    return Check(name, text, f"at most {most:.0e}", bool(worst <= most))


def alike(name: str, found: Arrays, wanted: Arrays, least: float) -> Check:
    """Whether the arrays of real numbers point the same way; told for each."""
    cosines = {key: cosine(found[key], array) for key, array in wanted.items() if array.dtype.kind == "f"}
    text = ", ".join(f"{key} {value:.5f}" for key, value in cosines.items())
    return Check(name, f"cosine of {text}", f"at least {least}", min(cosines.values()) >= least)


def told(checks: Iterable[Check], tell: Callable[[str], None]) -> tuple[Check, ...]:
    """Tells each check as it is made; ModelError at the first that fails."""
    done = []
    for check in checks:
        tell(f"  {check.name}: {check.found} [{'ok' if check.passed else 'FAILED'}, {check.wanted}]")
        if not check.passed:
            raise ModelError(f"check failed: {check.name}: {check.found}; it must be {check.wanted}")
        done.append(check)
    return tuple(done)
