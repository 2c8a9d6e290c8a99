"""What the sound, the words and the silence so far say together: a logistic model of a few clues.

The trainer fits its weights on turns that the toy's own ears and mind have heard; they stand in model.yaml.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from epsilon.engines.endpoint.habits import rarity
from epsilon.engines.endpoint.words import asks, wants_more
from epsilon.engines.protocols import Thought

_SUREST = 7.0  # log odds
_SHORTEST_MS = 32.0
_MOST_PAUSES = 3
_FEWEST_MS = 200.0  # of voice
FITTED_MS = 600.0  # the usual silence for which the limit is chosen
_EAGER = 3.0  # log odds for which a board must call a silence usual that is e times as long
NAMES = (
    "bias", "sound", "steady", "silence", "rarity", "voice", "pauses", "worded", "words", "words_voice", "words_sound",
    "asks", "asks_sound", "wanting", "few", "judged", "finished",
)  # fmt: skip


class Evidence(NamedTuple):
    """What is known of a silence."""

    sound: float  # the network's log odds, now
    steady: float  # and in the mean of the last windows
    silence_ms: float
    voice_ms: float = 1000.0  # how long the user has spoken
    pauses: int = 0  # after which the user went on
    thought: Thought = Thought()
    words: float = 0.0  # log odds that nothing follows the words


def patience_of(usual_ms: float) -> float:
    """The log odds that a board adds by how much silence it calls usual."""
    return _EAGER * math.log(usual_ms / FITTED_MS)


def log_odds(probability: float) -> float:
    """Kept within what a clue may weigh."""
    least = 1 / (1 + math.exp(_SUREST))
    kept = min(1 - least, max(least, probability))
    return math.log(kept / (1 - kept))


def clues(found: Evidence) -> dict[str, float]:
    """The clues by name."""
    thought, worded = found.thought, bool(found.thought.words)
    judged = thought.finished is not None and worded
    sound, words = _bounded(found.sound), _bounded(found.words) if worded else 0.0
    voice = math.log(max(_FEWEST_MS, found.voice_ms) / 1000.0)
    return {
        "bias": 1.0,
        "sound": sound,
        "steady": _bounded(found.steady),
        "silence": math.log(max(_SHORTEST_MS, found.silence_ms) / 300.0),
        "rarity": rarity(found.silence_ms),
        "voice": voice,
        "pauses": float(min(_MOST_PAUSES, found.pauses)),
        "worded": float(worded),
        "words": words,
        "words_voice": words * voice,
        "words_sound": words * sound,
        "asks": float(asks(thought)),
        "asks_sound": sound * asks(thought),
        "wanting": float(wants_more(thought)),
        "few": float(0 < len(thought.words) <= 2),
        "judged": float(judged),
        "finished": log_odds(thought.finished) if judged and thought.finished is not None else 0.0,
    }


def _bounded(odds: float) -> float:
    return min(_SUREST, max(-_SUREST, odds))


@dataclass(frozen=True)
class Fusion:
    """Weights by the names of the clues."""

    weights: Mapping[str, float]

    def odds(self, found: Evidence) -> float:
        """The log odds that the turn is over."""
        return sum(self.weights[name] * value for name, value in clues(found).items())
