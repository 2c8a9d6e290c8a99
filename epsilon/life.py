"""The life of a toy from power-on to power-off: what happens before it listens, what may end it, what outlives it."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from epsilon import audio_check, moving, selftest
from epsilon.clock import Clock
from epsilon.config.board import Board
from epsilon.config.character import Character
from epsilon.devices import Card
from epsilon.devices.lasting import open_lasting
from epsilon.duplex import Acoustics, keep, recall
from epsilon.errors import AudioFileError, ConfigError, DeviceError, EpsilonError
from epsilon.hardware import Hardware, Switches
from epsilon.hardware.light import PATTERNS, Sign, shade
from epsilon.last_words import play, trouble_line
from epsilon.messages import Announcement, News
from epsilon.notify import Pulse, Supervisor
from epsilon.parts import load_hardware
from epsilon.selftest.bench import Bench
from epsilon.service import STARTS
from epsilon.slots.partition import on_trial
from epsilon.stages.vad import Vad
from epsilon.state import PAUSES, State
from epsilon.toy import STAGES, Toy, running

PAUSES_KEPT = 24  # so many are enough to know somebody's habits by
MARKER = "alive"  # in the folder that outlives the process and not the power
OFF, MOVE = "power off", "move"  # news that end a toy's time
SHOWN = ("standing", OFF, MOVE)  # what the service's log is told; nothing that anybody said

log = logging.getLogger(__name__)


def _show(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def runtime_folder() -> Path | None:
    """A folder that outlives the process and not the power; None where no service manager made one."""
    named = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return Path(named) if named else None


@contextlib.contextmanager
def alive(folder: Path | None) -> Iterator[bool]:
    """Leaves a mark while the block runs; True when it was there already: the life before was cut off."""
    mark = folder / MARKER if folder is not None else None
    cut_off = mark is not None and mark.exists()
    with contextlib.suppress(OSError):  # it is for one sentence alone
        if mark is not None:
            mark.touch()
    try:
        yield cut_off
    finally:
        with contextlib.suppress(OSError):
            if mark is not None:
                mark.unlink(missing_ok=True)


@dataclass
class Life:
    """Whoever runs the toy: `live` returns when it was asked to turn off, and raises what it died of."""

    board: Board
    character: Character
    clock: Clock
    state: State
    supervisor: Supervisor
    new_card: Callable[..., Card] = open_lasting
    new_toy: Callable[..., Toy] = Toy
    show: Callable[[str], object] = _show
    switches: Switches = field(default_factory=Switches)
    on_trial: Callable[[], bool] = on_trial
    proven: bool = False  # the service manager was told that it is ready
    resting: Hardware | None = None  # in trouble: whoever is forgotten puts out the light

    def live(self, folder: Path | None = None) -> None:
        """Until the power is to be turned off; `folder` is one that outlives this process alone."""
        with alive(folder) as cut_off:
            if self.is_button_held():
                self.test_itself()
            try:
                with self.red_light() if cut_off else contextlib.nullcontext():
                    toy = self._born()
            except (
                EpsilonError,
                ImportError,
                MemoryError,
                OSError,
            ):  # what it is made of is missing or broken
                self.say_trouble()
                raise
            if cut_off:
                self._own_up(toy)
            while True:
                news = self._run(toy)
                if news.what == OFF:
                    return
                board = moving.destination(self.board, news.text)
                toy = moving.successor(toy, board, self._card(), self.clock)

    def be_in_trouble(self) -> None:
        """No slot starts any more: a light and one sentence. Whoever calls this rests from then on."""
        self.resting = load_hardware(self.board, self.switches)
        self._show_trouble(self.resting)
        self._say_trouble()

    @contextlib.contextmanager
    def red_light(self) -> Iterator[None]:
        """Red as long as the block runs: a life was cut off before it could say anything, or does not begin."""
        hardware = load_hardware(self.board, Switches())
        self._show_trouble(hardware)
        try:
            yield
        finally:
            hardware.stop()

    def _own_up(self, toy: Toy) -> None:
        """The line for trouble is the first that the new toy says, while it listens already."""
        line = self.character.lines.trouble
        _vad(toy).inbox().put(Announcement(toy.turn.now, line, trouble_line(self.character)))

    def say_trouble(self) -> None:
        """Light and stored line: this life does not begin."""
        with self.red_light():
            self._say_trouble()

    def _show_trouble(self, hardware: Hardware) -> None:
        with _what_is_broken():
            hardware.start()
            hardware.light.show(shade(PATTERNS[Sign.TROUBLE], 0.0))

    def _say_trouble(self) -> None:
        with _what_is_broken():
            card = self._card()
            card.start()
            try:
                play(trouble_line(self.character), card, self.clock)
            finally:
                card.stop()

    def is_button_held(self) -> bool:
        """Whether somebody holds the talk button down at power-on, on a board where that means something."""
        body = self.board.body
        if not body.hold_for_selftest or body.talk_button is None:
            return False
        switches = Switches()
        hardware = load_hardware(self.board, switches)
        with _what_is_broken():
            hardware.start()
            hardware.stop()
        return switches.pressed

    def test_itself(self) -> None:
        """The factory's test, spoken; whatever it finds, the toy starts."""
        bench = Bench(self.board, self.character, self.clock, self.show, new_card=self.new_card)
        selftest.run_all(bench, selftest.item_names(), self.show)

    def _born(self) -> Toy:
        card = self._card()
        acoustics = self._acoustics() if card.hears_itself else None
        toy = self.new_toy(self.board, self.character, card, self.clock, acoustics, self.switches, self.state)
        for pause_ms in _pauses(self.state):
            _vad(toy).end_of_turn.went_on(pause_ms)
        return toy

    def _card(self) -> Card:
        return self.new_card(self.board.audio, self.clock)

    def _acoustics(self) -> Acoustics:
        """What was measured once, or now. What a power cut left of it is measured again."""
        found = None
        try:
            found = recall(self.board)
        except (ConfigError, OSError) as damage:
            log.warning("how the toy hears itself is measured again: %s", damage)
        if found is None:
            self.show(audio_check.PLEASE)
            found = audio_check.check(self.board, self.clock)
            with contextlib.suppress(AudioFileError):  # nothing can be kept here: the state says so
                keep(self.board, found)
        return found

    def _run(self, toy: Toy) -> News:
        """Let it live until it asks to be turned off or moved."""
        vad, stuck_s = _vad(toy), self.board.budget.stuck_ms / 1000
        vad.pulse = Pulse(self.supervisor, toy.stages, self.clock, stuck_s, toy.bell.ring)
        proof = Proof(self, toy, vad.pulse)
        with running(toy):
            try:
                return self._watch(toy, proof)
            finally:  # to be said, to move or to end takes its time
                self.supervisor.be_patient(STARTS * stuck_s)
                self.state.save()

    def _watch(self, toy: Toy, proof: Proof) -> News:
        """What it remembers is saved as it goes."""
        while True:
            for news in toy.watch():
                proof.take(news)
                self._note(news)
                if news.what in (OFF, MOVE):
                    return news
            proof.look()
            if self.state.changed:
                self.state.save()

    def _note(self, news: News) -> None:
        if news.what == "goes on":
            pauses = deque(_pauses(self.state), PAUSES_KEPT)
            pauses.append(float(news.text))
            self.state.set(PAUSES, list(pauses))
        if news.what in SHOWN:
            self.show(f"{news.what}: {news.text}")


