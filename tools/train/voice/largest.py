"""How large the numbers inside the voice become, so that a runtime of half precision does not overflow on them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from epsilon.engines.tts.phonemes import convert
from epsilon.engines.tts.symbols import TOKENS
from epsilon.errors import EpsilonError
from tools.train.voice.model import Voice

LARGEST_FP16 = 65504.0
ALLOWED_SHARE = 0.25  # of it: other texts than these may reach further
_PITCHES = (0.0, 4.0, -4.0)
TEXTS = (
    "The quick brown fox, and seven lazy dogs, jump over the moon!",
    "Would you like to know what I found in the garden?",
    "Nobody came on Tuesday. It rained all day, and the soup was cold.",
    "Hm. Shh, hush!",
)


class TooLarge(EpsilonError):
    """A value came too near the end of what fp16 holds."""


@dataclass
class Largest:
    """The largest absolute value, and the operation and layer that gave it out."""

    value: float = 0.0
    where: str = ""
    layers: list[str] = field(default_factory=list)  # that are running, outermost first

    def see(self, operation: str, output: Any) -> None:
        """Take note of what an operation gave."""
        if isinstance(output, (tuple, list)):
            for part in output:
                self.see(operation, part)
        elif isinstance(output, Tensor) and output.is_floating_point() and output.numel():
            value = float(output.detach().abs().max())
            if not value <= self.value:  # also where it is not a number
                self.value, self.where = value, f"{operation} of {'.'.join(self.layers[-1:]) or 'voice'}"


class _Watch(TorchFunctionMode):
    """Shows the result of every operation to a `Largest`."""

    def __init__(self, largest: Largest) -> None:
        super().__init__()
        self._largest = largest

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        self._largest.see(getattr(func, "__name__", str(func)), output)
        return output


@contextmanager
def _named(voice: nn.Module, largest: Largest) -> Iterator[None]:
    """Tell `largest` which layer is running."""
    hooks = []
    for name, module in voice.named_modules():
        if name:
            hooks.append(module.register_forward_pre_hook(lambda *_, name=name: largest.layers.append(name)))
            hooks.append(module.register_forward_hook(lambda *_: largest.layers.pop() and None))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@torch.no_grad()
def largest_value(voice: Voice, style: Tensor, texts: Sequence[str] = TEXTS) -> Largest:
    """Look at every operation while `style` [style] says each text, at its own pitch and 4 semitones from it."""
    largest = Largest()
    with _named(voice, largest), _Watch(largest):
        for place, text in enumerate(texts):
            ids = torch.tensor([[TOKENS.index(symbol) for symbol in convert(text)]])
            pitch = torch.full((1,), _PITCHES[place % len(_PITCHES)])
            voice(ids, style[None], torch.ones(1), pitch)
    return largest


def check(
    voice: Voice, styles: Sequence[Tensor], names: Sequence[str], texts: Sequence[str] = TEXTS
) -> Largest:
    """The largest value; raises TooLarge where it is beyond ALLOWED_SHARE of what fp16 holds."""
    found = [(largest_value(voice, style, texts), name) for style, name in zip(styles, names, strict=True)]
    worst, name = max(found, key=lambda row: (math.isnan(row[0].value), row[0].value))
    if not worst.value <= ALLOWED_SHARE * LARGEST_FP16:
        raise TooLarge(
            f"{worst.where} reaches {worst.value:.0f} in the voice '{name}': "
            f"more than {100 * ALLOWED_SHARE:.0f} % of what fp16 holds ({LARGEST_FP16:.0f})",
            hint="train with a smaller rate from an earlier checkpoint; nothing of this run is fit to be exported",
        )
    return worst
