"""READ FIRST: one toy, built from a board and a character, its stages wired in the order of the sound."""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from epsilon import effects
from epsilon.clock import Clock
from epsilon.company import Company
from epsilon.config.board import Board
from epsilon.config.character import BY_NAME, Character
from epsilon.config.models import find_model, verify
from epsilon.devices import Card
from epsilon.duplex import Acoustics, Duplex, how_to_listen
from epsilon.engines.echo.none import NoCancellation
from epsilon.engines.llm import personas
from epsilon.engines.llm.conversation import Conversation
from epsilon.engines.llm.openers import Openers
from epsilon.engines.llm.reply import Manner
from epsilon.engines.protocols import SAMPLE_RATE_HZ, EchoCanceller, EndOfTurn, LanguageModel, Patience
from epsilon.errors import DeviceError, StageDied
from epsilon.hardware import Hardware, Switches
from epsilon.journal import Journal
from epsilon.last_words import play, trouble_line
from epsilon.messages import News
from epsilon.opener_clips import read_clips
from epsilon.realtime import Seat, calm_python, collect_between_turns
from epsilon.ring import Bell, Ring, SampleRing
from epsilon.stage import Place, Stage
from epsilon.stages.asr import Asr
from epsilon.stages.capture import Capture
from epsilon.stages.effects import Effects
from epsilon.stages.llm import Llm
from epsilon.stages.phrases import FIRST_WORDS, Phrases
from epsilon.stages.playback import Playback
from epsilon.stages.tts import Tts
from epsilon.stages.vad import Vad
from epsilon.turn import Turn

STAGES = (
    "capture",
    "vad",
    "asr",
    "llm",
    "phrases",
    "tts",
    "effects",
    "playback",
)  # in the order of the sound
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
    ) -> None:
        self.board, self.character, self.card, self.acoustics = board, character, card, acoustics
        self.switches = switches or Switches()
        self.duplex = how_to_listen(board, card.hears_itself, acoustics)
        self.turn = Turn()
        self.microphone = SampleRing(MICROPHONE_FRAMES)
        self.journal = Journal(card.time_of, SAMPLE_RATE_HZ)
        self.bell = Bell()
        self._clock = clock
        self.stages = self._build()
        self._wire()
        self._hardware = load_hardware(board, self.switches)
        self._trouble_line = trouble_line(character)
        self._failure: StageDied | None = None

    def _build(self) -> list[Stage]:
        """The stages in the order of the sound, each with its engine and its seat."""
        playback = Playback(self._place("playback"), self.card, self.duplex)
        tts = Tts(self._place("tts"), load_engine(self.board, "tts"), self.character.voice)
        tts.warm_up()
        listen = self.character.listen or self.board.turn.listen
        return [
            Capture(self._place("capture"), self.card, self.microphone, self._canceller(), self.switches),
            Vad(
                self._place("vad"),
                self.microphone,
                load_engine(self.board, "vad"),
                load_end_of_turn(self.board),
                replace(self.board.turn, listen=listen),
                playback,
                Company(self.character.name, listen == BY_NAME, self.character.idle),
                self.switches,
            ),
            Asr(self._place("asr"), self.microphone, load_engine(self.board, "asr")),
            build_llm(self.board, self.character, self._place("llm")),
            Phrases(self._place("phrases"), self.character.voice.moods),
            tts,
            Effects(self._place("effects"), load_effects(self.character)),
            playback,
        ]

    def _canceller(self) -> EchoCanceller:
        """What takes the toy's own voice out of the microphone, where the microphone hears it."""
        if self.duplex is Duplex.OPEN:
            return NoCancellation()
        canceller: EchoCanceller = load_engine(self.board, "capture")
        if self.acoustics is not None:
            canceller.expect(self.acoustics.delay_ms)
        return canceller

    def _wire(self) -> None:
        """Join each stage to the next by a ring; what was heard goes back to the llm, what it understood to vad."""
        _, *talking = self.stages  # capture passes samples on, not messages
        for stage, following in pairwise(talking):
            stage.outbox = following.inbox()
        vad, llm, playback = talking[0], self.stages[STAGES.index("llm")], talking[-1]
        assert isinstance(llm, Llm)
        playback.outbox, llm.understood = llm.inbox(), vad.inbox()
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
        threading.excepthook = self._remember_failure
        self.card.start()
        self._hardware.start()
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
        self._hardware.stop()
        self.card.stop()
        for stage in self.stages:
            stage.stop()
        for stage in self.stages:
            if stage.is_alive():
                stage.join(STOP_S)

    def _remember_failure(self, failure: Any) -> None:
        self._failure = StageDied(f"{failure.thread.name} died: {failure.exc_value!r}")
        self._failure.__cause__ = failure.exc_value
        self.bell.ring()

    def say_trouble(self) -> None:
        """The line for trouble, from stored sound: whatever broke, the card may still work."""
        playback = self.stages[-1]
        playback.stop()  # it must not feed the card meanwhile
        playback.join(STOP_S)
        with contextlib.suppress(DeviceError):  # the card is what broke
            play(self._trouble_line, self.card, self._clock)


