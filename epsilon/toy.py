"""READ FIRST: one toy, built from a board and a character, its stages wired in the order of the sound."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from epsilon.clock import Clock
from epsilon.company import Company
from epsilon.config.board import Board
from epsilon.config.character import BY_NAME, Character
from epsilon.devices import Card
from epsilon.duplex import Acoustics, Duplex, how_to_listen
from epsilon.engines.echo.none import NoCancellation
from epsilon.engines.protocols import SAMPLE_RATE_HZ, EchoCanceller
from epsilon.errors import DeviceError, StageDied
from epsilon.hardware import Hardware, Switches
from epsilon.hardware.light import PATTERNS, Sign, shade
from epsilon.hardware.senses import Feeling
from epsilon.journal import Journal
from epsilon.kernel import Kernel
from epsilon.last_words import play, trouble_line
from epsilon.messages import News
from epsilon.opener_clips import read_clips
from epsilon.parts import (
    Load,
    build_body,
    build_llm,
    load_effects,
    load_end_of_turn,
    load_engine,
    load_hardware,
    load_senses,
    seat_of,
)
from epsilon.realtime import calm_python, collect_between_turns, lock_memory
from epsilon.ring import Bell, Ring, SampleRing, Samples
from epsilon.stage import Place, Stage
from epsilon.stages.asr import Asr
from epsilon.stages.body import Body
from epsilon.stages.capture import Capture
from epsilon.stages.effects import Effects
from epsilon.stages.llm import Llm
from epsilon.stages.phrases import Phrases
from epsilon.stages.playback import Playback
from epsilon.stages.tts import Tts
from epsilon.stages.vad import Vad
from epsilon.state import VOLUME, State
from epsilon.turn import Turn
from epsilon.volume import LOUDEST

STAGES = (
    "capture",
    "vad",
    "asr",
    "llm",
    "phrases",
    "tts",
    "effects",
    "playback",
    "body",
)  # in the order of the sound, and behind them what has none
MICROPHONE_FRAMES = 10 * SAMPLE_RATE_HZ
NEWS_SLOTS = 1024
STOP_S = 5.0  # a stage that needs longer to end is stuck


class Toy:
    """Somebody you can talk to.

    microphone → capture → vad → asr → llm → phrases → tts → effects → playback → speaker. Back to the llm goes
    what was heard, and back to vad what was understood. Each stage is a thread; in lock-step one caller runs their
    steps in turn instead.
    """

    def __init__(
        self,
        board: Board,
        character: Character,
        card: Card,
        clock: Clock,
        acoustics: Acoustics | None = None,
        switches: Switches | None = None,
        state: State | None = None,
        hardware: Hardware | None = None,
        feeling: Feeling | None = None,
        load: Load | None = None,
    ) -> None:
        self.load = load or load_engine  # another takes a board's time
        self.board, self.character, self.card, self.acoustics = board, character, card, acoustics
        self.switches, self.state = switches or Switches(), state or State()
        self.switches.volume = round(self.state.number(VOLUME, LOUDEST, 0, LOUDEST))
        self._hardware = hardware or load_hardware(board, self.switches)
        self._feeling = feeling or load_senses(board)
        self.duplex = how_to_listen(board, card.hears_itself, acoustics)
        self.turn = Turn()
        self.microphone = SampleRing(MICROPHONE_FRAMES)
        self.journal = Journal(card.time_of, SAMPLE_RATE_HZ)
        self.bell = Bell()
        self._clock = clock
        self.stages = self._build()
        self._wire()
        self._trouble_line = trouble_line(character)
        self._failure: StageDied | None = None

    def _build(self) -> list[Stage]:
        """The stages in the order of the sound, each with its engine and its seat."""
        playback = Playback(self._place("playback"), self.card, self.duplex, self.switches)
        tts = Tts(self._place("tts"), self.load(self.board, "tts"), self.character.voice)
        tts.warm_up()
        listen = self.character.listen or self.board.turn.listen
        return [
            Capture(self._place("capture"), self.card, self.microphone, self._canceller(), self.switches),
            Vad(
                self._place("vad"),
                self.microphone,
                self.load(self.board, "vad"),
                load_end_of_turn(self.board),
                replace(self.board.turn, listen=listen),
                playback,
                Company(self.character.name, listen == BY_NAME, self.character.idle, self._murmurs()),
                self.switches,
            ),
            Asr(self._place("asr"), self.microphone, self.load(self.board, "asr")),
            build_llm(self.board, self.character, self._place("llm"), tts.first_sound_s, self.load),
            Phrases(self._place("phrases"), self.character.voice.moods),
            tts,
            Effects(self._place("effects"), load_effects(self.character)),
            playback,
            self._body(),
        ]

    def _body(self) -> Body:
        """What shows how the toy is."""
        senses, place = (self._hardware, self._feeling), self._place("body")
        return build_body(self.board, self.character, place, *senses, self.switches, self.state)

    def _canceller(self) -> EchoCanceller:
        """What takes the toy's own voice out of the microphone, where the microphone hears it."""
        if self.duplex is Duplex.OPEN:
            return NoCancellation()
        canceller: EchoCanceller = self.load(self.board, "capture")
        if self.acoustics is not None:
            canceller.expect(self.acoustics.delay_ms)
        return canceller

    def _murmurs(self) -> dict[str, Samples]:
        """What sounds in the pauses of a story; nothing where the toy would hear it."""
        if not self.board.turn.attention or self.duplex is Duplex.HALF:
            return {}
        return read_clips(self.character, self.character.attention.murmurs)

    def _wire(self) -> None:
        """Join each stage to the next by a ring; what was heard goes back to the llm, what it understood to vad."""
        capture, *talking, body = self.stages  # capture passes on samples, not messages; the body has none
        for stage, following in pairwise(talking):
            stage.outbox = following.inbox()
        vad, llm, playback = talking[0], self.stages[STAGES.index("llm")], talking[-1]
        assert isinstance(llm, Llm) and isinstance(vad, Vad)
        assert isinstance(playback, Playback) and isinstance(body, Body) and isinstance(capture, Capture)
        playback.outbox, llm.understood = llm.inbox(), vad.inbox()
        vad.murmurs, body.outbox = playback.inbox(), vad.inbox()
        capture.calm, capture.on_card = (lambda: vad.calm), body.bell.ring
        body.deaf = lambda: self.card.gone
        body.follow(vad, playback, llm.be_brief)
        for stage in self.stages:
            stage.news = Ring(NEWS_SLOTS, self.bell)
            stage.on_exit = self.bell.ring

    def _place(self, stage: str) -> Place:
        return Place(seat_of(self.board, stage), self.turn, self._clock)

    @property
    def counts(self) -> dict[str, int]:
        """What was lost or dropped so far; in a good conversation only `stale`, after an interruption."""
        asr, vad = self.stages[STAGES.index("asr")], self.stages[STAGES.index("vad")]
        assert isinstance(asr, Asr) and isinstance(vad, Vad)
        return {
            "overruns": self.card.counts.overruns,
            "underruns": self.card.counts.underruns,
            "stale": sum(stage.counts.stale for stage in self.stages),
            "laps": asr.reader.laps + vad.reader.laps,
        }

    def step(self) -> None:
        """Lock-step: one microphone block, then every stage in the order of the sound until none has work."""
        capture, *others = self.stages
        capture.step()
        busy = True
        while busy:
            busy = sum(stage.step() for stage in others) > 0  # every one of them, whoever was busy first

    def start(self) -> None:
        """Start the card and the threads, the speaker's end first."""
        calm_python()
        if self.board.system.lock_memory:
            lock_memory()
        Kernel().look(self.board)
        threading.excepthook = self._remember_failure
        self.card.start()
        self._hardware.start()
        self._feeling.start()
        for stage in reversed(self.stages):
            stage.start()

    def watch(self, timeout_s: float | None = None) -> Iterator[News]:
        """Wait for news at most `timeout_s`, write it in the journal and pass it on, oldest first.

        A stage that died raises StageDied here: a thread's death is the toy's death.
        """
        self.bell.wait(timeout_s)
        yield from self.news()
        if self._failure is not None:
            raise self._failure

    def news(self) -> Iterator[News]:
        """What has happened since the last call, without waiting."""
        fresh: list[News] = []
        for stage in self.stages:
            while stage.news is not None and (item := stage.news.take()) is not None:
                fresh.append(item)
        for item in sorted(fresh, key=lambda item: item.time_s):
            self.journal.take(item)
            if item.what == "heard":
                collect_between_turns()
            yield item

    def stop(self) -> None:
        """Stop the card and the threads, the microphone's end first."""
        self.card.stop()
        for stage in self.stages:
            stage.stop()
        for stage in self.stages:
            if stage.is_alive():
                stage.join(STOP_S)
        self._hardware.stop()  # last: a stage draws on its light

    def _remember_failure(self, failure: Any) -> None:
        self._failure = StageDied(f"{failure.thread.name} died: {failure.exc_value!r}")
        self._failure.__cause__ = failure.exc_value
        self.bell.ring()

    def say_trouble(self) -> None:
        """The line for trouble, from stored sound: whatever broke, the card may still work."""
        playback, body = self.stages[-2:]
        assert isinstance(body, Body)
        body.fail()
        if not body.is_alive():  # it is what broke
            body.hardware.light.show(shade(PATTERNS[Sign.TROUBLE], 0.0))
        playback.stop()  # it must not feed the card meanwhile
        playback.join(STOP_S)
        with contextlib.suppress(DeviceError):  # the card is what broke
            play(self._trouble_line, self.card, self._clock)


@contextlib.contextmanager
def running(toy: Toy) -> Iterator[Toy]:
    """The toy's threads run inside the `with` block. When one dies the toy says so, and the block ends."""
    try:
        toy.start()
        yield toy
    except StageDied:
        toy.say_trouble()
        raise
    finally:
        toy.stop()
