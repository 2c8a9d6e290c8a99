"""Makes clean synthetic speech less clean: strangers, pauses, rooms, noise, loudness, tone, and masked stripes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from torch import Tensor

from tools.train.ears import surroundings
from tools.train.ears.features import BANDS, HOP_SAMPLES, RATE_HZ, log_power, mel_power, normalise
from tools.train.ears.strangers import change_lengths, change_throats, draw_strangers, throat_matrices
from tools.train.ears.surroundings import ROOM_SAMPLES, ROOMS, Wave
from tools.train.speech.voices import Samples

CONTEXTS_S = (2, 4, 6, 8, 10)
_STEADY = 3  # of the noises: white, pink and brown
_PAD_S = (0.05, 0.6)
_PAUSE_S = (0.08, 0.5)
_QUIET_SAMPLES = 320


class Augmenter:
    """Turns a list of int16 utterances into a batch of log-mel features; `strength` 0 … 1 scales it all."""

    def __init__(self, pool: list[Samples], seed: int, device: str = "cpu") -> None:
        self.rng, self.device = np.random.default_rng(seed), device
        rng = self.rng
        white, pink, brown = surroundings.coloured_noises(rng)
        crowd, few = surroundings.babble(pool, rng, 160), surroundings.babble(pool, rng, 40)
        others = surroundings.hum(rng), surroundings.music(rng), surroundings.knocks(rng)
        noises = white, pink, brown, pink, crowd, few, *others
        self.noises = [torch.from_numpy(noise).to(device) for noise in noises]
        self.rooms = torch.from_numpy(np.stack([surroundings.room(rng) for _ in range(ROOMS)])).to(device)
        self.throats = throat_matrices().to(device)

    def __call__(self, utterances: list[Samples], strength: float) -> Tensor:
        """→ [B, 80, frames], a multiple of four frames, at most 10 s."""
        strangers = draw_strangers(len(utterances), strength, self.rng)
        paced = [self._pace(samples, f) for samples, f in zip(utterances, strangers.speed, strict=True)]
        waves, ends = self._place([self._pause(wave, strength) for wave in paced], strength)
        self._reverberate(waves, strength)
        self._add_noise(waves, strength)
        self._clip(waves, strength)
        waves *= self._tensor(10 ** (self.rng.uniform(-30, 0, (len(waves), 1)) / 20))
        waves += torch.randn_like(waves) * 1e-4
        for index, end in enumerate(ends):
            if self.rng.random() < 0.5:  # the recogniser fills its window with digital silence
                waves[index, end:] = 0.0
        log = log_power(mel_power(waves) * self._tone(len(waves), strength))
        log = change_throats(log, strangers.throat, self.throats)
        frames = [end // HOP_SAMPLES for end in ends]
        features = normalise(change_lengths(log, frames, strangers.length))
        self._mask(features, strength)
        return features

    def _tensor(self, array: NDArray[np.floating]) -> Tensor:
        return torch.from_numpy(array).float().to(self.device)

    def _pace(self, samples: Samples, factor: float) -> Wave:
        """Speed and pitch together, and unit peak."""
        places = np.arange(int((len(samples) - 2) / factor), dtype=np.float32) * np.float32(factor)
        left = places.astype(np.int32)
        fraction = places - left
        wave = samples.astype(np.float32)
        wave = wave[left] * (1 - fraction) + wave[left + 1] * fraction
        return np.asarray(wave / (np.abs(wave).max() + 1), np.float32)

    def _pause(self, wave: Wave, strength: float) -> Wave:
        """Now and then a pause where the speech is quiet anyway, as people make them while they think."""
        if self.rng.random() > 0.2 * strength or not RATE_HZ < len(wave) < 7 * RATE_HZ:
            return wave
        count = len(wave) // _QUIET_SAMPLES
        levels = np.abs(wave[: count * _QUIET_SAMPLES]).reshape(count, -1).mean(1)
        inner = np.arange(count // 6, count - count // 6)
        quiet = inner[np.argsort(levels[inner])[: 1 + len(inner) // 12]]
        place = int(self.rng.choice(quiet)) * _QUIET_SAMPLES + _QUIET_SAMPLES // 2
        pause = np.zeros(int(self.rng.uniform(*_PAUSE_S) * RATE_HZ), np.float32)
        return np.concatenate([wave[:place], pause, wave[place:]])

    def _place(self, waves: list[Wave], strength: float) -> tuple[Tensor, list[int]]:
        """[B, samples] with up to 0.6 s around each, now and then filled up to one of the toy's windows.

        Also where each utterance and its own pause end.
        """
        pause = int(self.rng.uniform(*_PAD_S) * RATE_HZ)
        before, after = self.rng.integers(0, pause, (2, len(waves)))
        before[self.rng.random(len(waves)) < 0.2] = 0
        longest = max(len(wave) + a + b for wave, a, b in zip(waves, before, after, strict=True))
        if self.rng.random() < 0.3 * strength:
            longest = next((s * RATE_HZ for s in CONTEXTS_S if s * RATE_HZ >= longest), longest)
        total = min(CONTEXTS_S[-1] * RATE_HZ, (longest + 639) // 640 * 640)
        placed = np.zeros((len(waves), total), np.float32)
        ends = []
        for row, wave, a, b in zip(placed, waves, before, after, strict=True):
            start = max(0, min(a, total - len(wave)))
            row[start : start + len(wave)] = wave[: total - start]
            ends.append(min(total, start + len(wave) + int(b)))
        return self._tensor(placed), ends

    def _reverberate(self, waves: Tensor, strength: float) -> None:
        chosen = np.flatnonzero(self.rng.random(len(waves)) < 0.35 * strength)
        if len(chosen) == 0:
            return
        size = next_fast_len(waves.shape[1] + ROOM_SAMPLES, real=True)
        rooms = torch.fft.rfft(self.rooms[self.rng.integers(0, ROOMS, len(chosen))], size)
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

    def _clip(self, waves: Tensor, strength: float) -> None:
        """Now and then a microphone that is driven too hard."""
        for wave in waves:
            if self.rng.random() < 0.15 * strength:
                limit = float(wave.abs().max()) * self.rng.uniform(0.15, 0.7)
                wave.clamp_(-limit, limit)

    def _tone(self, count: int, strength: float) -> Tensor:
        """[B, 80, 1] power factors: a spectral tilt, a ripple, and now and then no highs or no lows."""
        band = np.linspace(0, 1, BANDS)
        column = (count, 1)
        tilt_db = strength * self.rng.normal(0, 6, column) * (band - 0.5)
        phase = 2 * np.pi * band * self.rng.uniform(0.5, 2.5, column) + self.rng.uniform(0, 6.3, column)
        ripple_db = strength * self.rng.normal(0, 4, column) * np.cos(phase)
        dull, thin = self.rng.random((2, count, 1)) < 0.15 * strength
        dull_db = -400 * dull * np.maximum(0, band - self.rng.uniform(0.65, 0.95, column))
        thin_db = -300 * thin * np.maximum(0, self.rng.uniform(0.02, 0.15, column) - band)
        level_db = tilt_db + ripple_db + dull_db + thin_db
        return self._tensor(10 ** (level_db / 10))[:, :, None]

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
