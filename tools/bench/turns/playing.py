"""Plays spoken turns to a toy, in lock-step or in real time, and notes what came of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from epsilon.clock import Clock, ManualClock, MonotonicClock
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.devices.wav import WavCard
from epsilon.emulation.lockstep import LockStep
from epsilon.engines.endpoint.gru import EndpointGru
from epsilon.engines.protocols import EndOfTurn, Thought
from epsilon.messages import News
from epsilon.ring import Samples
from epsilon.stages.vad import Vad
from epsilon.toy import STAGES, Toy, running
from tools.turns.labels import Label

RATE_HZ = 16_000
A_CONVERSATION = 8  # turns a toy: what was said before is part of it
PATIENCE_S = 3.0  # an answer that has not begun by then is missed
ANSWERS = ("answer", "opener")


@dataclass
class Played:
    """What came of one turn; times are in ms after its last sample of speech, before it they are negative."""

    label: Label
    decisions_ms: list[float] = field(default_factory=list)  # each end of turn that was decided
    sounds_ms: list[float] = field(default_factory=list)  # each first audible sample, openers and fillers too
    answers_ms: list[float] = field(default_factory=list)  # of answers alone
    words: str = ""
    silent: bool = False
    tries: int = 0
    wasted_tokens: int = 0
    wasted_ms: float = 0.0
    gaps_ms: list[float] = field(default_factory=list)
    parts_ms: dict[str, float] = field(default_factory=dict)

    @property
    def cut_in(self) -> bool:
        """Something sounded while the user was not done."""
        return any(sound < 0 for sound in self.sounds_ms)

    @property
    def tifu_ms(self) -> float | None:
        """None where nothing was answered, or too early."""
        return min(self.answers_ms) if self.answers_ms and not self.cut_in else None

    @property
    def dead_air_ms(self) -> float | None:
        """From the end of speech to the decision; None where it was decided too early or not at all."""
        return self.decisions_ms[-1] if self.decisions_ms and min(self.decisions_ms) >= 0 else None

    @property
    def missed(self) -> bool:
        """Something was understood, and neither answered nor passed over in silence."""
        return bool(self.words) and not self.sounds_ms and not self.silent


@dataclass(frozen=True)
class Glance:
    """What was known in one window of a silence."""

    at_ms: float  # after the turn's last sample of speech
    silence_ms: float
    thought: Thought
    sound: float  # the network's log odds that the turn is over
    margin: float = 0.0  # what all that is known says of it, above what ships as enough


class Watched:
    """An end-of-turn engine that is only asked, and never decides before its time is over."""

    def __init__(self, engine: EndOfTurn, longest_ms: float) -> None:
        self.engine, self._longest_ms = engine, longest_ms
        self.glances: list[tuple[float, Thought, float, float]] = []

    def reset(self) -> None:
        self.engine.reset()

    def push(self, samples: Samples, voiced: bool) -> None:
        self.engine.push(samples, voiced)

    def over(self, silence_ms: float, thought: Thought) -> float:
        return self.engine.over(silence_ms, thought)

    def wait_ms(self, silence_ms: float, thought: Thought) -> float:
        sound, margin = 0.0, 0.0
        if isinstance(self.engine, EndpointGru):
            sound, margin = self.engine.sound, self.engine.margin(silence_ms, thought)
        self.glances.append((silence_ms, thought, sound, margin))
        return self._longest_ms

    def went_on(self, silence_ms: float) -> None:
        self.engine.went_on(silence_ms)


class RealTime:
    """A toy whose threads run, block by block: what LockStep is to one whose time is moved by hand."""

    def __init__(self, toy: Toy, card: WavCard, clock: Clock) -> None:
        self._toy, self._card, self._clock = toy, card, clock
        self.frame = 0

    def pass_block(self) -> list[News]:
        """Wait until a block has passed; what happened."""
        self.frame += self._card.block_frames
        due_s, found = self._card.time_of(self.frame), list[News]()
        while (left_s := due_s - self._clock.now()) > 0:
            found += self._toy.watch(left_s)
        return found


class Player:
    """One toy, to which turns are played one after the other."""

    def __init__(self, board: str, character: str, realtime: bool = False, watch_ms: float = 0.0) -> None:
        chosen, wall, hand = load_board(board), MonotonicClock(), ManualClock()
        clock: Clock = wall if realtime else hand
        self.card = WavCard(chosen.audio, clock, np.zeros(0, np.float32))
        self.toy = Toy(chosen, load_character(character), self.card, clock)
        self.time = RealTime(self.toy, self.card, wall) if realtime else LockStep(self.toy, self.card, hand)
        self.watched: Watched | None = None
        vad = self.toy.stages[STAGES.index("vad")]
        assert isinstance(vad, Vad)
        if watch_ms:
            vad.end_of_turn = self.watched = Watched(vad.end_of_turn, watch_ms)
        self.glances: list[Glance] = []

    def play(self, samples: Samples, label: Label) -> Played:
        """One turn, and the answer to its end."""
        begins = self.time.frame
        self.card.play(samples)
        end_at = begins + round(label.end_s * RATE_HZ)
        played, open_until = Played(label), begins + len(samples)
        waits_until = end_at + round(PATIENCE_S * RATE_HZ)
        speaking, turns, before = False, set[int](), self.toy.turn.now.turn
        while (
            self.time.frame < (open_until if played.answers_ms or played.silent else waits_until) or speaking
        ):
            for news in self.time.pass_block():
                if news.mark.turn <= before:
                    continue  # of the turn before
                turns.add(news.mark.turn)
                speaking = news.what in ANSWERS or (speaking and news.what not in ("heard", "cut"))
                _note(played, news, self.time.frame, end_at)
            self._glance(begins, end_at)
        for turn in turns:
            _account(played, self.toy, turn)
        return played

    def _glance(self, begins: int, end_at: int) -> None:
        """Keep what was known in the last block, of silences of this turn alone."""
        if self.watched is None:
            return
        at_ms, begun_ms = ((frame - end_at) * 1000 / RATE_HZ for frame in (self.time.frame, begins))
        seen = [Glance(at_ms, *one) for one in self.watched.glances]
        self.glances += [glance for glance in seen if glance.at_ms - glance.silence_ms >= begun_ms]
        self.watched.glances.clear()


def _note(played: Played, news: News, frame: int, end_at: int) -> None:
    at_ms = ((news.at if news.what in ANSWERS else frame) - end_at) * 1000 / RATE_HZ
    match news.what:
        case "end of turn":
            played.decisions_ms.append(at_ms)
        case "opener":
            played.sounds_ms.append(at_ms)
        case "answer":
            played.sounds_ms.append(at_ms)
            played.answers_ms.append(at_ms)
        case "words":
            played.words = news.text
        case "silent":
            played.silent = True
        case "prefilled":
            played.tries += 1


def _account(played: Played, toy: Toy, turn: int) -> None:
    record = toy.journal.record(turn)
    played.wasted_tokens += record.wasted_tokens
    played.wasted_ms += record.wasted_ms
    played.gaps_ms += record.gaps_ms
    if record.answer_at >= 0:
        played.parts_ms = toy.journal.tifu_ms(record)


def play_all(
    turns: Sequence[tuple[Samples, Label]], board: str, character: str, realtime: bool = False
) -> Iterator[Played]:
    """Each turn, some of them in one conversation."""
    for start in range(0, len(turns), A_CONVERSATION):
        player = Player(board, character, realtime)
        some = turns[start : start + A_CONVERSATION]
        if realtime:
            with running(player.toy):
                yield from (player.play(*turn) for turn in some)
        else:
            player.card.start()
            yield from (player.play(*turn) for turn in some)


def watch_all(
    turns: Sequence[tuple[Samples, Label]], board: str, character: str, longest_ms: float
) -> Iterator[list[Glance]]:
    """What was known in every window of every silence of each turn, of which none is ended before `longest_ms`."""
    for start in range(0, len(turns), A_CONVERSATION):
        player = Player(board, character, watch_ms=longest_ms)
        player.card.start()
        for turn in turns[start : start + A_CONVERSATION]:
            player.glances = []
            player.play(*turn)
            yield player.glances
