"""Small discriminators that learn to tell the voice from its teacher, and what the voice learns of them.

Spectral distances alone leave a voice smoothed over: the mean of what could have been said is safe. Three
discriminators look at magnitude spectrograms of three resolutions (Jang et al., "UnivNet", 2021), each a few
convolutions that halve the frequencies, small enough for one core. Losses: least squares, and the distance of what
their layers see (feature matching), as in Kong et al., "HiFi-GAN", 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_RESOLUTIONS = (256, 512, 1024)
_WIDTHS = (12, 16, 24, 24)
_STEP = 160  # samples between spectra
_FLOOR = 1e-3  # of a magnitude, below which nothing is heard
_RATE = 4e-4


class Spectrograms(nn.Module):
    """One resolution: logarithmic spectrogram to a map of verdicts, 1 for the teacher."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        widths = zip((1, *_WIDTHS[:-1]), _WIDTHS, strict=True)
        self.layers = nn.ModuleList(
            [nn.Conv2d(a, b, (9, 3), stride=(2, 1), padding=(4, 1)) for a, b in widths]
        )
        self.verdict = nn.Conv2d(_WIDTHS[-1], 1, (3, 3), padding=1)
        self.register_buffer("window", torch.hann_window(size), persistent=False)

    def forward(self, samples: Tensor) -> list[Tensor]:
        """[batch, samples] -> what each layer sees, the verdicts last."""
        window: Any = self.window
        spectrum = torch.stft(samples, self.size, _STEP, window=window, return_complex=True).abs()
        x = torch.log(spectrum.clamp(min=_FLOOR)).unsqueeze(1) * 0.5
        seen = []
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), 0.1)
            seen.append(x)
        return [*seen, self.verdict(x)]


class Adversary:
    """The discriminators with their own optimizer."""

    def __init__(self) -> None:
        self.judges = nn.ModuleList([Spectrograms(size) for size in _RESOLUTIONS])
        self.optimizer = torch.optim.AdamW(self.judges.parameters(), lr=_RATE, betas=(0.8, 0.99))

    def _seen(self, samples: Tensor) -> list[list[Tensor]]:
        return [judge(samples) for judge in self.judges]

    def learn(self, ours: Tensor, theirs: Tensor) -> Tensor:
        """One step towards telling `ours` from `theirs`, [batch, samples] each. Returns the loss before it."""
        self.judges.requires_grad_(True)
        pairs = zip(self._seen(theirs), self._seen(ours.detach()), strict=True)
        loss = sum(
            ((real[-1] - 1).square().mean() + fake[-1].square().mean() for real, fake in pairs),
            torch.zeros(()),
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach() / len(_RESOLUTIONS)

    def criticise(self, ours: Tensor, theirs: Tensor) -> tuple[Tensor, Tensor]:
        """What the voice should lower: how easily it is told apart, and how differently the layers see it."""
        self.judges.requires_grad_(False)
        with torch.no_grad():
            real = self._seen(theirs)
        fake = self._seen(ours)
        told = sum(((seen[-1] - 1).square().mean() for seen in fake), torch.zeros(()))
        pairs = zip(real, fake, strict=True)
        apart = sum((_distance(a[:-1], b[:-1]) for a, b in pairs), torch.zeros(()))
        return told / len(_RESOLUTIONS), apart / len(_RESOLUTIONS)

    def state(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"judges": self.judges.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        """What `state` gave."""
        self.judges.load_state_dict(state["judges"])
        self.optimizer.load_state_dict(state["optimizer"])


def _distance(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Mean difference of the layers, each on its own scale."""
    each = [(a - b).abs().mean() / a.abs().mean().clamp(min=1e-3) for a, b in zip(real, fake, strict=True)]
    return torch.stack(each).mean()
