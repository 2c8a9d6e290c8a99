"""The self-check of speaker and microphone: what it measures, what it chooses, and what it remembers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from epsilon import audio_check, duplex
from epsilon.__main__ import main
from epsilon.cli import talk
from epsilon.clock import Clock, ManualClock
from epsilon.config.board import Audio, Board, load_board
from epsilon.devices import Card
from epsilon.devices.wav import WavCard
from epsilon.duplex import Acoustics, Duplex
from epsilon.engines.echo import aec3, none
from epsilon.errors import AudioFileError, ConfigError, DeviceError
from epsilon.realtime import Seat
from epsilon.ring import Samples
from tests.desks import audio
from tests.sounds import RATE_HZ, noise, silence
from tools.echo_path import EchoCard, Room

GOOD = Acoustics("full", "aec3", 32.5, -62.0, -28.0, 6.0, 30.0, 0.0)


class HurriedClock(ManualClock):
    """Whoever sleeps on it moves it."""

    def sleep_until(self, time_s: float) -> None:
        self.advance_to(time_s)


def hiss(rms: float = 1e-3) -> Samples:
    return noise(12.0, rms)


def measured(card: Card, canceller: str = "aec3") -> Acoustics:
    card.start()
    engine = {"aec3": aec3, "none": none}[canceller].load(Seat())
    return audio_check.measure(card, engine, canceller)


def echo_card(room: Room, microphone: Samples | None = None) -> EchoCard:
    return EchoCard(audio("wav", ""), HurriedClock(), hiss() if microphone is None else microphone, room)


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Board:
    monkeypatch.setenv("EPSILON_STATE", str(tmp_path / "state"))
    return with_canceller(load_board("host"), "aec3")


def with_canceller(board: Board, engine: str) -> Board:
    capture = dataclasses.replace(board.stages["capture"], engine=engine)
    return dataclasses.replace(board, stages=board.stages | {"capture": capture})


@pytest.mark.parametrize("delay_ms", [0.0, 33.0, 250.0])
@pytest.mark.parametrize("level_db", [6.0, -6.0, -25.0])
def test_delay_loss_and_what_the_canceller_takes_are_found(delay_ms: float, level_db: float) -> None:
    found = measured(echo_card(Room(delay_ms=delay_ms, level_db=level_db)))
    assert found.delay_ms == pytest.approx(delay_ms, abs=0.2)
    assert found.return_loss_db == pytest.approx(-level_db, abs=2.0)
    assert found.noise_db == pytest.approx(-60, abs=1)
    assert found.clipped_percent == 0
    assert found.audible and found.duplex == Duplex.FULL.value


def test_a_headset_needs_no_canceller() -> None:
    for card in (
        WavCard(audio("wav", ""), HurriedClock(), hiss()),
        echo_card(Room(level_db=-60.0)),
    ):
        found = measured(card)
        assert not found.audible and found.duplex == Duplex.OPEN.value


def test_a_muted_microphone_is_no_headset() -> None:
    found = measured(WavCard(audio("wav", ""), HurriedClock(), silence(12.0)))
    assert found.duplex == Duplex.HALF.value
    assert "is it muted?" in duplex.reasons(found)[0]


def test_without_a_canceller_the_toy_listens_between_its_replies() -> None:
    found = measured(echo_card(Room()), "none")
    assert found.enhancement_db == pytest.approx(0.0, abs=0.1)
    assert found.duplex == Duplex.HALF.value


def test_an_echo_that_clips_is_told() -> None:
    class Overdriven(EchoCard):
        def read(self) -> Samples | None:
            block = super().read()
            return None if block is None else np.clip(block, -1.0, 1.0)

    found = measured(Overdriven(audio("wav", ""), HurriedClock(), hiss(), Room(level_db=26.0)))
    assert found.clipped_percent > 1
    assert any("turn the speaker or the microphone down" in reason for reason in duplex.reasons(found))


def test_a_poor_canceller_leaves_half_duplex() -> None:
    found = dataclasses.replace(GOOD, enhancement_db=9.0)
    assert duplex.choose(found) is Duplex.HALF
    assert "aec3 takes 9 dB out; 18 dB are needed" in duplex.reasons(found)
    faint = dataclasses.replace(found, echo_db=-52.0)
    assert duplex.choose(faint) is Duplex.FULL, "what is left is no louder than the room"


def test_a_card_that_closes_meanwhile_is_an_error() -> None:
    card = echo_card(Room())
    card.finish()
    with pytest.raises(DeviceError, match="closed while it was measured"):
        measured(card)


def test_the_tune_is_quiet_and_short() -> None:
    tune = audio_check.tune()
    assert np.abs(tune).max() <= 0.25
    assert len(tune) < 7 * RATE_HZ
    assert np.abs(np.diff(tune)).max() < 0.2, "a click"


def test_what_was_measured_is_remembered_for_board_and_card(board: Board) -> None:
    assert duplex.recall(board) is None
    path = duplex.keep(board, GOOD)
    assert path.name == "host-default.yaml" and [path] == list(path.parent.iterdir())
    assert duplex.recall(board) == GOOD
    other = dataclasses.replace(board, audio=dataclasses.replace(board.audio, card="USB: a/b"))
    assert duplex.recall(other) is None and duplex.place(other).name == "host-USB_a_b.yaml"


def test_another_canceller_must_be_measured_anew(board: Board) -> None:
    duplex.keep(board, GOOD)
    assert duplex.recall(with_canceller(board, "none")) is None


def test_the_folder_is_where_such_things_are_kept(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EPSILON_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", "/var/state")
    assert duplex.place(board) == Path("/var/state/epsilon/host-default.yaml")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert duplex.place(board) == Path.home() / ".local/state/epsilon/host-default.yaml"


def test_a_spoilt_file_is_told_with_its_line(board: Board) -> None:
    path = duplex.keep(board, GOOD)
    path.write_text(path.read_text().replace("duplex: full", "duplex: maybe"))
    with pytest.raises(ConfigError, match=r"host-default.yaml:2:9: no such choice 'maybe'"):
        duplex.recall(board)


def test_a_folder_that_cannot_be_written_is_told(board: Board) -> None:
    duplex.place(board).parent.write_text("a file where the folder should be")
    with pytest.raises(AudioFileError, match="cannot be written"):
        duplex.keep(board, GOOD)


def test_talk_measures_once_and_talks_where_it_cannot_keep_it(
    board: Board, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured_boards: list[str] = []

    def check(board: Board, clock: Clock) -> Acoustics:
        measured_boards.append(board.name)
        return GOOD

    monkeypatch.setattr(audio_check, "check", check)
    for _ in range(2):
        assert talk.acoustics_of(board, HurriedClock()) == GOOD
    assert measured_boards == ["host"], "the second time it is remembered"
    assert capsys.readouterr().err.count("so it listens while it speaks") == 2
    duplex.place(board).unlink()
    duplex.place(board).parent.rmdir()
    duplex.place(board).parent.write_text("a file where the folder should be")
    assert talk.acoustics_of(board, HurriedClock()) == GOOD
    assert "cannot be written" in capsys.readouterr().err


def test_check_audio_shows_every_figure_and_keeps_them(
    board: Board, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    card = echo_card(Room())
    monkeypatch.setattr(audio_check, "open_card", lambda audio, clock: card)
    assert main(["check", "--audio"]) == 0
    shown = capsys.readouterr().out
    for line in ("delay: 20 ms", "duplex: full", "so it listens while it speaks", str(duplex.place(board))):
        assert line in shown
    found = duplex.recall(load_board("host"))
    assert found is not None and found.canceller == "kalman"


def test_a_card_that_does_not_open_is_told(
    board: Board, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(audio: Audio, clock: Clock) -> Card:
        raise DeviceError("the card does not open: it is busy", "USB")

    monkeypatch.setattr(audio_check, "open_card", refuse)
    assert main(["check", "--audio"]) == 2
    assert "USB: the card does not open" in capsys.readouterr().err
    assert duplex.recall(board) is None and not duplex.place(board).exists()
