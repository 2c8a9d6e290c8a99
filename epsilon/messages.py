"""What travels between stages. Positions (`…_at`) count 16 kHz frames since the start of the input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from epsilon.ring import Samples
from epsilon.turn import Mark


@dataclass(frozen=True, slots=True)
class Message:
    """Anything that belongs to a turn."""

    mark: Mark
    cancellable: ClassVar[bool] = False  # what comes from the microphone is never dropped for being old


@dataclass(frozen=True, slots=True)
class Speech(Message):
    """The user's speech so far lies in the microphone ring from `start_at` to `end_at`."""

    start_at: int
    end_at: int
    paused: bool = False  # silence has begun: `end_at` is the end unless the user goes on
    last: bool = False  # the turn is the toy's now


@dataclass(frozen=True, slots=True)
class Words(Message):
    """What the ears made of the speech so far; `committed` only grows within a turn, `tail` may change."""

    committed: tuple[str, ...]
    tail: tuple[str, ...]
    settled: bool = False  # heard up to a pause: an answer is prepared for them
    final: bool = False
    speaker: str = "user"  # or a name that the model's chat.yaml has under `speakers`

    @property
    def all(self) -> tuple[str, ...]:
        """Committed words and tail."""
        return self.committed + self.tail


@dataclass(frozen=True, slots=True)
class Remark(Message):
    """What the character says by itself; `clip` is its sound where that was recorded, samples [n] without effects."""

    cancellable: ClassVar[bool] = True
    text: str
    clip: Samples | None = None


@dataclass(frozen=True, slots=True)
class Announcement(Message):
    """What the body has to say, told to the vad stage, which says it when it is quiet, or at once if it is urgent."""

    text: str
    clip: Samples | None = None
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Murmur(Message):
    """A small noise while the user tells a story: samples [n] at 16 kHz. It takes nobody's turn."""

    cancellable: ClassVar[bool] = True
    text: str
    samples: Samples


@dataclass(frozen=True, slots=True)
class Understood(Message):
    """What the mind makes of the words so far, told to the vad stage, which decides about the turn.

    `finished` is the probability that the thought ends with them, None where nobody can tell. `settles` says that
    there will be no answer; `changed`, that the final words are not those an answer was prepared for.
    """

    words: tuple[str, ...]
    finished: float | None = None
    settles: bool = False
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Token(Message):
    """A piece of the reply's text; `last` ends the reply (its text may be empty).

    An opener that was recorded brings its sound with it: `clip`, samples [n] at 16 kHz without effects.
    """

    cancellable: ClassVar[bool] = True
    text: str
    last: bool = False
    clip: Samples | None = None


@dataclass(frozen=True, slots=True)
class Phrase(Message):
    """A speakable piece of the reply with its punctuation, and its sound where that was recorded.

    With `more` its sentence goes on in the next phrase: the voice stays up. `mood` is one of the character's moods.
    """

    cancellable: ClassVar[bool] = True
    index: int
    text: str
    last: bool
    more: bool = False
    mood: str = ""
    clip: Samples | None = None


@dataclass(frozen=True, slots=True)
class Sound(Message):
    """Samples of a phrase; `phrase_ends` marks its last chunk, `last` the last of the reply.

    `recorded` is the sound of an opener: the first sound, and not yet the answer. `word_ends` says of each word of
    `text` in which frame of the phrase it will be said, () where the voice does not tell.
    """

    cancellable: ClassVar[bool] = True
    index: int
    text: str
    samples: Samples
    phrase_ends: bool
    last: bool
    recorded: bool = False
    word_ends: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard(Message):
    """What of a reply has left the card: what was not heard was not said."""

    text: str
    complete: bool


@dataclass(frozen=True, slots=True)
class News(Message):
    """Something worth telling whoever watches; `time_s` is the clock's, `at` a position if it has one."""

    what: str
    time_s: float
    text: str = ""
    tail: str = ""
    at: int = -1
