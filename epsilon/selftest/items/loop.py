"""Loop: does the microphone hear what the speaker plays, at every pitch, clearly and in time?"""

from __future__ import annotations

import numpy as np

from epsilon import audio_check
from epsilon.audio_check import FULL_SCALE, GLIDE_HZ, GLIDE_S, QUIET_S, RATE_HZ, Take, frames, level_db
from epsilon.ring import Samples
from epsilon.selftest.bench import Bench
from epsilon.selftest.found import Found, failed, judged, skipped

ORDER, SPOKEN = 60, "speaker"
PARTS = 4  # of the glide, each a little over an octave: a loose speaker or a covered hole is missing one
CLEAREST_DB, LEAST_DB = 15.0, 6.0  # over the noise: the whole glide, and its faintest part
LATEST_MS = 350.0  # a sound that comes later than this is in a buffer that talking cannot bear
CLIPPED_PERCENT = 1.0


def check(bench: Bench) -> Found:
    """Play the glide of the audio check and find it again."""
    with bench.card() as card:
        if not card.hears_itself:
            return skipped("this card's microphone does not hear its speaker")
        take = audio_check.perform(card, audio_check.glide_alone())
    delay = audio_check.delay_frames(take)
    noise_db = level_db(take.heard[: frames(QUIET_S / 2)])
    if delay is None:
        return failed("the microphone does not hear the speaker", noise_db=round(noise_db, 1))
    parts_db = [level_db(part) - noise_db for part in np.array_split(glide_in(take, delay), PARTS)]
    snr_db = level_db(glide_in(take, delay)) - noise_db
    delay_ms = 1000 * delay / RATE_HZ
    clipped = 100 * float(np.mean(np.abs(take.heard) >= FULL_SCALE))
    faults = [*_faint(snr_db, parts_db)]
    if delay_ms > LATEST_MS:
        faults.append(f"the sound comes {delay_ms:.0f} ms late, {LATEST_MS:.0f} at most is right")
    if clipped > CLIPPED_PERCENT:
        faults.append(f"{clipped:.0f} % of it clips")
    return judged(
        faults,
        f"heard {snr_db:.0f} dB above the noise, {delay_ms:.0f} ms late",
        snr_db=round(snr_db, 1),
        delay_ms=round(delay_ms, 1),
        noise_db=round(noise_db, 1),
        clipped_percent=round(clipped, 1),
        **{f"from_{hz:.0f}_hz_snr_db": round(db, 1) for hz, db in zip(_edges(), parts_db, strict=True)},
    )


def glide_in(take: Take, delay: int) -> Samples:
    """The part of what was heard in which the glide is."""
    start = max(0, frames(QUIET_S) + delay)
    return take.heard[start : start + frames(GLIDE_S)]


def _faint(snr_db: float, parts_db: list[float]) -> list[str]:
    if snr_db < CLEAREST_DB:
        return [f"it is only {snr_db:.0f} dB above the noise, {CLEAREST_DB:.0f} are right"]
    low_hz, high_hz = GLIDE_HZ
    octaves = np.log2(high_hz / low_hz) / PARTS
    return [
        f"from {hz:.0f} to {hz * 2**octaves:.0f} Hz hardly anything is heard"
        for hz, db in zip(_edges(), parts_db, strict=True)
        if db < LEAST_DB
    ]


def _edges() -> list[float]:
    """Where the parts begin, in Hz: a glide spends the same time in each octave."""
    low_hz, high_hz = GLIDE_HZ
    return [low_hz * (high_hz / low_hz) ** (part / PARTS) for part in range(PARTS)]
