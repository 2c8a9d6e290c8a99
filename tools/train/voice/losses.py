"""What the voice is trained to match: the teacher's parameters first, then the sound itself."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from tools.train.voice.batches import Batch
from tools.train.voice.model import F0_CENTRE, F0_SPREAD, LOWEST_HZ, Voice
from tools.train.voice.source import HOP_SAMPLES, frame_source

_F0_JITTER, _ENERGY_JITTER = 0.1, 0.04  # on the decoder's conditions, so that predicted ones will do as well
_TRANSFORMS = (256, 512, 1024)
CROP_FRAMES = 100


@dataclass(frozen=True)
class Heard:
    """What the decoder made of a batch: filters [batch, frames, ORDER] and the F0 (Hz) and voicing it was given."""

    pulse: Tensor
    noise: Tensor
    f0_hz: Tensor


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1.0)


def reading(voice: Voice, batch: Batch) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Losses against the teacher's durations and melody; the style and what is known of each frame, for the decoder."""
    style = voice.styles(batch.voices)
    text = voice.text(batch.tokens, style, batch.lengths)
    spoken = (torch.arange(batch.tokens.shape[1])[None, :] < batch.lengths[:, None]).float()
    log_durations = voice.durations(text, style)
    channels = text.shape[1]
    frames = torch.gather(text, 2, batch.owner.unsqueeze(1).expand(-1, channels, -1))
    frames = torch.cat((frames, batch.position), dim=1) * batch.mask.unsqueeze(1)
    melody = voice.melody(frames, style)
    voiced = batch.mask * batch.voiced
    voicing = functional.binary_cross_entropy_with_logits(melody[:, 2], batch.voiced, reduction="none")
    losses = {
        "duration": _mean((log_durations - batch.log_durations).abs(), spoken),
        "f0": _mean((melody[:, 0] - batch.f0_target).abs(), voiced + 0.1 * batch.mask),
        "energy": _mean((melody[:, 1] - batch.energy_target).abs(), batch.mask),
        "voicing": _mean(voicing, batch.mask),
    }
    return losses, style, frames


def parameters(voice: Voice, batch: Batch, jitter: bool) -> tuple[dict[str, Tensor], Heard]:
    """Losses against the teacher's durations, melody and filters, everything teacher-forced."""
    losses, style, frames = reading(voice, batch)
    f0, energy = batch.f0, batch.energy
    if jitter:
        f0 = f0 + _F0_JITTER * torch.randn(len(f0), 1)
        energy = energy + _ENERGY_JITTER * torch.randn(len(f0), 1)
    conditions = torch.stack((f0, energy, batch.voiced), dim=1) * batch.mask.unsqueeze(1)
    pulse, noise = voice.decoder(torch.cat((frames, conditions), dim=1), style)
    losses["pulse"] = _mean(_distance(pulse, batch.pulse), batch.mask * batch.voiced)
    losses["noise"] = _mean(_distance(noise, batch.noise), batch.mask)
    return losses, Heard(pulse, noise, torch.exp(batch.f0 * F0_SPREAD + F0_CENTRE).clamp(min=LOWEST_HZ))


def _distance(cepstrum: Tensor, target: Tensor) -> Tensor:
    """Mel-cepstral distance per frame: Euclidean, so that a few far frames do not rule."""
    return torch.sqrt((cepstrum - target).square().sum(dim=2) + 1e-4)


def crops(voice: Voice, batch: Batch, heard: Heard, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A random second of each utterance: what the voice makes of it and the teacher's, [batch, samples] each."""
    frames = heard.pulse.shape[1]
    count = min(CROP_FRAMES, frames)
    starts = [
        int(torch.randint(0, max(1, int(n) - count + 1), (1,), generator=generator))
        for n in batch.mask.sum(1)
    ]

    def crop(rows: Tensor, scale: int = 1) -> Tensor:
        return torch.stack(
            [row[at * scale : (at + count) * scale] for row, at in zip(rows, starts, strict=True)]
        )

    source = frame_source(crop(heard.f0_hz), crop(batch.voiced))
    start = torch.randint(0, 200, (1,), generator=generator)
    ours = voice.source(crop(heard.pulse), crop(heard.noise), source, start)
    return ours, crop(batch.samples, HOP_SAMPLES)


def spectral_distance(ours: Tensor, theirs: Tensor) -> Tensor:
    """Multi-resolution STFT distance (Yamamoto et al., "Parallel WaveGAN", 2020) of [batch, samples] each.

    Spectral convergence plus log-magnitude distance over three resolutions.
    """
    total = torch.zeros(())
    for size in _TRANSFORMS:
        window = torch.hann_window(size)
        a, b = (
            torch.stft(x, size, size // 4, window=window, return_complex=True).abs().clamp(min=1e-4)
            for x in (ours, theirs)
        )
        total = total + (a - b).norm() / b.norm() + (a.log() - b.log()).abs().mean()
    return total / len(_TRANSFORMS)


def weighted(losses: Mapping[str, Tensor], filters: float = 1.0) -> Tensor:
    """Their sum by WEIGHTS, the filters' distances `filters` times that."""
    each = [WEIGHTS[n] * (filters if n in _FILTERS else 1.0) * loss for n, loss in losses.items()]
    return torch.stack(each).sum()


_FILTERS = ("pulse", "noise")
WEIGHTS: Mapping[str, float] = {
    "duration": 2.0,
    "f0": 2.0,
    "energy": 1.0,
    "voicing": 1.0,
    "pulse": 1.0,
    "noise": 1.0,
}
