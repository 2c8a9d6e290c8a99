"""From filters to sound: pulses and noise, one filter each, joined by an inverse short-time transform.

The decoder says for every 10 ms which minimum-phase filter the pulses pass and which the noise passes.
Everything here is fixed arithmetic without parameters, made of operations that ONNX has, so that it lies
inside the exported graph.

The pulses are a band-limited train in closed form (the Dirichlet kernel): all harmonics below half the sample
rate, no aliasing, and a phase that runs on across frames. The noise is a constant, so equal input gives equal
sound. Harmonic-plus-noise vocoding with learned filters: Wang et al., "Neural source-filter waveform models",
2019; Liu et al., "Neural homomorphic vocoder", Interspeech 2020; the inverse transform as output layer:
Kaneko et al., "iSTFTNet", 2022.
"""

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from tools.train.voice.spectrum import FFT_SAMPLES, ORDER, basis

HOP_SAMPLES = 160
SAMPLE_RATE_HZ = 16000
WINDOW_SAMPLES = 2 * HOP_SAMPLES
NOISE_FRAMES = 200  # the noise repeats after 2 s
LOWEST_HZ = 50.0
_STEPS = 2048  # of a cycle, and steps in each of these: two of them can still be added up exactly in float32
_BINS = FFT_SAMPLES // 2 + 1
_TAIL_HOPS = FFT_SAMPLES // HOP_SAMPLES + 1  # a filtered frame reaches over this many hops
_HALF = HOP_SAMPLES // 2

# Frames around a sample's own that can be heard in it; of the outermost one at either end only the excitation is.
LEFT_FRAMES = _TAIL_HOPS
RIGHT_FRAMES = 2


def frame_source(f0_hz: Tensor, voiced: Tensor, at: Tensor | int = 0, phase: Tensor | float = 0.0) -> Tensor:
    """What the pulses need of each frame, [batch, 5, frames]: F0 and loudness at its start and at its end, its phase.

    `f0_hz` and `voiced` (0 to 1) are [batch, frames]. Phase is in cycles, 0 to 1, continuous from frame to frame, and
    `phase` at frame `at`.
    """
    edges = _edges(torch.stack((f0_hz, voiced), dim=1))
    first, last = edges[:, :, :-1], edges[:, :, 1:]
    cycles = (first[:, :1] + last[:, :1]) * (0.5 * HOP_SAMPLES / SAMPLE_RATE_HZ)
    return torch.cat((first, last, _running(cycles, at, phase)), dim=1)


def _running(cycles: Tensor, at: Tensor | int, phase: Tensor | float) -> Tensor:
    """Phase at the start of each frame of so many cycles [batch, 1, frames].

    Added up in whole numbers, so that any split of a phrase adds up alike, and in two small ones, because a runtime may
    add in float32 nevertheless.
    """
    share = (cycles - cycles.floor()) * _STEPS
    coarse = _before(share.long(), at)
    fine = _before(torch.round((share - share.floor()) * _STEPS).long(), at)
    low = torch.remainder(fine, _STEPS)
    high = torch.remainder(coarse + torch.div(fine - low, _STEPS, rounding_mode="trunc"), _STEPS)
    reached = (high.to(cycles.dtype) + low.to(cycles.dtype) / _STEPS) / _STEPS + phase
    return reached - reached.floor()


def _before(steps: Tensor, at: Tensor | int) -> Tensor:
    """What comes before each frame from frame `at` on; negative, what is still missing to that."""
    total = torch.cumsum(steps, dim=2) - steps
    return total - total.index_select(2, torch.as_tensor(at).reshape(1))


def _edges(frames: Tensor) -> Tensor:
    """Values between frames, [batch, rows, frames + 1]: the mean of the neighbours, at the ends the frame itself."""
    before = torch.cat((frames[:, :, :1], frames), dim=2)
    after = torch.cat((frames, frames[:, :, -1:]), dim=2)
    return (before + after) * 0.5


def pulse_train(source: Tensor) -> Tensor:
    """Unit-power pulses at F0, [batch, frames, HOP_SAMPLES], from `frame_source`."""
    first_hz, first_voiced, last_hz, last_voiced, phase = source.transpose(1, 2).split(1, dim=2)
    t = torch.arange(HOP_SAMPLES, dtype=source.dtype, device=source.device) / HOP_SAMPLES
    f0_hz = first_hz + (last_hz - first_hz) * t
    cycles = phase + (first_hz * t + (last_hz - first_hz) * (0.5 * t * t)) * (HOP_SAMPLES / SAMPLE_RATE_HZ)
    angle = (cycles - torch.floor(cycles + 0.5)) * (2 * math.pi)  # -pi to pi, 0 at a pulse
    harmonics = 0.5 * SAMPLE_RATE_HZ / f0_hz
    whole = torch.floor(harmonics)
    near = (angle.abs() < 1e-4).to(angle.dtype)
    kernel = torch.sin((whole + 0.5) * angle) / (torch.sin(0.5 * angle) + near)
    kernel = kernel * (1 - near) + (2 * whole + 1) * near
    top = 2 * (harmonics - whole) * torch.cos((whole + 1) * angle)  # the next harmonic fades in, F0 may glide
    level = torch.sqrt(f0_hz / SAMPLE_RATE_HZ) * (first_voiced + (last_voiced - first_voiced) * t)
    return (kernel - 1 + top) * level


