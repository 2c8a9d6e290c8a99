"""Microphone: does it hear a room, and no hum, hiss or offset of its own?"""

from __future__ import annotations

import numpy as np

from epsilon.audio_check import FULL_SCALE, frames, level_db
from epsilon.errors import DeviceError
from epsilon.ring import Samples
from epsilon.selftest.bench import Bench
from epsilon.selftest.found import Found, judged

ORDER, SPOKEN = 50, "microphone"
SETTLE_S = 0.3  # a card that was just opened clicks, and its high-pass swings
LISTEN_S = 1.0
DEAD_DB = -100.0  # 16 bits with nothing but a flickering last bit
LOUDEST_DB = -30.0  # a factory hall; above it speech drowns
LARGEST_OFFSET = 0.05  # of full scale: more is a broken bias


def check(bench: Bench) -> Found:
    """Listen for a second."""
    heard = _heard(bench)[frames(SETTLE_S) :]
    offset = float(heard.mean())
    noise_db = level_db(heard - np.float32(offset))
    clipped = 100 * float(np.mean(np.abs(heard) >= FULL_SCALE))
    faults = []
    if noise_db <= DEAD_DB:
        faults.append("it gives pure silence: is it plugged in, or muted?")
    if noise_db > LOUDEST_DB:
        faults.append(f"it hears {noise_db:.0f} dB of noise, {LOUDEST_DB:.0f} at most is right")
    if abs(offset) > LARGEST_OFFSET:
        faults.append(f"its zero is off by {100 * offset:.0f} % of full scale")
    if clipped:
        faults.append(f"{clipped:.1f} % of what it gives clips")
    figures = {"noise_db": noise_db, "offset_percent": 100 * offset, "clipped_percent": clipped}
    peak_db = level_db(np.array([np.abs(heard - np.float32(offset)).max()], np.float32))
    rounded = {name: round(value, 1) for name, value in (figures | {"peak_db": peak_db}).items()}
    return judged(faults, f"it hears {noise_db:.0f} dB of room", **rounded)


def _heard(bench: Bench) -> Samples:
    blocks: list[Samples] = []
    with bench.card() as card:
        while len(blocks) * card.block_frames < frames(SETTLE_S + LISTEN_S):
            block = card.read()
            if block is None:
                raise DeviceError("the card was closed while it was tested", bench.board.audio.card)
            blocks.append(block)
    return np.concatenate(blocks)
