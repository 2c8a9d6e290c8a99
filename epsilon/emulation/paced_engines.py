"""Engines that compute on the machine at hand and take the time that a board's cost table says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from epsilon.config.machine import Cost
from epsilon.emulation.contention import Call
from epsilon.engines.protocols import (
    SAMPLE_RATE_HZ,
    Chunk,
    Delivery,
    EchoCanceller,
    EndOfTurn,
    Hypothesis,
    LanguageModel,
    Recognizer,
    Spelt,
    Synthesizer,
    Thought,
    TokenSampler,
    VoiceDetector,
)
from epsilon.realtime import Seat
from epsilon.ring import Samples

Spend = Callable[[Call], None]


@dataclass(frozen=True, slots=True)
class Bill:
    """What a call of one engine costs on one seat, and where that is spent."""

    cost: Cost
    seat: Seat
    spend: Spend

    def pay(self, work_ms: float) -> None:
        """Take so much time."""
        self.spend(Call(self.seat, work_ms, self.cost.read_mb if work_ms > 0 else 0.0, self.cost.on))


class PacedRecognizer:
    """Ears: a pass costs more the longer the utterance is, and for each word that is not settled yet."""

    def __init__(self, inner: Recognizer, bill: Bill) -> None:
        self._inner, self._bill = inner, bill
        self._heard: tuple[Any, int] = (None, 0)  # the utterance that is heard, and its frames so far

    def start(self) -> Any:
        """As the protocol says."""
        hearing = self._inner.start()
        self._heard = (hearing, 0)
        return hearing

    def hear(self, hearing: Any, samples: Samples) -> Hypothesis:
        """As the protocol says; without new sound there is no pass."""
        found = self._inner.hear(hearing, samples)
        before = self._heard[1] if self._heard[0] is hearing else 0
        self._heard = (hearing, before + len(samples))
        if len(samples):
            cost = self._bill.cost
            heard_s, guessed = self._heard[1] / SAMPLE_RATE_HZ, len(found.tail)
            self._bill.pay(cost.pass_ms + cost.second_ms * heard_s + cost.token_ms * guessed)
        return found

    def finish(self, hearing: Any) -> Hypothesis:
        """As the protocol says: all has been heard already."""
        return self._inner.finish(hearing)


class PacedLanguageModel:
    """Mind: what is read costs for each token, what is thought for each step; everything else is the model's own."""

    def __init__(self, inner: LanguageModel, bill: Bill) -> None:
        self._inner, self._bill = inner, bill

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def append(self, seq: Any, ids: Sequence[int]) -> None:
        """As the protocol says."""
        self._inner.append(seq, ids)
        self._read(len(ids))

    def sync_to(self, seq: Any, ids: Sequence[int]) -> int:
        """As the protocol says."""
        count = self._inner.sync_to(seq, ids)
        self._read(count)
        return count

    def step(self, seq: Any, sampler: TokenSampler) -> int:
        """As the protocol says."""
        self._think(seq)
        return self._inner.step(seq, sampler)

    def logits(self, seq: Any) -> npt.NDArray[Any]:
        """As the protocol says."""
        self._think(seq)
        return self._inner.logits(seq)

    def _think(self, seq: Any) -> None:
        """The pass over the newest token, unless it was made when that was read."""
        if getattr(seq, "logits", None) is None:
            self._bill.pay(self._bill.cost.token_ms)

    def _read(self, tokens: int) -> None:
        if tokens:
            self._bill.pay(self._bill.cost.pass_ms + self._bill.cost.prefill_ms * tokens)


class PacedSynthesizer:
    """Voice: a phrase costs before its first sound, and each chunk by its length."""

    def __init__(self, inner: Synthesizer, bill: Bill) -> None:
        self._inner, self._bill = inner, bill

    @property
    def styles(self) -> Mapping[str, npt.NDArray[Any]]:
        """As the protocol says."""
        return self._inner.styles

    def spell(self, text: str, more: bool) -> Spelt:
        """As the protocol says."""
        return self._inner.spell(text, more)

    def speak(self, symbols: Sequence[str], delivery: Delivery) -> Iterator[Chunk]:
        """As the protocol says, each chunk when it would be there."""
        before_ms = self._bill.cost.pass_ms
        for chunk in self._inner.speak(symbols, delivery):
            seconds = len(chunk.samples) / chunk.sample_rate_hz
            self._bill.pay(before_ms + self._bill.cost.second_ms * seconds)
            before_ms = 0.0
            yield chunk


class PacedDetector:
    """Voice detector: each window costs the same."""

    def __init__(self, inner: VoiceDetector, bill: Bill) -> None:
        self._inner, self._bill = inner, bill

    def push(self, samples: Samples, closely: bool = False) -> list[float]:
        """As the protocol says."""
        found = self._inner.push(samples, closely)
        self._bill.pay(self._bill.cost.pass_ms * len(found))
        return found

    def reset(self) -> None:
        """As the protocol says."""
        self._inner.reset()


class PacedEndOfTurn:
    """End of turn: each window of a turn costs the same."""

    def __init__(self, inner: EndOfTurn, bill: Bill) -> None:
        self._inner, self._bill = inner, bill

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def push(self, samples: Samples, voiced: bool) -> None:
        """As the protocol says."""
        self._inner.push(samples, voiced)
        self._bill.pay(self._bill.cost.pass_ms)

    def over(self, silence_ms: float, thought: Thought) -> float:
        """As the protocol says."""
        return self._inner.over(silence_ms, thought)


class PacedCanceller:
    """Echo canceller: each block costs the same."""

    def __init__(self, inner: EchoCanceller, bill: Bill) -> None:
        self._inner, self._bill = inner, bill

    def expect(self, delay_ms: float) -> None:
        """As the protocol says."""
        self._inner.expect(delay_ms)

    def cancel(self, microphone: Samples, reference: Samples) -> Samples:
        """As the protocol says."""
        found = self._inner.cancel(microphone, reference)
        self._bill.pay(self._bill.cost.second_ms * len(microphone) / SAMPLE_RATE_HZ)
        return found


PACED: dict[str, Callable[[Any, Bill], Any]] = {
    "capture": PacedCanceller,
    "vad": PacedDetector,
    "asr": PacedRecognizer,
    "llm": PacedLanguageModel,
    "tts": PacedSynthesizer,
}
