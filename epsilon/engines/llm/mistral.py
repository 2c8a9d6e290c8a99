"""Mistral-type language models: the tokens of a sequence, passed in pieces through whatever runtime is named.

A model folder holds config.json, tokenizer.json, chat.yaml, and the network in the form of its runtime.
"""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from epsilon.config import folders
from epsilon.config.models import Model
from epsilon.engines.llm.chat import Chat
from epsilon.engines.protocols import TokenSampler
from epsilon.errors import ConfigError, nearest
from epsilon.realtime import Seat
from epsilon.runtimes.decoder import Decoder, DecoderRuntime

Array = npt.NDArray[np.float32]


@dataclass
class Sequence:
    """Tokens and what the model remembers of them.

    `cached` of the ids are in the cache: a sampled token enters it with the pass after it, so that it can be
    spoken before it is digested.
    """

    cache: Any
    ids: list[int] = field(default_factory=list)
    cached: int = 0
    logits: Array | None = None  # of the token after `ids`; None when a pass is needed to know them

    @property
    def length(self) -> int:
        """How many tokens there are."""
        return len(self.ids)


class Mistral:
    """The language model (epsilon.engines.protocols.LanguageModel); a sequence holds up to `limit` tokens."""

    def __init__(self, decoder: Decoder, chat: Chat) -> None:
        self.decoder, self.chat = decoder, chat
        self.limit = decoder.limit

    def start(self) -> Sequence:
        """An empty sequence."""
        return Sequence(self.decoder.new())

    def append(self, seq: Sequence, ids: SequenceOf[int]) -> None:
        """Prefill `ids`; the cost is a pass over the new tokens only."""
        if seq.length + len(ids) > self.limit:
            raise ValueError(f"{seq.length + len(ids)} tokens do not fit into {self.limit}")
        if ids:
            seq.ids.extend(ids)
            self._digest(seq)

    def rollback(self, seq: Sequence, length: int) -> None:
        """Keep the first `length` tokens; the next step computes the logits anew."""
        if not 0 <= length <= seq.length:
            raise ValueError(f"cannot keep {length} of {seq.length} tokens")
        if length == seq.length:
            return
        del seq.ids[length:]
        self._forget(seq, length)
        seq.logits = None

    def fork(self, seq: Sequence) -> Sequence:
        """A second sequence with the same past; neither disturbs the other."""
        return Sequence(self.decoder.fork(seq.cache), list(seq.ids), seq.cached, seq.logits)

    def step(self, seq: Sequence, sampler: TokenSampler) -> int:
        """Sample the next token and append it. A full sequence answers with the chat's end."""
        if seq.length >= self.limit:
            return self.chat.end[0]
        token = sampler.pick(self.logits(seq))
        seq.ids.append(token)
        seq.logits = None
        return token

    def logits(self, seq: Sequence) -> Array:
        """Scores [vocabulary] of the token after the sequence, which must not be empty."""
        if not seq.ids:
            raise ValueError("an empty sequence has no next token")
        if seq.logits is None:
            self._forget(seq, seq.length - 1)  # after a rollback the last token's pass is done again
            self._digest(seq)
        assert seq.logits is not None
        return seq.logits

    def store(self, seq: Sequence) -> Array:
        """What the model remembers of the sequence, to be kept in a file."""
        if seq.cached < seq.length:
            self._digest(seq)
        return self.decoder.store(seq.cache)

    def restore(self, ids: SequenceOf[int], stored: Array) -> Sequence:
        """A sequence of these tokens, which are remembered and not prefilled."""
        cache = self.decoder.restore(stored)
        if self.decoder.length(cache) != len(ids):
            raise ValueError(f"{self.decoder.length(cache)} positions were stored, not {len(ids)}")
        return Sequence(cache, list(ids), cached=len(ids))

    def sync_to(self, seq: Sequence, ids: SequenceOf[int]) -> int:
        """Make the sequence hold exactly `ids`: roll back to the common prefix, append the rest; says how many."""
        common = 0
        for old, new in zip(seq.ids, ids, strict=False):
            if old != new:
                break
            common += 1
        self.rollback(seq, common)
        self.append(seq, ids[common:])
        return len(ids) - common

    def _digest(self, seq: Sequence) -> None:
        """Pass the tokens that are not in the cache yet."""
        while seq.cached < seq.length:
            piece = seq.ids[seq.cached : seq.cached + self.decoder.chunk]
            seq.logits = self.decoder.run(seq.cache, piece)
            seq.cached += len(piece)

    def _forget(self, seq: Sequence, length: int) -> None:
        if length < seq.cached:
            self.decoder.keep(seq.cache, length)
            seq.cached = length


def load(model: Model, runtime: Any, seat: Seat) -> Mistral:
    """The language model in a model folder, with how it is talked to."""
    if not isinstance(runtime, DecoderRuntime):
        name = runtime.__name__.rpartition(".")[2]
        able = folders.loadable_names("runtimes", function="load_decoder")
        raise ConfigError(f"the runtime {name} runs no language models{nearest(name, able)}")
    return Mistral(runtime.load_decoder(model, seat), Chat(model.folder))
