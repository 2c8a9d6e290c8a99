"""The pocket ears: Whisper's encoder-decoder with few, narrow layers and a CTC head that only training uses.

One step aside from Whisper: both convolutions have stride 2, so the encoder works on 40 ms frames, not 20 ms.
That halves the cost of training and running. CTC spells letters, which are seen often, and so aligns sound
and text much sooner than CTC over word pieces.

Hand-written attention: on CPUs, at these sizes, the backward pass of torch's fused attention is slower.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tools.train.ears.features import BANDS
from tools.train.ears.tokens import LETTERS


@dataclass(frozen=True)
class Shape:
    """Sizes of the network; head width is always 64, as in every public Whisper model."""

    vocabulary: int = 512
    width: int = 256
    encoder_layers: int = 4
    decoder_layers: int = 2
    encoder_positions: int = 250  # 10 s at 40 ms
    decoder_positions: int = 64

    @property
    def heads(self) -> int:
        """Number of attention heads."""
        return self.width // 64


def sinusoids(length: int, width: int) -> Tensor:
    """[length, width], half sines, half cosines, as in Whisper."""
    step = math.log(10_000) / (width // 2 - 1)
    angles = torch.arange(length)[:, None] * torch.exp(-step * torch.arange(width // 2))[None]
    return torch.cat([angles.sin(), angles.cos()], 1)


class Attention(nn.Module):
    """Multi-head attention, of x to itself or to `source`."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.value, self.out = (nn.Linear(width, width) for _ in range(3))
        self.key = nn.Linear(width, width, bias=False)

    def split(self, x: Tensor) -> Tensor:
        """[B, T, D] → [B, H, T, D / H]."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def weigh(self, query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
        """Both [B, H, n, D / H] → how much each query looks at each key, [B, H, n, T]; `mask` is added before."""
        scores = torch.matmul(query * query.shape[-1] ** -0.5, key.transpose(-1, -2)).float()
        return (scores if mask is None else scores + mask).softmax(-1)

    def mix(self, looks: Tensor, value: Tensor) -> Tensor:
        """Weights [B, H, n, T] and values [B, H, T, D / H] → [B, n, D]."""
        return self.out(torch.matmul(looks.to(value.dtype), value).transpose(1, 2).flatten(2))

    def forward(self, x: Tensor, source: Tensor, mask: Tensor | None = None) -> Tensor:
        """[B, T, D] → [B, T, D]."""
        query, key, value = self.query(x), self.key(source), self.value(source)
        return self.mix(self.weigh(self.split(query), self.split(key), mask), self.split(value))


class Layer(nn.Module):
    """Self-attention, in the decoder also cross-attention, and a feed-forward part, each normalised first."""

    def __init__(self, width: int, heads: int, cross: bool) -> None:
        super().__init__()
        self.own_norm, self.own = nn.LayerNorm(width), Attention(width, heads)
        self.cross_norm = nn.LayerNorm(width) if cross else None
        self.cross = Attention(width, heads) if cross else None
        self.feed_norm = nn.LayerNorm(width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def feed(self, x: Tensor) -> Tensor:
        """The feed-forward part with its residual."""
        return x + self.narrow(F.gelu(self.widen(self.feed_norm(x))))

    def forward(self, x: Tensor, sound: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """[B, T, D] → [B, T, D]."""
        own = self.own_norm(x)
        x = x + self.own(own, own, mask)
        if self.cross is not None and self.cross_norm is not None and sound is not None:
            x = x + self.cross(self.cross_norm(x), sound)
        return self.feed(x)


class Ears(nn.Module):
    """Log-mel in, token scores out."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape, width = shape, shape.width
        self.conv1 = nn.Conv1d(BANDS, width, 3, stride=2, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        # Full-size sinusoids drown the convolutions' output at the start of training.
        self.register_buffer("places", 0.15 * sinusoids(shape.encoder_positions, width))
        self.encoder = nn.ModuleList(Layer(width, shape.heads, False) for _ in range(shape.encoder_layers))
        self.encoder_norm = nn.LayerNorm(width)
        self.ctc = nn.Linear(width, 2 * (1 + len(LETTERS)))
        self.embedding = nn.Embedding(shape.vocabulary, width)
        self.positions = nn.Parameter(torch.randn(shape.decoder_positions, width) * 0.01)
        self.decoder = nn.ModuleList(Layer(width, shape.heads, True) for _ in range(shape.decoder_layers))
        self.decoder_norm = nn.LayerNorm(width)
        nn.init.normal_(self.embedding.weight, std=0.04)
        for conv in (self.conv1, self.conv2):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            if conv.bias is not None:
                nn.init.zeros_(conv.bias)

    def encode(self, mel: Tensor) -> Tensor:
        """[B, 80, 4T] → [B, T, D]."""
        x = F.gelu(self.conv1(mel))
        x = F.gelu(self.conv2(x)).transpose(1, 2)
        x = x + self.get_buffer("places")[: x.shape[1]]
        for layer in self.encoder:
            x = layer(x)
        return self.encoder_norm(x)

    def spell(self, sound: Tensor) -> Tensor:
        """The encoder's [B, T, D] → CTC scores [B, 2T, letters + 1], two for each frame, the blank first."""
        return self.ctc(sound).unflatten(-1, (2, -1)).flatten(1, 2)

    def decode(self, tokens: Tensor, sound: Tensor) -> Tensor:
        """Tokens [B, n] and the encoder's [B, T, D] → scores [B, n, V] of each next token."""
        count = tokens.shape[1]
        mask = torch.full((count, count), -1e9, device=tokens.device).triu(1)
        x = self.embedding(tokens) + self.positions[:count]
        for layer in self.decoder:
            x = layer(x, sound, mask)
        return F.linear(self.decoder_norm(x), self.embedding.weight)