def _noise() -> Tensor:
    generator = torch.Generator().manual_seed(16000)
    return torch.randn(NOISE_FRAMES, HOP_SAMPLES, generator=generator)


def _transforms() -> tuple[Tensor, Tensor]:
    """Windowed forward transform [320, 2 * 257] and inverse [2 * 257, 512], real part first."""
    n = torch.arange(FFT_SAMPLES, dtype=torch.float64)
    k = torch.arange(_BINS, dtype=torch.float64)
    angle = 2 * math.pi * n[:, None] * k[None, :] / FFT_SAMPLES
    window = torch.hann_window(WINDOW_SAMPLES, dtype=torch.float64)[:, None]
    forward = torch.cat((angle.cos(), -angle.sin()), dim=1)[:WINDOW_SAMPLES] * window
    twice = torch.full((_BINS, 1), 2.0 / FFT_SAMPLES, dtype=torch.float64)
    twice[0] = twice[-1] = 1.0 / FFT_SAMPLES
    inverse = torch.cat((angle.cos().T * twice, -angle.sin().T * twice), dim=0)
    return forward.float(), inverse.float()


class SourceFilter(nn.Module):
    """Pulses and noise through a filter each, to samples."""

    def __init__(self) -> None:
        super().__init__()
        forward, inverse = _transforms()
        log_magnitude, phase = basis(ORDER)
        constants = {
            "noise": _noise(),
            "analysis": forward,
            "inverse": inverse,
            "log_magnitude": torch.tensor(log_magnitude, dtype=torch.float32),
            "phase": torch.tensor(phase, dtype=torch.float32),
        }
        for name, value in constants.items():
            self.register_buffer(name, value, persistent=False)

    def forward(self, pulse: Tensor, noise: Tensor, source: Tensor, start: Tensor) -> Tensor:
        """Samples [batch, frames * HOP_SAMPLES].

        `pulse` and `noise` are mel-cepstra [batch, frames, ORDER], `source` is `frame_source`'s, `start` [1] is the
        number of the first frame in its phrase, which chooses the piece of noise.
        """
        frames = pulse.shape[1]
        order = torch.remainder(start + torch.arange(frames, device=pulse.device), NOISE_FRAMES)
        hiss = cast(Tensor, self.noise)[order].unsqueeze(0).expand(pulse.shape[0], -1, -1)
        both = self._filtered(torch.cat((pulse, noise)), torch.cat((pulse_train(source), hiss)))
        voiced, unvoiced = both.split(pulse.shape[0])
        return self._overlap_add((voiced + unvoiced) @ cast(Tensor, self.inverse))

    def _filtered(self, cepstrum: Tensor, excitation: Tensor) -> Tensor:
        """Spectra [batch, frames, 2 * 257] of windowed excitation [batch, frames, HOP_SAMPLES] behind the filter."""
        before = functional.pad(excitation, (0, 0, 1, 0))[:, :-1, _HALF:]
        after = functional.pad(excitation, (0, 0, 0, 1))[:, 1:, :_HALF]
        real, imaginary = (torch.cat((before, excitation, after), dim=2) @ cast(Tensor, self.analysis)).split(
            _BINS, 2
        )
        magnitude = torch.exp((cepstrum @ cast(Tensor, self.log_magnitude)).clamp(-20.0, 6.0))
        phase = cepstrum @ cast(Tensor, self.phase)
        cosine, sine = magnitude * torch.cos(phase), magnitude * torch.sin(phase)
        return torch.cat((real * cosine - imaginary * sine, real * sine + imaginary * cosine), dim=2)

    def _overlap_add(self, pieces: Tensor) -> Tensor:
        """Frames of FFT_SAMPLES, each starting half a hop before its own frame, to one signal."""
        padded = functional.pad(pieces, (0, _TAIL_HOPS * HOP_SAMPLES - FFT_SAMPLES))
        hops = padded.reshape(pieces.shape[0], pieces.shape[1], _TAIL_HOPS, HOP_SAMPLES)
        frames = pieces.shape[1]
        total = functional.pad(hops[:, :, 0], (0, 0, 0, 1))
        for hop in range(1, _TAIL_HOPS):
            total = total + functional.pad(hops[:, :, hop], (0, 0, hop, 0))[:, : frames + 1]
        flat = total.reshape(pieces.shape[0], (frames + 1) * HOP_SAMPLES)
        return flat[:, _HALF : _HALF + frames * HOP_SAMPLES]
