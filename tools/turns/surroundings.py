"""Where a turn is spoken: a light room, a distance and one of six kinds of noise, pauses included."""

from __future__ import annotations

import random

import numpy as np

from tools.train.ears import surroundings
from tools.train.speech.voices import RATE_HZ, Samples
from tools.turns.timed import Wave

# Share of the turns, and how far below the speech the noise lies, in dB. Other people's voices are fainter: louder
# ones are speech to any voice detector, and no silence would follow.
NOISES: dict[str, tuple[float, float, float]] = {
    "clean": (0.30, 50.0, 70.0),
    "pink": (0.18, 12.0, 30.0),
    "hum": (0.14, 10.0, 30.0),
    "music": (0.12, 15.0, 30.0),
    "babble": (0.14, 20.0, 34.0),
    "tv": (0.12, 26.0, 38.0),
}
_LEVELS_DB = (-32.0, -16.0)  # of the speech, root of the mean square against full scale
_ROOMS = 40
_HISS = 3e-5
_TV_VOICES = 30


class Surroundings:
    """Rooms and a minute of each noise, drawn once."""

    def __init__(self, voices: list[Samples], seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.rng = rng
        white, pink, _ = surroundings.coloured_noises(rng)
        self.noises = {
            "clean": white,
            "pink": pink,
            "hum": surroundings.hum(rng),
            "music": surroundings.music(rng),
            "babble": surroundings.babble(voices, rng, 160),
            "tv": _television(voices, rng),
        }
        self.rooms = [surroundings.room(rng) for _ in range(_ROOMS)]

    def reverberate(self, speech: Wave) -> Wave:
        """Every second time in a room, whose sound rings on behind the speech."""
        if self.rng.random() < 0.5:
            return speech
        room = self.rooms[self.rng.integers(_ROOMS)]
        size = _quick_size(len(speech) + len(room) - 1)
        wet = np.fft.irfft(np.fft.rfft(speech, size) * np.fft.rfft(room, size), size)
        return np.asarray(wet[: len(speech)], np.float32)

    def mix(self, speech: Wave, spoken: int, noise: str) -> tuple[Wave, float]:
        """The speech, of which `spoken` samples are no silence, at some level in the noise; also the SNR in dB."""
        _, low, high = NOISES[noise]
        level, snr_db = 10 ** (self.rng.uniform(*_LEVELS_DB) / 20), float(self.rng.uniform(low, high))
        power = float((speech.astype(np.float64) ** 2).sum()) / spoken
        sound = self.noises[noise]
        start = int(self.rng.integers(len(sound)))
        behind = np.take(sound, np.arange(start, start + len(speech)), mode="wrap")
        mixed = speech * (level / np.sqrt(power)) + behind * level * 10 ** (-snr_db / 20)
        mixed += self.rng.standard_normal(len(mixed)).astype(np.float32) * _HISS
        loudest = float(np.abs(mixed).max())
        return np.asarray(mixed * min(1.0, 0.95 / loudest), np.float32), snr_db


def _quick_size(least: int) -> int:
    """A multiple of a power of two: lengths with large prime factors are slow to transform."""
    step = 2 ** max(0, least.bit_length() - 4)
    return -(-least // step) * step


def draw_noise(rng: random.Random) -> str:
    """One of the kinds, by their shares."""
    return rng.choices(list(NOISES), [share for share, _, _ in NOISES.values()])[0]


def _television(voices: list[Samples], rng: np.random.Generator) -> Wave:
    """One voice after another through a small loudspeaker, over faint music."""
    spoken = [voices[rng.integers(len(voices))].astype(np.float32) for _ in range(_TV_VOICES)]
    talk = np.concatenate(
        [np.pad(v / (v.std() + 1), (0, int(rng.uniform(0.1, 0.6) * RATE_HZ))) for v in spoken]
    )
    music = surroundings.music(rng)
    talk = np.resize(talk, len(music)) + 0.25 * music
    spectrum = np.fft.rfft(talk)
    hz = np.fft.rfftfreq(len(talk), 1 / RATE_HZ)
    spectrum[(hz < 250) | (hz > 5000)] = 0
    heard = np.fft.irfft(spectrum, len(talk))
    return np.asarray(heard / heard.std(), np.float32)
