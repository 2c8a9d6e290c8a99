"""What a toy is made of, loaded as its board and its character name it: the name in the YAML is the module's."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from epsilon import effects
from epsilon.clock import Clock
from epsilon.config.board import Board, StageSettings, TurnRule
from epsilon.config.character import Character
from epsilon.config.models import find_model, verify
from epsilon.engines.llm import personas
from epsilon.engines.llm.conversation import Conversation
from epsilon.engines.llm.fillers import Fillers, Speeds
from epsilon.engines.llm.openers import Openers
from epsilon.engines.llm.reply import Manner
from epsilon.engines.protocols import SAMPLE_RATE_HZ, EndOfTurn, LanguageModel, Patience
from epsilon.hardware import Hardware, Switches
from epsilon.hardware.senses import Feeling, Senses
from epsilon.ladder import Ladder
from epsilon.opener_clips import read_clips
from epsilon.realtime import Seat
from epsilon.stage import Place
from epsilon.stages.body import Body
from epsilon.stages.llm import Llm
from epsilon.stages.phrases import FIRST_WORDS
from epsilon.state import State

PROBE_TOKENS = 8
Load = Callable[[Board, str], Any]  # the engine of a stage


def seat_of(board: Board, stage: str) -> Seat:
    """The seat a board gives a stage."""
    settings = board.stages[stage]
    return Seat(settings.cores, settings.priority, settings.npu_cores, settings.device)


def load_engine(board: Board, stage: str) -> Any:
    """The engine that a board names for a stage, loaded: the name in the board file is the module's."""
    kind = "echo" if stage == "capture" else stage
    seat = seat_of(board, stage)
    with seat.inner_threads():
        return _loaded(kind, board.stages[stage], seat)


def load_end_of_turn(board: Board) -> EndOfTurn:
    """The engine that finds the end of a turn; it sits with the vad stage, which asks it."""
    patience = Patience(board.turn.silence_ms, board.turn.longest_silence_ms)
    found: EndOfTurn = _loaded("endpoint", board.turn, seat_of(board, "vad"), patience)
    return found


def _loaded(kind: str, named: StageSettings | TurnRule, *given: Any) -> Any:
    """The engine, model and runtime that are named; `given` goes to the engine's `load` after them."""
    module = importlib.import_module(f"epsilon.engines.{kind}.{named.engine}")
    if named.model is None:
        return module.load(*given)
    runtime = importlib.import_module(f"epsilon.runtimes.{named.runtime}") if named.runtime else None
    model = find_model(named.model)
    verify(model)
    return module.load(model, runtime, *given)


def load_hardware(board: Board, switches: Switches) -> Hardware:
    """What moves the switches on this board."""
    module = importlib.import_module(f"epsilon.hardware.{board.body.hardware}")
    hardware: Hardware = module.load(board.body, switches)
    return hardware


def load_senses(board: Board) -> Senses:
    """What the toy can feel of this board."""
    return Senses(board.body.battery, board.soc.zones)


def build_body(
    board: Board,
    character: Character,
    place: Place,
    hardware: Hardware,
    feeling: Feeling,
    switches: Switches,
    state: State,
) -> Body:
    """The stage that shows and says how the toy is, its lines from their recordings where there are any."""
    lines = character.lines
    clips = read_clips(character, (lines.low_battery, lines.hot, lines.goodbye))
    body = Body(place, hardware, feeling, switches, Ladder(board.ladder), lines, clips, state)
    body.may_move = bool(board.ladder.smaller.items)
    return body


def build_llm(
    board: Board, character: Character, place: Place, voice_s: float = 0.0, load: Load | None = None
) -> Llm:
    """The stage that thinks as a character: its persona is remembered where it was baked, prefilled where not.

    `voice_s` is what the first sound of a phrase takes: for how late an answer will be.
    """
    model = (load or load_engine)(board, "llm")
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
    rule, speeds = board.turn, replace(measured(model, persona, place.clock), voice_s=voice_s)
    wait_ms = FIRST_WORDS * 1000 * speeds.token_s
    clips = read_clips(character, character.openers) if wait_ms >= rule.opener_after_ms else {}
    openers = Openers(clips, model.chat) if clips else None
    noises = read_clips(character, character.attention.fillers) if rule.attention else {}
    fillers = Fillers(noises, speeds, rule.filler_after_ms, FIRST_WORDS)
    return Llm(place, model, conversation, manner, persona, openers, fillers, rule.tries)


def persona_place(board: Board, character: Character) -> personas.Place:
    """Where the character's persona is kept for the model and runtime of a board."""
    settings = board.stages["llm"]
    assert settings.model is not None and settings.runtime is not None  # the board file was checked
    return personas.Place(find_model(settings.model), settings.runtime, character.name)


def measured(model: LanguageModel, seq: Any, clock: Clock) -> Speeds:
    """What a token costs here, digested among others and thought alone: each the quickest of three, once, at start."""
    probe, alone, among = model.fork(seq), [], []
    for token in seq.ids[:3]:
        began_s = clock.now()
        model.append(probe, [token])
        thought_s = clock.now()
        model.append(probe, seq.ids[:PROBE_TOKENS])
        alone.append(thought_s - began_s)
        among.append((clock.now() - thought_s) / len(seq.ids[:PROBE_TOKENS]))
    return Speeds(min(among), min(alone))


def load_effects(character: Character) -> list[Any]:
    """The character's chain of effects."""
    return [effects.build(effect, SAMPLE_RATE_HZ) for effect in character.effects]
