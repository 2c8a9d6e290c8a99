"""The whole toy in a room in which it hears itself: it answers the user as ever, and never itself."""

from __future__ import annotations

import dataclasses
from collections import Counter
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

TAKES = Path(__file__).parent / "takes"
RATE_HZ = 16_000
ROOM = Room(level_db=-6.0, delay_ms=60.0, drift_ppm=50.0)


FOUND = Acoustics("full", "kalman", ROOM.delay_ms, -62.0, -24.0, 6.0, 30.0, 0.0)


def board(canceller: str = "kalman") -> Board:
    """The host's, with this canceller."""
    host = load_board("host")
    capture = dataclasses.replace(host.stages["capture"], engine=canceller)
    return dataclasses.replace(host, stages=host.stages | {"capture": capture})


def converse(
    recording: Samples, room: Room | None, found: Acoustics | None = FOUND, canceller: str = "kalman"
) -> list[News]:
    """What happens while a recording is played into a toy; without a room its microphone does not hear it."""
    clock, host = ManualClock(), board(canceller)
    card = WavCard(host.audio, clock, recording)
    if room is not None:
        card = EchoCard(host.audio, clock, recording, room)
    toy = Toy(host, load_character("odette"), card, clock, found)
    card.start()
    time, news = LockStep(toy, card, clock), list[News]()
    while not card.input_ended or card.pending():
        news += time.pass_block()
    return news


def take(name: str) -> Samples:
    """A recorded user, and silence in which the last answer ends."""
    return np.concatenate([read_audio(TAKES / name / "in.wav"), np.zeros(6 * RATE_HZ, np.float32)])


def texts(news: list[News], what: str) -> list[str]:
    """What was said of one kind, in order."""
    return [one.text for one in news if one.what == what]


def counts(news: list[News]) -> Counter[str]:
    """How often each thing happened that echo could bring about."""
    return Counter(one.what for one in news if one.what in ("speech", "ducks", "cut", "heard"))


def test_a_conversation_over_its_own_echo_is_the_one_without_it() -> None:
    alone, echoing = converse(take("three-turns"), None), converse(take("three-turns"), ROOM)
    assert counts(echoing) == counts(alone) == {"speech": 3, "heard": 3}
    assert texts(echoing, "words") == texts(alone, "words")
    assert texts(echoing, "heard") == texts(alone, "heard")


def test_who_interrupts_it_is_heard_over_its_echo() -> None:
    alone, echoing = converse(take("barge-in"), None), converse(take("barge-in"), ROOM)
    assert counts(echoing) == counts(alone) == {"speech": 2, "ducks": 1, "cut": 1, "heard": 1}
    assert texts(echoing, "words")[-1].endswith("tell me about the moon")
    ducks_at = [next(one.at for one in news if one.what == "ducks") for news in (alone, echoing)]
    assert ducks_at[1] - ducks_at[0] < RATE_HZ * 150 // 1000, "the echo hides the user"


def test_without_a_canceller_it_would_hear_itself_and_does_not_listen_meanwhile() -> None:
    deaf = converse(take("three-turns"), ROOM, None, "none")
    assert counts(deaf) == {"speech": 3, "heard": 3}
    assert counts(converse(take("barge-in"), ROOM, None, "none"))["cut"] == 0
    careless = dataclasses.replace(FOUND, duplex=Duplex.FULL.value)
    assert counts(converse(take("three-turns"), ROOM, careless, "none"))["cut"] > 0


def test_a_headset_needs_no_canceller() -> None:
    open_ = dataclasses.replace(FOUND, duplex=Duplex.OPEN.value, return_loss_db=99.0)
    quiet = dataclasses.replace(ROOM, level_db=-70.0)
    assert counts(converse(take("barge-in"), quiet, open_))["cut"] == 1
