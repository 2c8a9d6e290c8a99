"""The whole toy with a canceller, in lock-step, in a room in which it hears itself: for minutes, and interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from epsilon.audio_files import read_audio
from epsilon.clock import ManualClock
from epsilon.config.board import Board, load_board
from epsilon.config.character import load_character
from epsilon.devices.wav import WavCard
from epsilon.duplex import Acoustics, Duplex
from epsilon.emulation.lockstep import LockStep
from epsilon.messages import News
from epsilon.ring import Samples
from epsilon.toy import Toy
from tools.echo_path import EchoCard, Room
from tools.takes import FOLDER

RATE_HZ = 16_000
USER_LEVEL = 0.01  # a block of the recording that is louder than this is the user's
NEAR_FRAMES = RATE_HZ // 2  # a turn that begins so near to the user's speech is the user's
PATIENCE_FRAMES = 2 * RATE_HZ  # an interruption is heard within this or not at all
REST_S = 6.0  # after a recording, for the last answer


@dataclass(frozen=True)
class Talk:
    """What happened in a conversation of which the user's part is known."""

    minutes: float
    replies: int
    own: int  # turns that nobody but the toy itself began
    ducks: int  # how often it held its breath for nobody
    interruptions: int
    late_ms: tuple[
        float, ...
    ]  # of each interruption that was heard: from the user's first sample to the duck


def talk(canceller: str, take: str, room: Room | None, seconds: float) -> Talk:
    """A recorded user, again and again, for so long; without a room the microphone hears the user alone."""
    recording = repeated(FOLDER / take / "in.wav", seconds)
    news = [one for one in _converse(canceller, recording, room) if one.at >= 0]
    spoken = utterances(recording)
    ducks = [one.at for one in news if one.what == "ducks"]
    own = [one for one in news if one.what == "speech" and not near(one.at, spoken)]
    late_ms = []
    interrupting = _interrupting(news, spoken)
    for start, _ in interrupting:
        first = next((at for at in ducks if start <= at < start + PATIENCE_FRAMES), None)
        late_ms += [] if first is None else [(first - start) * 1000 / RATE_HZ]
    return Talk(
        len(recording) / RATE_HZ / 60,
        sum(one.what in ("heard", "cut") for one in news),
        len(own),
        sum(not near(at, spoken) for at in ducks),
        len(interrupting),
        tuple(late_ms),
    )


def repeated(path: Path, seconds: float) -> Samples:
    """A recording with room for the last answer, over and over for at least so long."""
    once = np.concatenate([read_audio(path), np.zeros(round(REST_S * RATE_HZ), np.float32)])
    return np.tile(once, max(1, round(seconds * RATE_HZ / len(once))))


def utterances(recording: Samples) -> list[tuple[int, int]]:
    """From where to where the user speaks; half a second of silence parts two utterances."""
    loud = np.flatnonzero(np.abs(recording) > USER_LEVEL)
    if not len(loud):
        return []
    parts = np.split(loud, np.flatnonzero(np.diff(loud) > RATE_HZ // 2) + 1)
    return [(int(part[0]), int(part[-1]) + 1) for part in parts]


def near(at: int, spoken: list[tuple[int, int]]) -> bool:
    """True where the user speaks or is about to or just did."""
    return any(start - NEAR_FRAMES <= at < end + NEAR_FRAMES for start, end in spoken)


def _interrupting(news: list[News], spoken: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The utterances that begin while the toy answers."""
    answers = [one.at for one in news if one.what == "answer"]
    ends = [one.at for one in news if one.what in ("heard", "cut")]
    sounding = list(zip(answers, ends, strict=False))
    return [one for one in spoken if any(begin < one[0] < end for begin, end in sounding)]


def _converse(canceller: str, recording: Samples, room: Room | None) -> Iterator[News]:
    clock, board = ManualClock(), with_canceller(canceller)
    card = WavCard(board.audio, clock, recording)
    found = None
    if room is not None:
        card = EchoCard(board.audio, clock, recording, room)
        found = Acoustics(Duplex.FULL.value, canceller, room.delay_ms, -60, -24, -room.level_db, 30, 0)
    toy = Toy(board, load_character(board.character), card, clock, found)
    card.start()
    time = LockStep(toy, card, clock)
    while not card.input_ended:
        yield from time.pass_block()


def with_canceller(name: str) -> Board:
    """The host with this canceller."""
    host = load_board("host")
    capture = replace(host.stages["capture"], engine=name)
    return replace(host, stages=host.stages | {"capture": capture})
