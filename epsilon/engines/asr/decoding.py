"""Greedy decoding that checks a draft in one pass and goes on from there: the result of starting anew, for less.

Speculative decoding with the last hypothesis as the draft (the greedy case of Leviathan et al. 2023): one pass
over the start tokens and the whole draft gives the model's own choice after each; the longest prefix that the
model would have said itself stands, the cache is cut back to it, and single steps go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epsilon.engines.asr.guards import Pass, loop_length, without_loop
from epsilon.runtimes import Graph

Array = npt.NDArray[np.float32]
Cache = tuple[Array, Array]


@dataclass(frozen=True)
class Rows:
    """What the graph says after each token it was given, [n] each; `frames` is empty when it says none."""

    ids: npt.NDArray[np.int64]
    logprobs: Array
    frames: npt.NDArray[np.int64]
    no_speech: float

    def since(self, row: int) -> Rows:
        """The rows from `row` on."""
        return Rows(self.ids[row:], self.logprobs[row:], self.frames[row:], self.no_speech)


class Decoder:
    """The decoder graph with its tables: embedding [vocabulary, width] and positions [places, width]."""

    def __init__(
        self, graph: Graph, embedding: Array, positions: Array, start: Sequence[int], end: int
    ) -> None:
        self.graph, self._embedding, self._positions = graph, embedding, positions
        self._start, self._end = list(start), end
        layers, _, heads, _, width = graph.inputs["past_k"]
        self._empty = np.zeros((int(layers), 1, int(heads), 0, int(width)), np.float32)

    @property
    def room(self) -> int:
        """How many tokens fit after those that start every transcript."""
        return len(self._positions) - len(self._start) - 1

    def decode(self, cross: Cache, draft: Sequence[int], keep: int, limit: int) -> Pass:
        """Greedy tokens, `limit` at most; the first `keep` of `draft` are certain and not looked at again."""
        first = len(self._start)
        draft = list(draft[: self.room])
        rows, cache = self._step([*self._start, *draft], 0, (self._empty, self._empty), cross)
        found = Pass(no_speech=rows.no_speech)
        rows = rows.since(first - 1)  # the row after draft[:j] is j
        ids, at = found.ids, 0  # `at`: the row after `ids`
        while len(ids) < limit:
            certain = len(ids) < keep
            token = draft[len(ids)] if certain else int(rows.ids[at])
            if not certain:
                found.logprobs.append(float(rows.logprobs[at]))
            if token == self._end:
                break
            ids.append(token)
            found.frames.extend(rows.frames[at : at + 1].tolist())
            length = loop_length(ids) if not certain else 0
            if length:
                return _out_of_circle(found, length, keep)
            if draft[: len(ids)] == ids:
                at = len(ids)
                continue
            place = first + len(ids) - 1
            rows, cache = self._step([token], place, _cropped(cache, place), cross)
            at = 0
        return found

    def _step(self, ids: list[int], place: int, past: Cache, cross: Cache) -> tuple[Rows, Cache]:
        """One pass over `ids` [n] at `place`: what comes after each, and the grown cache."""
        x = self._embedding[ids].astype(np.float32) + self._positions[place : place + len(ids)]
        feeds = {"x": x[None], "past_k": past[0], "past_v": past[1], "cross_k": cross[0], "cross_v": cross[1]}
        if "first" in self.graph.inputs:  # where tokens that may not come first are forbidden
            feeds["first"] = np.array([-1 if place else len(self._start) - 1])
        out = self.graph(feeds)
        frames = out["frames"][0] if "frames" in out else np.zeros(0, np.int64)
        # Whisper's no-speech token is judged right after the first start token.
        no_speech = float(np.exp(out["no_speech"][0, 0])) if "no_speech" in out else 0.0
        return Rows(out["ids"][0], out["logprobs"][0], frames, no_speech), (out["new_k"], out["new_v"])


def _out_of_circle(found: Pass, length: int, keep: int) -> Pass:
    """The pass with the run that repeats itself said once, never less than what is certain."""
    count = max(keep, len(without_loop(found.ids, length)))
    return Pass(found.ids[:count], found.logprobs, found.frames[:count], found.no_speech, circles=True)


def _cropped(cache: Cache, length: int) -> Cache:
    """The first `length` places of a cache [layers, 1, heads, places, width]."""
    if cache[0].shape[3] == length:
        return cache
    return np.ascontiguousarray(cache[0][:, :, :, :length]), np.ascontiguousarray(cache[1][:, :, :, :length])
