"""Sound cards. One module a card; its name is the `device:` of a board file."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from epsilon.clock import Clock
from epsilon.config.board import Audio
from epsilon.ring import SampleRing, Samples


@dataclass(slots=True)
class CardCounts:
    """What was lost at the card since it started."""

    overruns: int = 0  # microphone blocks lost
    underruns: int = 0  # gaps inside a phrase


class Card(Protocol):
    """A microphone and a speaker on one time line, counted in 16 kHz frames since `start`."""

    block_frames: int
    lead_frames: int  # how far ahead of the speaker the card may be fed
    hears_itself: bool  # True when the speaker's sound reaches the microphone
    reference: SampleRing  # what has left the card, for echo cancellation

    @property
    def gone(self) -> bool:
        """True while it is unplugged, and waited for."""

    @property
    def counts(self) -> CardCounts:
        """What was lost so far."""

    def start(self) -> None:
        """Open the card; frame 0 is now."""

    def stop(self) -> None:
        """Close the card; a `read` that waits returns None."""

    def read(self) -> Samples | None:
        """The next microphone block [block_frames], waiting until it is due; None when no more will come."""

    def write(self, samples: Samples) -> int:
        """Hand over samples [n], n at most `room()`; returns the frame at which the first leaves."""

    def room(self) -> int:
        """Frames that may be written now without exceeding the lead."""

    def pending(self) -> int:
        """Frames written that have not left yet."""

    def left(self) -> int:
        """Frames of the time line that have left the card."""

    def cut(self, fade_ms: float) -> int:
        """Fade out and drop what has not left; returns the frames dropped."""

    def begin_phrase(self) -> None:
        """What is written next may come late; behind it, until `end_reply`, a gap is an underrun.

        From here on the end of what was written always lies on the card faded out (EDGE_MS) and gets its own level
        back when more follows in time. So a card that runs dry falls silent without a click, even while Python is
        held up; what comes after the dry spell fades in.
        """

    def end_reply(self) -> None:
        """Everything of the reply is written: running dry is right from here on."""

    def time_of(self, frame: int) -> float:
        """The clock's time in seconds at which a frame of the time line passes the card."""


def open_card(audio: Audio, clock: Clock, anew: bool = False) -> Card:
    """The card that a board names; it does nothing until it is started. `anew` looks for what was plugged in since."""
    module = import_module(f"epsilon.devices.{audio.device}")
    if anew:
        module.rescan()
    card: Card = module.load(audio, clock)
    return card
