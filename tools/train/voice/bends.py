"""What the style alone decides, apart from the rest: so the toy computes it once for a style, not once for a window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from tools.train.voice.model import Bent, Voice


class Styled(nn.Module):
    """The style to what the text side and the sound side are given in its place, [1, values, 1] each."""

    def __init__(self, voice: Voice) -> None:
        super().__init__()
        self.voice = voice

    def forward(self, style: Tensor) -> tuple[Tensor, Tensor]:
        text, sound = (
            torch.cat([x for layer in side for x in layer.bend(style)], dim=1) for side in sides(self.voice)
        )
        return text, sound


class TextSide(nn.Module):
    """`Voice.read` with bends in place of the style."""

    def __init__(self, voice: Voice) -> None:
        super().__init__()
        self.voice = voice

    def forward(self, ids: Tensor, bends: Tensor, speed: Tensor) -> tuple[Tensor, Tensor]:
        with _given(sides(self.voice)[0], bends):
            return self.voice.read(ids, bends, speed)


class SoundSide(nn.Module):
    """`Voice.sound` with bends in place of the style."""

    def __init__(self, voice: Voice) -> None:
        super().__init__()
        self.voice = voice

    def forward(
        self, durations: Tensor, text: Tensor, bends: Tensor, pitch: Tensor, span: Tensor, phase: Tensor
    ) -> tuple[Tensor, Tensor]:
        with _given(sides(self.voice)[1], bends):
            return self.voice.sound(durations, text, bends, pitch, span, phase)


def sides(voice: Voice) -> tuple[list[Bent], list[Bent]]:
    """The layers that a style bends, of the text side and of the sound side, in a fixed order."""
    text, sound = ((voice.text, voice.durations), (voice.melody, voice.decoder))
    return _bent(text), _bent(sound)


def _bent(parts: Sequence[nn.Module]) -> list[Bent]:
    return [layer for part in parts for layer in part.modules() if isinstance(layer, Bent)]


@contextmanager
def _given(layers: Sequence[Bent], bends: Tensor) -> Iterator[None]:
    """Meanwhile each layer is given its values, which lie one after another, and none asks for the style."""
    pieces = iter(bends.split([size for layer in layers for size in layer.bends], dim=1))
    for layer in layers:
        layer.given = tuple(next(pieces) for _ in layer.bends)
    try:
        yield
    finally:
        for layer in layers:
            layer.given = None
