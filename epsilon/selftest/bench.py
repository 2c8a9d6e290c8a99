"""The bench on which a toy lies while it is tested: its board, its card, its hands, its stored words, its time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from epsilon.audio_files import read_audio
from epsilon.clock import Clock
from epsilon.config.board import Audio, Board
from epsilon.config.character import Character
from epsilon.devices import Card, open_card
from epsilon.errors import DeviceError
from epsilon.hardware import Switches
from epsilon.last_words import play
from epsilon.ring import Bell

LIMIT_S = 26.0  # for all items; with the start and the spoken verdict the whole stays under 30 s
SPOKEN = Path(__file__).parent / "spoken"  # made by `python -m tools.selftest_lines`


class Hands(Switches):
    """The switches, counting every movement of the talk button."""

    def __init__(self) -> None:
        super().__init__()
        self.bell = Bell()
        self.moves = 0
        self.watch(self.bell)

    def press(self, down: bool) -> None:
        """The talk button goes down or comes up."""
        self.moves += 1
        super().press(down)


class Bench:
    """What items look at. Everything that reaches for the machine goes through here, so that tests can replace it."""

    def __init__(
        self,
        board: Board,
        character: Character,
        clock: Clock,
        show: Callable[[str], object],
        aloud: bool = True,
        sysfs: Path = Path("/sys"),
        new_card: Callable[[Audio, Clock], Card] = open_card,
    ) -> None:
        self.board, self.character, self.clock = board, character, clock
        self.show, self.sysfs, self.hands = show, sysfs, Hands()
        self._aloud, self._new_card = aloud, new_card
        self._began_s = clock.now()

    def took_s(self) -> float:
        """How long the test has taken so far."""
        return self.clock.now() - self._began_s

    def left_s(self) -> float:
        """How much time is left for items."""
        return LIMIT_S - self.took_s()

    @contextlib.contextmanager
    def card(self) -> Iterator[Card]:
        """The board's card, opened for one item: what its microphone heard before is not among what is read."""
        card = self._new_card(self.board.audio, self.clock)
        card.start()
        try:
            yield card
        finally:
            card.stop()

    def say(self, *names: str) -> None:
        """Say stored words one after another; a card that does not work is an item's to tell."""
        if not self._aloud:
            return
        words = np.concatenate([read_audio(SPOKEN / f"{name}.wav") for name in names])
        with contextlib.suppress(DeviceError), self.card() as card:
            play(words, card, self.clock)