@contextlib.contextmanager
def running(toy: Toy) -> Iterator[Toy]:
    """The toy's threads run inside the `with` block. When one dies the toy says so, and the block ends."""
    toy.start()
    try:
        yield toy
    except StageDied:
        toy.say_trouble()
        raise
    finally:
        toy.stop()


def seat_of(board: Board, stage: str) -> Seat:
    """The seat a board gives a stage."""
    settings = board.stages[stage]
    return Seat(settings.cores, settings.priority, settings.npu_cores, settings.device)


def load_engine(board: Board, stage: str) -> Any:
    """The engine that a board names for a stage, loaded: the name in the board file is the module's."""
    settings = board.stages[stage]
    kind = "echo" if stage == "capture" else stage
    module = importlib.import_module(f"epsilon.engines.{kind}.{settings.engine}")
    seat = seat_of(board, stage)
    if settings.model is None:
        return module.load(seat)
    runtime = importlib.import_module(f"epsilon.runtimes.{settings.runtime}") if settings.runtime else None
    model = find_model(settings.model)
    verify(model)
    return module.load(model, runtime, seat)


def load_hardware(board: Board, switches: Switches) -> Hardware:
    """What moves the switches on this board."""
    module = importlib.import_module(f"epsilon.hardware.{board.body.hardware}")
    hardware: Hardware = module.load(board.body, switches)
    return hardware


def load_end_of_turn(board: Board) -> EndOfTurn:
    """The engine that finds the end of a turn; it sits with the vad stage, which asks it."""
    rule = board.turn
    module = importlib.import_module(f"epsilon.engines.endpoint.{rule.engine}")
    seat, patience = seat_of(board, "vad"), Patience(rule.silence_ms, rule.longest_silence_ms)
    if rule.model is None:
        return module.load(seat, patience)
    runtime = importlib.import_module(f"epsilon.runtimes.{rule.runtime}")
    model = find_model(rule.model)
    verify(model)
    return module.load(model, runtime, seat, patience)


def build_llm(board: Board, character: Character, place: Place) -> Llm:
    """The stage that thinks as a character: its persona is remembered where it was baked, prefilled where not."""
    model = load_engine(board, "llm")
    conversation = Conversation(model, character.persona)
    where = character.where.place("sampling", "bias")
    manner = Manner.of(character.sampling, model.chat, character.voice.speed, where)
    ids = conversation.ids()
    stored = persona_place(board, character).load(ids)
    if stored is None:
        persona = model.start()
        model.append(persona, ids)
    else:
        persona = model.restore(ids, stored)
    wait_ms = FIRST_WORDS * 1000 * seconds_a_token(model, persona, place.clock)
    clips = read_clips(character) if wait_ms >= board.turn.opener_after_ms else {}
    openers = Openers(clips, model.chat) if clips else None
    return Llm(place, model, conversation, manner, persona, openers, board.turn.tries)


def persona_place(board: Board, character: Character) -> personas.Place:
    """Where the character's persona is kept for the model and runtime of a board."""
    settings = board.stages["llm"]
    assert settings.model is not None and settings.runtime is not None  # the board file was checked
    return personas.Place(find_model(settings.model), settings.runtime, character.name)


def seconds_a_token(model: LanguageModel, seq: Any, clock: Clock) -> float:
    """What a pass over one token costs here: the quickest of three. It is measured once, at start."""
    probe, costs = model.fork(seq), []
    for token in seq.ids[:3]:
        began_s = clock.now()
        model.append(probe, [token])
        costs.append(clock.now() - began_s)
    return min(costs)


def load_effects(character: Character) -> list[Any]:
    """The character's chain of effects."""
    return [effects.build(effect, SAMPLE_RATE_HZ) for effect in character.effects]