class Proof:
    """Whether the toy has shown that it works: it has listened and, in a slot on trial, spoken by its own voice.

    Only then the service manager is told that it is ready, and whoever waits for that calls the slot good.
    """

    def __init__(self, life: Life, toy: Toy, pulse: Pulse) -> None:
        self._life, self._toy, self._pulse = life, toy, pulse
        self._to_speak = not life.proven and life.on_trial()
        self._voice = _vad(toy).inbox()
        self._asked = False

    def take(self, news: News) -> None:
        """Sound of its voice has gone to the card; an opener would be a recording."""
        if news.what == "answer":
            self._to_speak = False

    def look(self) -> None:
        """Ask for a line once it listens; tell once all is proven."""
        if self._life.proven or not self._pulse.heard:
            return
        if self._to_speak:
            if not self._asked:
                self._asked = True
                line = f"I am {self._life.character.name.capitalize()}."
                self._voice.put(Announcement(self._toy.turn.now, line))
            return
        self._life.proven = True
        status = f"{self._life.character.name} is listening"
        self._life.supervisor.ready(status)
        self._life.show(status)


def _vad(toy: Toy) -> Vad:
    vad = toy.stages[STAGES.index("vad")]
    assert isinstance(vad, Vad)
    return vad


def _pauses(state: State) -> list[float]:
    """How long the user's last pauses were, in ms, as far as they are numbers."""
    kept: Any = state.get(PAUSES)
    listed = kept if isinstance(kept, list) else []
    return [float(one) for one in listed if isinstance(one, int | float) and one > 0]


@contextlib.contextmanager
def _what_is_broken() -> Iterator[None]:
    """Card, pins or a recording may be what broke: that is said, and the rest goes on."""
    try:
        yield
    except (DeviceError, AudioFileError) as refusal:
        log.warning("%s", refusal)
