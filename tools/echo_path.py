"""The way from the toy's speaker to its own microphone: a room, a delay, a clock that drifts, a poor speaker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epsilon.clock import Clock
from epsilon.config.board import Audio
from epsilon.devices.wav import WavCard
from epsilon.ring import Samples

RATE_HZ = 16_000
REVERBERANT = 0.5  # energy of what the walls send back, as a share of the direct sound's
TAPS = 32  # of the filter that reads between samples
KAISER_BETA = 8.0


@dataclass(frozen=True)
class Room:
    """What happens to the toy's sound on its way; made up from a seed, no measured room."""

    level_db: float = -6.0  # of the echo against what left the speaker
    delay_ms: float = 20.0
    reverberation_ms: float = 250.0  # until the tail is 60 dB down
    drift_ppm: float = 0.0  # the microphone's clock against the speaker's
    drive: float = 0.0  # how far the speaker is overdriven; 0 is not at all
    seed: int = 0

    def response(self) -> npt.NDArray[np.float64]:
        """The impulse response [n] behind the delay: the direct sound, then noise that dies away."""
        frames = max(1, round(self.reverberation_ms * RATE_HZ / 1000))
        tail = np.random.default_rng(self.seed).standard_normal(frames)
        tail *= 10 ** (-3 * np.arange(frames) / frames)
        tail[0] = 0.0
        if frames > 1:
            tail *= np.sqrt(REVERBERANT / np.sum(tail**2))
        tail[0] = 1.0
        return tail * 10 ** (self.level_db / 20) / np.sqrt(np.sum(tail**2))


class EchoPath:
    """A room, block by block; in which pieces the sound comes does not matter beyond rounding."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._response = room.response()
        self._delay_frames = room.delay_ms * RATE_HZ / 1000
        self._filter: dict[int, npt.NDArray[np.complex128]] = {}
        self._ringing = np.zeros(len(self._response) - 1)
        self._sound = np.zeros(0)  # what the walls make of the sound, from frame `_first` on
        self._first = self._arrived = self._made = 0

    def push(self, left: Samples) -> Samples:
        """The echo [n] in the microphone while the speaker gives away [n]."""
        driven = np.asarray(left, np.float64)
        if self.room.drive:
            driven = np.tanh(driven * self.room.drive) / self.room.drive
        self._sound = np.concatenate((self._sound, self._ring(driven)))
        self._arrived += len(left)
        frames = np.arange(self._made, self._made + len(left))
        self._made += len(left)
        echo = self._between(np.float64(1 + self.room.drift_ppm * 1e-6) * frames - self._delay_frames)
        self._forget()
        return echo.astype(np.float32)

    def _ring(self, sound: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        size = 1 << (len(sound) + len(self._response) - 1).bit_length()
        if size not in self._filter:
            self._filter[size] = np.fft.rfft(self._response, size)
        whole = np.fft.irfft(np.fft.rfft(sound, size) * self._filter[size], size)
        whole = whole[: len(sound) + len(self._ringing)]
        whole[: len(self._ringing)] += self._ringing
        self._ringing = whole[len(sound) :]
        return whole[: len(sound)]

    def _between(self, at: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The sound at fractional frames; silence before it began, and where it has not been made yet."""
        if not self.room.drift_ppm and float(at[0]).is_integer():
            return self._at(at.astype(np.int64))
        whole = np.floor(at).astype(np.int64)[:, None] + np.arange(1 - TAPS // 2, TAPS // 2 + 1)
        distance = at[:, None] - whole
        window = np.i0(KAISER_BETA * np.sqrt(np.clip(1 - (distance / (TAPS // 2)) ** 2, 0, 1)))
        return np.sum(self._at(whole) * np.sinc(distance) * window / np.i0(KAISER_BETA), axis=1)

    def _at(self, frames: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        places = frames - self._first
        known = (places >= 0) & (places < len(self._sound))
        return np.where(known, self._sound[np.clip(places, 0, max(0, len(self._sound) - 1))], 0.0)

    def _forget(self) -> None:
        oldest = self._made * (1 + self.room.drift_ppm * 1e-6) - self._delay_frames - TAPS
        done = max(0, int(oldest) - self._first)
        self._sound, self._first = self._sound[done:], self._first + done


def echoed(left: Samples, room: Room, block_frames: int = 320) -> Samples:
    """The whole echo [n] of what left the speaker [n]."""
    path = EchoPath(room)
    return np.concatenate(
        [path.push(left[at : at + block_frames]) for at in range(0, len(left), block_frames)]
    )


class EchoCard(WavCard):
    """A file in place of the microphone, into which the speaker is heard as well."""

    hears_itself = True

    def __init__(self, audio: Audio, clock: Clock, recording: Samples, room: Room) -> None:
        super().__init__(audio, clock, recording)
        self._path = EchoPath(room)

    def read(self) -> Samples | None:
        block = super().read()
        if block is None:
            return None
        left = self.reference.copy(self.reference.written - len(block), len(block))
        assert left is not None
        return block + self._path.push(left)
