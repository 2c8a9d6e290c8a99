"""Mistral-type language models, KV cache outside the graph: rolling back and forking are array slices.

A model folder holds model.onnx (input_ids [1, n], past_key_values.{layer}.key and .value [1, kv heads, past,
width] -> logits [1, n or 1, vocabulary], present.{layer}.key and .value), config.json, tokenizer.json and
chat.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from epsilon.config.models import Model
from epsilon.engines.facts import Facts
from epsilon.engines.llm.chat import Chat
from epsilon.engines.protocols import TokenSampler
from epsilon.errors import ModelError
from epsilon.realtime import Seat
from epsilon.runtimes import Graph, Runtime

Array = npt.NDArray[np.float32]

PREFILL_TOKENS = (
    64  # in one pass: longer prompts go in pieces, so that memory stays small and a new turn can interrupt
)


@dataclass
class Sequence:
    """Tokens and what the model remembers of them.

    `cached` of the ids are in the cache: a sampled token enters it with the pass after it, so that it can be
    spoken before it is digested. The arrays are never written to, forks share them.
    """

    ids: list[int] = field(default_factory=list)
    cache: dict[str, Array] = field(default_factory=dict)
    cached: int = 0
    logits: Array | None = None  # of the token after `ids`; None when a pass is needed to know them

    @property
    def length(self) -> int:
        """How many tokens there are."""
        return len(self.ids)


class Mistral:
    """The language model (epsilon.engines.protocols.LanguageModel); a sequence holds up to `limit` tokens."""

    def __init__(self, graph: Graph, chat: Chat, limit: int) -> None:
        self._graph = graph
        self.chat, self.limit = chat, limit
        self._past = [name for name in graph.inputs if name.startswith("past_key_values.")]
        self._empty = {name: np.zeros(_sizes(graph.inputs[name]), np.float32) for name in self._past}

    def start(self) -> Sequence:
        """An empty sequence."""
        return Sequence(cache=self._empty)

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
        return replace(seq, ids=list(seq.ids))

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

    def sync_to(self, seq: Sequence, ids: SequenceOf[int]) -> None:
        """Make the sequence hold exactly `ids`: roll back to the common prefix, append the rest."""
        common = 0
        for old, new in zip(seq.ids, ids, strict=False):
            if old != new:
                break
            common += 1
        self.rollback(seq, common)
        self.append(seq, ids[common:])

    def _digest(self, seq: Sequence) -> None:
        """Pass the tokens that are not in the cache yet."""
        while seq.cached < seq.length:
            piece = seq.ids[seq.cached : seq.cached + PREFILL_TOKENS]
            out = self._graph({"input_ids": np.array([piece], np.int64), **seq.cache})
            seq.cache = {name: out[_present(name)] for name in self._past}
            seq.cached += len(piece)
            seq.logits = out["logits"][0, -1]

    def _forget(self, seq: Sequence, length: int) -> None:
        if length < seq.cached:
            seq.cache = {
                name: np.ascontiguousarray(array[:, :, :length]) for name, array in seq.cache.items()
            }
            seq.cached = length


def load(model: Model, runtime: Runtime, seat: Seat) -> Mistral:
    """The language model in a model folder, with how it is talked to."""
    graph = runtime.load(model.folder / "model.onnx", seat)
    layers = Facts(model.folder / "config.json").whole("num_hidden_layers")
    wanted = {f"past_key_values.{layer}.{kind}" for layer in range(layers) for kind in ("key", "value")}
    if not wanted <= set(graph.inputs):
        missing = min(wanted - set(graph.inputs))
        raise ModelError(f"the graph lacks the input {missing}", where=str(model.folder / "model.onnx"))
    limit = Facts(model.folder / "config.json").whole("max_position_embeddings")
    return Mistral(graph, Chat(model.folder), limit)


def _present(past: str) -> str:
    return "present." + past.removeprefix("past_key_values.")


def _sizes(shape: Iterable[int | str]) -> tuple[int, ...]:
    """The shape of an empty cache: the batch is 1, the past is 0."""
    _batch, heads, _past, width = shape
    return (1, int(heads), 0, int(width))
