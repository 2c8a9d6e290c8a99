"""Makes clean synthetic speech less clean: pace, pauses, rooms, noise, loudness, tone, and masked stripes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from torch import Tensor

from tools.train.ears.features import BANDS, RATE_HZ, mel_power, normalise
from tools.train.speech.voices import Samples

CONTEXTS_S = (2, 4, 6, 8, 10)
_ROOMS, _ROOM_SAMPLES = 96, 4000
_NOISE_S = 60
_STEADY = 3  # of the noises: white, pink and brown, not voices
_PAD_S = (0.05, 0.6)
Wave = NDArray[np.float32]


class Augmenter:
    """Turns a list of int16 utterances into a batch of log-mel features; `strength` 0 … 1 scales it all."""

    def __init__(self, pool: list[Samples], seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        babble = self._babble(pool)
        self.noises = [torch.from_numpy(noise) for noise in (*self._coloured(), babble, babble)]
        self.rooms = torch.from_numpy(np.stack([self._room() for _ in range(_ROOMS)]))

    def __call__(self, utterances: list[Samples], strength: float) -> Tensor:
        """→ [B, 80, frames], a multiple of four frames, at most 10 s."""
        waves, ends = self._place([self._pace(samples, strength) for samples in utterances], strength)
        self._reverberate(waves, strength)
        self._add_noise(waves, strength)
        waves *= torch.from_numpy(10 ** (self.rng.uniform(-30, 0, (len(waves), 1)) / 20)).float()
        waves += torch.randn(waves.shape) * 1e-4
        for index, end in enumerate(ends):
            if self.rng.random() < 0.5:  # the recogniser fills its window with digital silence
                waves[index, end:] = 0.0
        features = normalise(mel_power(waves) * self._tone(len(waves), strength))
        self._mask(features, strength)
        return features

    def _coloured(self) -> list[Wave]:
        """White, pink and brown noise of unit power, a minute each."""
        count = RATE_HZ * _NOISE_S
        white = np.fft.rfft(self.rng.standard_normal(count))
        bins = np.maximum(1, np.arange(len(white)))
        shapes = (np.ones(len(bins)), bins**-0.5, (bins > 50 * _NOISE_S) / bins)
        noises = [np.fft.irfft(white * shape) for shape in shapes]
        return [np.asarray(noise / noise.std(), np.float32) for noise in noises]

    def _babble(self, pool: list[Samples]) -> Wave:
        """Many utterances on top of one another."""
        babble = np.zeros(RATE_HZ * _NOISE_S, np.float32)
        for _ in range(160):
            voice = pool[self.rng.integers(len(pool))].astype(np.float32)
            start = self.rng.integers(0, len(babble) - len(voice))
            babble[start : start + len(voice)] += voice / (voice.std() + 1)
        return babble / babble.std()

    def _room(self) -> Wave:
        """An impulse response: the direct sound, a gap, and decaying noise (RT60 0.08 … 0.5 s)."""
        seconds = np.arange(_ROOM_SAMPLES) / RATE_HZ
        decay = np.exp(-6.9 * seconds / self.rng.uniform(0.08, 0.5)) * self.rng.uniform(0.02, 0.12)
        response = self.rng.standard_normal(_ROOM_SAMPLES) * decay
        response[: int(self.rng.uniform(10, 60))] = 0
        response[0] = 1
        return response.astype(np.float32)

    def _pace(self, samples: Samples, strength: float) -> Wave:
        """Speed and pitch together, and unit peak."""
        fast = self.rng.random() < 0.2 + 0.6 * strength
        factor = np.float32(self.rng.uniform(0.87, 1.16) if fast else 1.0)
        places = np.arange(int((len(samples) - 2) / factor), dtype=np.float32) * factor
        left = places.astype(np.int32)
        fraction = places - left
        wave = samples.astype(np.float32)
        wave = wave[left] * (1 - fraction) + wave[left + 1] * fraction
        return np.asarray(wave / (np.abs(wave).max() + 1), np.float32)

    def _place(self, waves: list[Wave], strength: float) -> tuple[Tensor, list[int]]:
        """[B, samples] with up to 0.6 s around each, now and then filled up to one of the toy's windows.

        Also where each utterance and its own pause end.
        """
        pause = int(self.rng.uniform(*_PAD_S) * RATE_HZ)
        before, after = self.rng.integers(0, pause, (2, len(waves)))
        before[self.rng.random(len(waves)) < 0.2] = 0
        longest = max(len(wave) + a + b for wave, a, b in zip(waves, before, after, strict=True))
        if self.rng.random() < 0.6 * strength:
            longest = next((s * RATE_HZ for s in CONTEXTS_S if s * RATE_HZ >= longest), longest)
        total = min(CONTEXTS_S[-1] * RATE_HZ, (longest + 639) // 640 * 640)
        placed = np.zeros((len(waves), total), np.float32)
        ends = []
        for row, wave, a, b in zip(placed, waves, before, after, strict=True):
            start = max(0, min(a, total - len(wave)))
            row[start : start + len(wave)] = wave[: total - start]
            ends.append(min(total, start + len(wave) + int(b)))
        return torch.from_numpy(placed), ends

    def _reverberate(self, waves: Tensor, strength: float) -> None:
        chosen = np.flatnonzero(self.rng.random(len(waves)) < 0.35 * strength)
        if len(chosen) == 0:
            return
        size = next_fast_len(waves.shape[1] + _ROOM_SAMPLES, real=True)
        rooms = torch.fft.rfft(self.rooms[self.rng.integers(0, _ROOMS, len(chosen))], size)
        wet = torch.fft.irfft(torch.fft.rfft(waves[chosen], size) * rooms, size)
        waves[chosen] = wet[:, : waves.shape[1]]

    def _add_noise(self, waves: Tensor, strength: float) -> None:
        """4 … 35 dB below the speech; at least what a microphone adds, 25 … 75 dB below it."""
        levels = waves.square().mean(1).sqrt() + 1e-6
        for wave, level in zip(waves, levels, strict=True):
            loud = self.rng.random() < 0.7 * strength
            below_db = self.rng.uniform(4, 35) if loud else self.rng.uniform(25, 75)
            noise = self.noises[self.rng.integers(len(self.noises) if loud else _STEADY)]
            start = int(self.rng.integers(0, len(noise) - len(wave)))
            wave += noise[start : start + len(wave)] * (level * 10 ** (-below_db / 20))

    def _tone(self, count: int, strength: float) -> Tensor:
        """[B, 80, 1] power factors: a spectral tilt, a ripple, and now and then a low-pass."""
        band = np.linspace(0, 1, BANDS)
        column = (count, 1)
        tilt_db = strength * self.rng.normal(0, 4, column) * (band - 0.5)
        phase = 2 * np.pi * band * self.rng.uniform(0.5, 2, column) + self.rng.uniform(0, 6.3, column)
        ripple_db = strength * self.rng.normal(0, 3, column) * np.cos(phase)
        dull = self.rng.random(column) < 0.1 * strength
        dull_db = -400 * dull * np.maximum(0, band - self.rng.uniform(0.65, 0.95, column))
        return torch.from_numpy(10 ** ((tilt_db + ripple_db + dull_db) / 10)).float()[:, :, None]

    def _mask(self, features: Tensor, strength: float) -> None:
        """SpecAugment (Park et al. 2019): two stripes of bands and two of frames, filled with the mean."""
        frames = features.shape[2]
        widest = (1 + int(11 * strength), 1 + int(strength * min(22, frames // 8)))
        for feature in features:
            mean = feature.mean()
            for _ in range(2):
                bands, count = self.rng.integers(0, widest[0]), self.rng.integers(0, widest[1])
                low, start = self.rng.integers(0, BANDS - bands), self.rng.integers(0, frames - count)
                feature[low : low + bands] = mean
                feature[:, start : start + count] = mean
