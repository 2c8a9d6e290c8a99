"""What the sound, the words and the silence so far say together: a logistic model of a few clues.

The trainer fits its weights on turns that the toy's own ears and mind have heard; they stand in model.yaml.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from epsilon.engines.endpoint.words import wants_more
from epsilon.engines.protocols import Thought

_SUREST = 7.0  # log odds
_SHORTEST_MS = 32.0
FITTED_MS = 600.0  # the usual silence for which the weights are fitted
_EAGER = 3.0  # log odds for which a board must call a silence usual that is e times as long
NAMES = ("bias", "sound", "silence", "worded", "wanting", "judged", "finished", "judged_sound", "few")


def patience_of(usual_ms: float) -> float:
    """The log odds that a board adds by how much silence it calls usual."""
    return _EAGER * math.log(usual_ms / FITTED_MS)


def log_odds(probability: float) -> float:
    """Kept within what a clue may weigh."""
    least = 1 / (1 + math.exp(_SUREST))
    kept = min(1 - least, max(least, probability))
    return math.log(kept / (1 - kept))


def clues(sound: float, silence_ms: float, thought: Thought) -> dict[str, float]:
    """The clues by name; `sound` is the network's log odds."""
    heard = min(_SUREST, max(-_SUREST, sound))
    judged = thought.finished is not None and bool(thought.words)
    return {
        "bias": 1.0,
        "sound": heard,
        "silence": math.log(max(_SHORTEST_MS, silence_ms) / 300.0),
        "worded": float(bool(thought.words)),
        "wanting": float(wants_more(thought)),
        "judged": float(judged),
        "finished": log_odds(thought.finished) if judged and thought.finished is not None else 0.0,
        "judged_sound": heard if judged else 0.0,
        "few": float(0 < len(thought.words) <= 2),
    }


@dataclass(frozen=True)
class Fusion:
    """Weights by the names of the clues."""

    weights: Mapping[str, float]

    def over(self, sound: float, silence_ms: float, thought: Thought, patience: float = 0.0) -> float:
        """The probability that the turn is over, for a listener so much more patient than usual, in log odds."""
        found = clues(sound, silence_ms, thought)
        odds = sum(self.weights[name] * value for name, value in found.items()) - patience
        return 1 / (1 + math.exp(-odds))
