"""The end of a turn by its sound: a small recurrent network hears every window, the words and the silence join in.

A model folder holds endpoint.onnx (row [1, features], state [layers, width] -> over [1, 1] in log odds, next) and
model.yaml with the weights of epsilon.engines.endpoint.fusion, which say how likely the turn is over. How long to wait
follows from the silence rule, which goes by the words, stretched by the sound.
"""

from __future__ import annotations

import numpy as np

from epsilon.config.models import Model
from epsilon.engines.endpoint.features import SIZE, Features
from epsilon.engines.endpoint.fusion import NAMES, Fusion, patience_of
from epsilon.engines.endpoint.silence import SilenceRule
from epsilon.engines.facts import Facts
from epsilon.engines.protocols import Patience, Thought
from epsilon.errors import ModelError
from epsilon.realtime import Seat
from epsilon.ring import Samples
from epsilon.runtimes import Graph, Runtime

# Chosen on 100 turns of the bench, of whose settings this cut least at as long a wait: in it the words count for more
# than in the fusion, which was fitted on every silence alone.
ENDED = 2.0  # log odds of the sound at which the rule stands as it is
OCTAVE = 2.0  # log odds that halve or double its wait
LEAST, MOST = 0.55, 1.8
_HABIT = 0.7  # log odds for which a user's pauses must be e times as long as those of most people


def stretched_ms(rule: SilenceRule, sound: float, silence_ms: float, thought: Thought) -> float:
    """What the rule says of the words, shorter where the sound (log odds) has come to its end, else longer."""
    stretch = min(MOST, max(LEAST, 2 ** ((ENDED - sound) / OCTAVE)))
    return min(rule.patience.longest_ms, rule.wait_ms(silence_ms, thought) * stretch)


class EndpointGru:
    """See epsilon.engines.protocols.EndOfTurn."""

    def __init__(
        self, graph: Graph, state_shape: tuple[int, int], fusion: Fusion, patience: Patience
    ) -> None:
        self._graph, self.fusion, self.patience = graph, fusion, patience
        self._rule = SilenceRule(patience)
        self._features, self._first = Features(), np.zeros(state_shape, np.float32)
        self.reset()

    def reset(self) -> None:
        self._features.reset()
        self._state, self.sound = self._first, 0.0

    def push(self, samples: Samples, voiced: bool) -> None:
        row = self._features.push(samples, voiced)
        found = self._graph({"row": row[None], "state": self._state})
        self._state, self.sound = found["next"], float(found["over"][0, 0])

    def over(self, silence_ms: float, thought: Thought) -> float:
        patience = patience_of(self.patience.usual_ms) + _HABIT * self._rule.habits.slowness
        return self.fusion.over(self.sound, silence_ms, thought, patience)

    def wait_ms(self, silence_ms: float, thought: Thought) -> float:
        return stretched_ms(self._rule, self.sound, silence_ms, thought)

    def went_on(self, silence_ms: float) -> None:
        self._rule.went_on(silence_ms)


def load(model: Model, runtime: Runtime, seat: Seat, patience: Patience) -> EndpointGru:
    """The network in a model's folder, with what its model.yaml says about it."""
    facts = Facts(model.folder / "model.yaml")
    weights = facts.numbers("fusion")
    if sorted(weights) != sorted(NAMES):
        raise ModelError(f"'fusion' should weigh {', '.join(NAMES)}", where=str(facts.path))
    fusion = Fusion(weights)
    graph = runtime.load(model.folder / "endpoint.onnx", seat)
    if graph.inputs.get("row") != (1, SIZE):
        raise ModelError(f"its 'row' should be [1, {SIZE}]", where=str(model.folder / "endpoint.onnx"))
    return EndpointGru(graph, (facts.whole("layers"), facts.whole("width")), fusion, patience)
