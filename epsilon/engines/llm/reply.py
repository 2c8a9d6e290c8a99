"""One reply in the making: tokens chosen in character, and text let go once it cannot be taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from epsilon.config.character import Sampling
from epsilon.engines.llm.banned import Banned
from epsilon.engines.llm.chat import MARK, Chat
from epsilon.engines.llm.sampler import Sampler
from epsilon.engines.protocols import LanguageModel
from epsilon.errors import ConfigError

SENTENCE_END = (".", "!", "?")
HURRY_SHARE = 0.6  # of the tokens a reply may have: from here on its sentence is pressed to end
HURRY_STEP = 0.5  # added to the logits of what ends a sentence, more with every further token
SYLLABLE = re.compile(r"[aeiouy]+", re.IGNORECASE)
SYLLABLE_MS = (
    190.0  # fitted to 39 replies of the pocket voice at its own pace, 3 s long: 0.25 s off on average
)
SENTENCE_PAUSE_MS = 340.0


def spoken_ms(text: str, speed: float = 1.0) -> float:
    """About how long a text takes to be said, in ms: by its vowel groups and the ends of its sentences."""
    pauses = sum(text.count(end) for end in SENTENCE_END)
    return (len(SYLLABLE.findall(text)) * SYLLABLE_MS + pauses * SENTENCE_PAUSE_MS) / speed


@dataclass(frozen=True)
class Manner:
    """How a character answers, in the tokens of a model: made once, used for every reply."""

    sampling: Sampling
    chat: Chat
    bias: Mapping[int, float]
    banned: Banned
    stops: tuple[int, ...]
    speed: float = 1.0

    @classmethod
    def of(cls, sampling: Sampling, chat: Chat, speed: float = 1.0, where: str = "") -> Manner:
        """The manner that a character's settings ask for; `where` they stand is for the error, ConfigError."""
        stops = tuple(token for end in SENTENCE_END for token in chat.pieces(end))
        return cls(sampling, chat, _bias(sampling, chat, where), Banned(sampling.banned), stops, speed)

    def shortened(self, share: float) -> Manner:
        """The same manner, with answers of so much of their length at most."""
        usual = self.sampling
        words, spoken_ms = round(usual.max_words * share), usual.spoken_ms * share
        return replace(self, sampling=replace(usual, max_words=words, spoken_ms=spoken_ms))


def _bias(sampling: Sampling, chat: Chat, where: str) -> dict[int, float]:
    """Token and liking; a mark such as <silent> that this model does not have is passed over."""
    bias = {}
    for text, liking in sampling.bias.items():
        tokens = chat.pieces(text)
        if not tokens and MARK.fullmatch(text):
            continue
        if len(tokens) != 1:
            raise ConfigError(
                f"bias: '{text}' is {len(tokens)} tokens for this model; only one can be favoured",
                where,
                hint="name a single common word, or use `banned` to keep words out",
            )
        bias[tokens[0]] = liking
    return bias


class Reply:
    """A reply to what a sequence holds. `pieces` yields its text; none at all is silence.

    `begun` are tokens of it that the sequence holds already, such as an opener's; `pieces` goes on behind them. It
    begins with none of the tokens in `worn`.
    """

    def __init__(
        self,
        model: LanguageModel,
        seq: Any,
        manner: Manner,
        seed: Sequence[int],
        begun: Sequence[int] = (),
        worn: Sequence[int] = (),
    ) -> None:
        self._model, self._seq, self._manner = model, seq, manner
        self._sampler = Sampler(manner.sampling, seed, manner.bias)
        self._base = len(seq.ids) - len(begun)
        self._begun = len(begun)
        # Tokens that are not tried (again), by their place in the reply: they led to a banned text, or are worn.
        self._tried: dict[int, set[int]] = {0: set(worn)}
        self.ids: list[int] = list(begun)

    def pieces(self) -> Iterator[str]:
        """The text as it becomes certain, until a thought has ended."""
        told, over = len(self._text()), False
        while not over:
            over = self._grow()
            text = self._text()
            place = self._manner.banned.find(text, whole=over)
            if place is not None:
                self._take_back(place)
                over = False
                continue
            sure = len(text) if over else self._manner.banned.sure(text)
            if sure > told:
                yield text[told:sure]
                told = sure

    def _text(self) -> str:
        return self._manner.chat.decode(self.ids)

    def _grow(self) -> bool:
        """Say one token more; True when the reply is over."""
        at, most = len(self.ids), self._manner.chat.max_reply_tokens
        if at >= most:
            return True
        self._sampler.forbid(self._tried.get(at, ()))
        self._sampler.like(self._manner.stops, max(0.0, at - most * HURRY_SHARE) * HURRY_STEP)
        token = self._model.step(self._seq, self._sampler)
        if token in self._manner.chat.ends:
            return True
        self.ids.append(token)
        return self._enough(self._text())

    def _enough(self, text: str) -> bool:
        """The sentence is over and the reply has had its words, its time, or most of its tokens."""
        if not text.endswith(SENTENCE_END):
            return False
        sampling = self._manner.sampling
        return (
            len(text.split()) > sampling.max_words
            or spoken_ms(text, self._manner.speed) > sampling.spoken_ms
            or len(self.ids) > self._manner.chat.max_reply_tokens * HURRY_SHARE
        )

    def _take_back(self, place: int) -> None:
        """Unsay everything from the token on with which the banned text at `place` began."""
        decode = self._manner.chat.decode
        counts = reversed(range(self._begun, len(self.ids)))
        keep = next((count for count in counts if len(decode(self.ids[:count])) <= place), self._begun)
        self._tried.setdefault(keep, set()).add(self.ids[keep])
        self._sampler.take_back(len(self.ids) - keep)
        del self.ids[keep:]
        self._model.rollback(self._seq, self._base + keep)
