"""The end of a turn by its sound: a small recurrent network hears every window, the words and the silence join in.

A model folder holds endpoint.onnx (row [1, features], state [layers, width] -> over [1, 1] in log odds, next),
words.npz (epsilon.engines.endpoint.wording) and model.yaml: the weights of epsilon.engines.endpoint.fusion, which say
how likely the turn is over, and from which log odds on the toy answers.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np

from epsilon.config.models import Model
from epsilon.engines.endpoint import wording
from epsilon.engines.endpoint.features import SIZE, WINDOW, Features
from epsilon.engines.endpoint.fusion import NAMES, Evidence, Fusion, patience_of
from epsilon.engines.endpoint.habits import Habits
from epsilon.engines.endpoint.wording import Wording, with_pauses
from epsilon.engines.facts import Facts
from epsilon.engines.protocols import SAMPLE_RATE_HZ, Patience, Thought
from epsilon.errors import ModelError
from epsilon.realtime import Seat
from epsilon.ring import Samples
from epsilon.runtimes import Graph, Runtime

STEADY_WINDOWS = 4  # of the mean of what the network says
_HABIT = 0.7  # log odds for which a user's pauses must be e times as long as those of most people
_WINDOW_MS = WINDOW * 1000 / SAMPLE_RATE_HZ


class Limit(NamedTuple):
    """The log odds from which on the turn is over: `odds` after 300 ms, and by so much less an e-fold silence."""

    odds: float
    fall: float

    def after(self, silence_ms: float) -> float:
        return self.odds - self.fall * math.log(max(_WINDOW_MS, silence_ms) / 300.0)


class EndpointGru:
    """See epsilon.engines.protocols.EndOfTurn."""

    def __init__(
        self,
        graph: Graph,
        state_shape: tuple[int, int],
        fusion: Fusion,
        limit: Limit,
        words: Wording,
        patience: Patience,
    ) -> None:
        self._graph, self.fusion, self.limit, self.patience = graph, fusion, limit, patience
        self._words, self.habits = words, Habits()
        self._features, self._first = Features(), np.zeros(state_shape, np.float32)
        self.reset()

    def reset(self) -> None:
        self._features.reset()
        self._state, self.sound = self._first, 0.0
        self._sounds = deque[float](maxlen=STEADY_WINDOWS)
        self._voice_ms, self._pauses = 0.0, list[int]()
        self._read, self._read_odds = tuple[str, ...](), 0.0

    def push(self, samples: Samples, voiced: bool) -> None:
        row = self._features.push(samples, voiced)
        found = self._graph({"row": row[None], "state": self._state})
        self._state, self.sound = found["next"], float(found["over"][0, 0])
        self._sounds.append(self.sound)
        self._voice_ms += _WINDOW_MS * voiced

    def over(self, silence_ms: float, thought: Thought) -> float:
        return 1 / (1 + math.exp(self._patience - self.odds(silence_ms, thought)))

    def wait_ms(self, silence_ms: float, thought: Thought) -> float:
        sure = self.margin(silence_ms, thought) >= self._patience
        return silence_ms if sure else self.patience.longest_ms

    def margin(self, silence_ms: float, thought: Thought) -> float:
        """By how much the log odds are above the limit of a board and a user as patient as most."""
        return self.odds(silence_ms, thought) - self.limit.after(silence_ms)

    def went_on(self, silence_ms: float) -> None:
        self.habits.learn(silence_ms)
        self._pauses.append(len(self._read))
        self._read = ()

    def odds(self, silence_ms: float, thought: Thought) -> float:
        """The log odds that the turn is over, for a listener as patient as most."""
        if thought.words != self._read:
            self._read = thought.words
            self._read_odds = self._words.log_odds(with_pauses(thought.words, self._pauses))
        return self.fusion.odds(self.evidence(silence_ms, thought))

    def evidence(self, silence_ms: float, thought: Thought) -> Evidence:
        """What the fusion goes by."""
        steady = sum(self._sounds) / max(1, len(self._sounds))
        sounds = (self.sound, steady, silence_ms, self._voice_ms, len(self._pauses))
        return Evidence(*sounds, thought, self._read_odds)

    @property
    def _patience(self) -> float:
        """The log odds for this board's usual silence and for this user's way to pause."""
        return patience_of(self.patience.usual_ms) + _HABIT * self.habits.slowness


def load(model: Model, runtime: Runtime, seat: Seat, patience: Patience) -> EndpointGru:
    """The network in a model's folder, with what its model.yaml says about it."""
    facts = Facts(model.folder / "model.yaml")
    weights = facts.numbers("fusion")
    if sorted(weights) != sorted(NAMES):
        raise ModelError(f"'fusion' should weigh {', '.join(NAMES)}", where=str(facts.path))
    graph = runtime.load(model.folder / "endpoint.onnx", seat)
    if graph.inputs.get("row") != (1, SIZE):
        raise ModelError(f"its 'row' should be [1, {SIZE}]", where=str(model.folder / "endpoint.onnx"))
    limit = Limit(facts.number("limit"), facts.number("fall"))
    shape = (facts.whole("layers"), facts.whole("width"))
    return EndpointGru(graph, shape, Fusion(weights), limit, wording.read(model.folder), patience)
