"""What every engine of a kind can do. The names are the contract; tests/contracts hold each engine to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from epsilon.ring import Samples

SAMPLE_RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What was understood so far: committed words only grow within an utterance, the tail may change."""

    committed: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All words, joined by spaces."""
        return " ".join(self.committed + self.tail)


class Recognizer(Protocol):
    """Speech to words, in pieces of any size; the streamed result is the one-shot result."""

    def start(self) -> Any:
        """The state of one utterance."""

    def hear(self, hearing: Any, samples: Samples) -> Hypothesis:
        """Take further samples [n] at 16 kHz and say what is understood so far."""

    def finish(self, hearing: Any) -> Hypothesis:
        """All words committed; costs no pass when nothing came since the last `hear`."""


class TokenSampler(Protocol):
    """Picks the next token."""

    def pick(self, logits: npt.NDArray[np.float32]) -> int:
        """The chosen id from logits [vocabulary]."""


class LanguageModel(Protocol):
    """Tokens to tokens over a KV cache that can be appended to, rolled back and forked."""

    def start(self) -> Any:
        """An empty sequence; its `ids` are the tokens it holds."""

    def append(self, seq: Any, ids: Sequence[int]) -> None:
        """Prefill, in as many pieces as you like."""

    def rollback(self, seq: Any, length: int) -> None:
        """Keep the first `length` tokens."""

    def fork(self, seq: Any) -> Any:
        """A second sequence with the same past; neither disturbs the other."""

    def step(self, seq: Any, sampler: TokenSampler) -> int:
        """Sample the next token from the last logits and append it."""

    def logits(self, seq: Any) -> npt.NDArray[np.float32]:
        """Scores [vocabulary] of the token after the sequence."""

    def store(self, seq: Any) -> npt.NDArray[np.float32]:
        """What the model remembers of the sequence, to be kept in a file."""

    def restore(self, ids: Sequence[int], stored: npt.NDArray[np.float32]) -> Any:
        """A sequence of these tokens, which are remembered and not prefilled."""

    def sync_to(self, seq: Any, ids: Sequence[int]) -> int:
        """Make the sequence hold exactly `ids`: roll back to the common prefix, append the rest; says how many."""


LONGEST_CHUNK_S = 0.25


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some of a phrase's sound, at most LONGEST_CHUNK_S of it.

    The first of a phrase says where each of its symbols will end, in frames of the phrase at `sample_rate_hz`;
    () when the model does not tell before it has spoken.
    """

    samples: Samples
    sample_rate_hz: int = SAMPLE_RATE_HZ
    ends: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Spelt:
    """A phrase as a voice reads it: its symbols, and of each the written word (by place) that it belongs to."""

    symbols: tuple[str, ...] = ()
    words: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a phrase is said."""

    style: npt.NDArray[np.float32]
    """The style vector [style size]."""
    speed: float = 1.0
    """1 is the voice's own pace."""
    pitch: float = 0.0
    """Semitones above the voice's own pitch."""


class Synthesizer(Protocol):
    """Text to sound, the first chunk long before the last."""

    @property
    def styles(self) -> Mapping[str, npt.NDArray[np.float32]]:
        """Style vectors [style size] by name."""

    def spell(self, text: str, more: bool) -> Spelt:
        """The symbols of a phrase, none if nothing is to be said; with `more` its sentence goes on after it."""

    def speak(self, symbols: Sequence[str], delivery: Delivery) -> Iterator[Chunk]:
        """The phrase in chunks; joined they are the phrase said at once."""


class VoiceDetector(Protocol):
    """Is somebody speaking? One probability for each window of 512 frames (32 ms)."""

    def push(self, samples: Samples, closely: bool = False) -> list[float]:
        """Take samples [n] at 16 kHz; returns the probabilities of the windows they completed.

        `closely` where a word must not be heard too late: at any price in computing.
        """

    def reset(self) -> None:
        """Forget everything heard."""


class Patience(NamedTuple):
    """How long a silence may last, in ms."""

    usual_ms: float
    """Ends a turn of which nothing better is known."""
    longest_ms: float
    """Ends any turn."""


class Thought(NamedTuple):
    """What is understood of a turn up to a pause."""

    words: tuple[str, ...] = ()
    finished: float | None = None
    """The mind's probability that nothing follows these words; None while it is not known."""


class EndOfTurn(Protocol):
    """Is the user done? Hears the turn from its start, windows of silence included."""

    def reset(self) -> None:
        """A new turn begins."""

    def push(self, samples: Samples, voiced: bool) -> None:
        """Take the next window of the turn, samples [512] at 16 kHz, and whether somebody speaks in it."""

    def over(self, silence_ms: float, thought: Thought) -> float:
        """The probability that the turn is over after so much silence."""

    def wait_ms(self, silence_ms: float, thought: Thought) -> float:
        """The silence that ends the turn as things stand: it is over once `silence_ms` is as long."""

    def went_on(self, silence_ms: float) -> None:
        """A silence that was a pause inside the turn: this user's pauses are learnt from it."""


class EchoCanceller(Protocol):
    """Takes the toy's own sound out of the microphone's."""

    def expect(self, delay_ms: float) -> None:
        """Say how much later than in the reference the toy's sound is in the microphone, as far as that is known."""

    def cancel(self, microphone: Samples, reference: Samples) -> Samples:
        """The microphone block [n] without what the reference block [n] contributed to it."""


class Effect(Protocol):
    """Changes the voice, block by block; what streams equals the whole."""

    delay_frames: int  # how much later the sound comes out than it went in
    tail_frames: int  # how long it goes on after its input ended, the delay included

    def process(self, block: Samples) -> Samples:
        """A block [n] of the same length."""

    def reset(self) -> None:
        """Forget the past."""
