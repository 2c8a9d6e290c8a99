"""Messages as a take writes them: JSON of their fields; sound as its length, level and checksum."""

from __future__ import annotations

import hashlib
import math
from dataclasses import fields
from typing import Any

import numpy as np

from epsilon.messages import Message
from epsilon.ring import Samples

QUIETEST_DB = -120.0
SHA_DIGITS = 16

Json = dict[str, Any]


def written(message: Message) -> Json:
    """A message as JSON: its kind, its mark and its other fields."""
    found: Json = {"kind": type(message).__name__}
    for field in fields(message):
        found[field.name] = _value(getattr(message, field.name))
    return found


def sound(samples: Samples) -> Json:
    """What is kept of samples [n]: enough to see that they are the same, or how far they are from it."""
    energy = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    level_db = 10 * math.log10(energy) if energy > 0 else QUIETEST_DB
    sha = hashlib.sha256(np.ascontiguousarray(samples, np.float32).tobytes()).hexdigest()
    return {"frames": len(samples), "level_db": round(max(QUIETEST_DB, level_db), 2), "sha": sha[:SHA_DIGITS]}


def _value(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return sound(value)
    if isinstance(value, tuple):
        return [_value(inner) for inner in value]
    if isinstance(value, np.generic):
        return value.item()
    return value
