"""What the language model needs of a runtime: a decoder-only network that remembers sequences.

A runtime that runs language models has `load_decoder(model, seat) -> Decoder` beside or in place of `load`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from epsilon.config.models import Model
from epsilon.realtime import Seat

Array = npt.NDArray[np.float32]


class Decoder(Protocol):
    """A decoder-only network with its KV caches. A cache is what it remembers of one sequence.

    `limit` is how many positions a cache holds, `chunk` how many tokens one pass takes at most, `tolerance` how
    far logits of pieces may be from those of one pass: float32 sums differ by 1e-4, rounded activations by more.
    One thread at a time may use a decoder and its caches.
    """

    @property
    def limit(self) -> int: ...

    @property
    def chunk(self) -> int: ...

    @property
    def tolerance(self) -> float: ...

    def new(self) -> Any:
        """An empty cache."""

    def length(self, cache: Any) -> int:
        """How many positions it remembers."""

    def run(self, cache: Any, ids: Sequence[int]) -> Array:
        """Append `ids`, one to `chunk` of them; the scores [vocabulary] of the token after the last."""

    def keep(self, cache: Any, length: int) -> None:
        """Forget all but the first `length` positions."""

    def fork(self, cache: Any) -> Any:
        """A second cache with the same past; neither disturbs the other."""

    def store(self, cache: Any) -> Array:
        """What is remembered as one array, of the decoder's own shape."""

    def restore(self, stored: Array) -> Any:
        """A cache that remembers what `store` gave; the array, perhaps a memory map, is not kept."""


@runtime_checkable
class DecoderRuntime(Protocol):
    """A module of this folder that runs language models."""

    def load_decoder(self, model: Model, seat: Seat) -> Decoder:
        """The network in a model's folder, to run on the seat's cores; ModelError when it cannot."""
