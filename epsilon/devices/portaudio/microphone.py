"""The microphone's end: a native ring that rtmixer's callback fills, read a block at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from epsilon.clock import Clock
from epsilon.dsp.resample import StreamResampler
from epsilon.errors import DeviceError
from epsilon.ring import Samples

RATE_HZ = 16_000
RING_S = 4.0  # the longest pause of Python that loses nothing
FIRST_FRAMES_S = 6.0  # a card that has given nothing by then is dead
PAUSE_S = 2.0  # nor does a living one pause for longer
LATE_S = 0.003  # a block that is not there when it is due is looked for again after this
DRIFT = 0.002  # how much of a late block's lateness is taken for drift of the card's clock against ours


class Microphone:
    """Counts frames at 16 kHz since `start`, whatever the card's rate."""

    def __init__(self, recorder: Any, new_ring: Any, rate_hz: int, clock: Clock, name: str) -> None:
        self._recorder, self._rate_hz, self._clock, self._name = recorder, rate_hz, clock, name
        self._frames = np.zeros(power_of_two(rate_hz * RING_S), np.float32)
        self._ring = new_ring(4, buffer=self._frames)
        self._resampler = StreamResampler(rate_hz, RATE_HZ) if rate_hz != RATE_HZ else None
        self._latency_frames = round(recorder.latency * RATE_HZ)
        self._waiting: Samples = np.zeros(0, np.float32)
        self._earlier_frames = self._full = self._flagged = self._fetched = 0
        self._start_s = clock.now()
        self._stopped = False

    @property
    def overruns(self) -> int:
        """How often frames were lost: the ring was full, or the card says so."""
        return self._full + self._flagged + self._action.stats.input_overflows

    @property
    def recorded(self) -> int:
        """Frames captured so far, read or not."""
        return round((self._earlier_frames + self._action.done_frames) * RATE_HZ / self._rate_hz)

    def start(self) -> None:
        """Frame 0 is the first that the card gives."""
        self._recorder.start()
        self._action = self._recorder.record_ringbuffer(self._ring)
        self._wait_for(1, FIRST_FRAMES_S)
        self._start_s = self._observed_start_s()

    def stop(self) -> None:
        """A `read` that waits returns None."""
        self._stopped = True
        self._recorder.close()

    def now_frame(self) -> int:
        """The frame that passes the card now."""
        return self.recorded + self._latency_frames

    def time_of(self, frame: int) -> float:
        """The clock's time in seconds at which a frame passes the card."""
        return self._start_s + frame / RATE_HZ

    def read(self, count: int) -> Samples | None:
        """The next `count` frames, waiting until they are there; None after `stop`."""
        while len(self._waiting) < count:
            missing = round((count - len(self._waiting)) * self._rate_hz / RATE_HZ)
            if not self._wait_for(missing, PAUSE_S):
                return None
            self._fetch()
        block, self._waiting = self._waiting[:count], self._waiting[count:]
        return block

    def _wait_for(self, frames: int, patience_s: float) -> bool:
        """Sleep until the ring is due to hold so many more of the card's frames; False when stopped."""
        give_up_s = self._clock.now() + patience_s
        due_s = self._start_s + self._latency_frames / RATE_HZ + (self._fetched + frames) / self._rate_hz
        while not self._stopped and self._ring.read_available < frames:
            now_s = self._clock.now()
            if now_s > give_up_s:
                raise DeviceError(
                    f"the microphone gave no sound for {patience_s:.0f} s", self._name, "is it plugged in?"
                )
            self._clock.sleep_until(min(max(due_s, now_s + LATE_S), give_up_s + LATE_S))
        return not self._stopped

    def _fetch(self) -> None:
        fresh = np.empty(self._ring.read_available, np.float32)
        self._ring.readinto(fresh)
        self._fetched += len(fresh)
        if self._action not in self._recorder.actions:  # a full ring ends the recording: count it and go on
            self._full += 1
            self._flagged += self._action.stats.input_overflows
            self._earlier_frames += self._action.done_frames
            self._action = self._recorder.record_ringbuffer(self._ring)
        observed_s = self._observed_start_s()
        self._start_s += min(0.0, observed_s - self._start_s) + max(0.0, observed_s - self._start_s) * DRIFT
        if self._resampler is not None:
            fresh = self._resampler.push(fresh)
        self._waiting = np.concatenate((self._waiting, fresh))

    def _observed_start_s(self) -> float:
        """When frame 0 passed, by what has arrived by now; late by as much as the newest block is old."""
        return self._clock.now() - self.now_frame() / RATE_HZ


def power_of_two(frames: float) -> int:
    """The next power of two, as PortAudio's rings want it."""
    return 1 << (round(frames) - 1).bit_length()
