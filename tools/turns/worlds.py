"""Three worlds of turns, which share no voice: to train on, to choose settings by, to report on."""

from __future__ import annotations

import enum


class World(enum.Enum):
    """The bench plays the held-out one; nothing is fitted to it or chosen by it."""

    TRAINING = "training"
    DEVELOPMENT = "development"
    HELD_OUT = "held-out"
