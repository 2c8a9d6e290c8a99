"""Recorded openers: words a reply begins with whose sound is there before the rest has been thought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from epsilon.engines.llm.chat import Chat
from epsilon.engines.protocols import LanguageModel
from epsilon.ring import Samples

LEAST_SHARE = 0.25  # a forced token must be this likely beside the likeliest: an opener must fit the answer


@dataclass(frozen=True)
class Opener:
    """An opener's words, their tokens, and how they sound: samples [n] at 16 kHz without effects."""

    text: str
    ids: tuple[int, ...]
    samples: Samples


class Openers:
    """Chooses the opener that the model would itself have said, never the same twice in a row."""

    def __init__(self, clips: Mapping[str, Samples], chat: Chat) -> None:
        self._all = [Opener(text, tuple(chat.encode(text.split())), clip) for text, clip in clips.items()]
        self._last = ""

    def choose(self, model: LanguageModel, seq: Any) -> tuple[Opener, Any] | None:
        """The opener that fits what a sequence holds, and a sequence that holds it too; None when none fits."""
        left = [opener for opener in self._all if opener.text != self._last]
        self._last = ""
        probe = model.fork(seq)
        at = 0
        while left:
            scores = model.logits(probe)
            token = max((opener.ids[at] for opener in left), key=lambda token: scores[token])
            if np.exp(scores[token] - scores.max()) < LEAST_SHARE:
                return None
            left = [opener for opener in left if opener.ids[at] == token]
            model.append(probe, [token])
            at += 1
            for opener in left:
                if len(opener.ids) == at:
                    self._last = opener.text
                    return opener, probe
        return None
