"""A decoder whose cost is real and whose words are given: for streaming with weights that mean nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from epsilon.runtimes import Array, Graph, Shape

CERTAIN = -0.1  # log-probability of each word


class Script:
    """Runs the graph behind it and then says `words`, the first `count` of them, and the end."""

    def __init__(self, graph: Graph, words: Sequence[int], start_tokens: int, end: int) -> None:
        self._graph, self._words, self._start, self._end = graph, list(words), start_tokens, end
        self.count = len(self._words)

    @property
    def inputs(self) -> Mapping[str, Shape]:
        """Those of the graph."""
        return self._graph.inputs

    @property
    def outputs(self) -> Mapping[str, Shape]:
        """Those of the graph."""
        return self._graph.outputs

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        out = self._graph(feeds)
        first = feeds["past_k"].shape[3] - self._start + 1  # the word that follows the first row
        rows = out["ids"].shape[1]
        out["ids"] = np.array([[self._word(first + row) for row in range(rows)]])
        out["logprobs"] = np.full((1, rows), CERTAIN, np.float32)
        return out

    def _word(self, place: int) -> int:
        return self._words[place] if 0 <= place < min(self.count, len(self._words)) else self._end
