"""Snapshots: a take begun in the middle goes on as it did, and what is no snapshot of ours is passed over."""

from __future__ import annotations

import shutil
from collections import deque
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from epsilon.__main__ import main
from epsilon.audio_files import read_audio
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.emulation.runner import Emulation
from epsilon.floor import State
from epsilon.ring import Samples
from epsilon.stages.vad import Vad
from epsilon.takes.again import Again, again
from epsilon.takes.checks import LOCKSTEP, REALTIME, TakeError
from epsilon.takes.comparison import compare
from epsilon.takes.folder import read_take
from epsilon.takes.frozen import Arrays, frozen, put, same, start_of, thawed
from epsilon.takes.report import verdict_lines
from epsilon.takes.snapshot import FOLDER as SNAPSHOTS
from epsilon.takes.snapshot import Snapshots
from epsilon.turn import Mark
from tools.takes import FOLDER


@pytest.fixture(scope="module", params=[LOCKSTEP, pytest.param(REALTIME, marks=pytest.mark.slow)])
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A take of three turns with its snapshots."""
    folder = tmp_path_factory.mktemp("snapshots") / "take"
    recording = read_audio(FOLDER / "three-turns" / "in.wav")
    pace = request.param
    Emulation(load_board("host"), load_character("odette"), [recording], pace, folder).run(lambda news: None)
    toy = built(folder)
    play(toy, Snapshots(toy))
    assert len([*(folder / SNAPSHOTS).glob("*.npz")]) == 1
    return folder


@pytest.fixture
def damaged(kept: Path, tmp_path: Path) -> Path:
    """A copy, to be spoilt."""
    return Path(shutil.copytree(kept, tmp_path / "damaged"))


def built(folder: Path) -> Again:
    return again(read_take(folder), load_board("host"), load_character("odette"))


def play(toy: Again, snapshots: Snapshots | None = None) -> None:
    for _ in toy.run(snapshots.keep) if snapshots else toy.run():
        pass


def test_from_a_snapshot_on_it_is_the_same_to_the_bit(kept: Path) -> None:
    toy = built(kept)
    snapshots = Snapshots(toy)
    snapshot = snapshots.before(13.0)
    assert snapshot is not None and 10 <= snapshot.at_s <= 13
    snapshots.begin_at(snapshot)
    play(toy)
    verdict = compare(toy.expected, toy.found, by_ring=toy.by_ring)
    assert verdict.identical, "\n".join(verdict_lines(toy.take, verdict, []))
    assert 20 < verdict.count < len(toy.take.messages) / 2
    assert "puddles" in str(toy.found) and "what is your name" not in str(toy.found)


def test_who_cannot_be_looked_into_hears_all_of_it_again(kept: Path) -> None:
    toy = built(kept)
    vad = toy.stages["vad"]
    assert isinstance(vad, Vad)
    heard: list[int] = []
    push = vad.detector.push

    def noted(samples: Samples, closely: bool = False) -> list[float]:
        heard.append(len(samples))
        return push(samples, closely)

    vad.detector.push = noted  # type: ignore[method-assign]
    snapshots = Snapshots(toy)
    snapshot = snapshots.before(13.0)
    assert snapshot is not None
    snapshots.begin_at(snapshot)
    assert sum(heard) == vad.reader.at > 9 * 16_000


def test_what_was_said_before_is_remembered(kept: Path) -> None:
    whole, late = built(kept), built(kept)
    play(whole)
    snapshots = Snapshots(late)
    snapshot = snapshots.before(13.0)
    assert snapshot is not None
    snapshots.begin_at(snapshot)
    play(late)
    ids = [toy.stages["llm"].sequence.ids for toy in (whole, late)]  # type: ignore[attr-defined]
    assert ids[0] == ids[1] and len(ids[0]) > 50


def test_no_snapshot_lies_before_the_first(kept: Path) -> None:
    assert Snapshots(built(kept)).before(5.0) is None


def test_a_damaged_snapshot_is_passed_over(damaged: Path) -> None:
    (path,) = (damaged / SNAPSHOTS).glob("*.npz")
    whole = path.read_bytes()
    middle = len(whole) // 2
    for spoilt in (b"", whole[:middle], whole[:middle] + b"x" * 40 + whole[middle + 40 :], b"no archive"):
        path.write_bytes(spoilt)
        assert Snapshots(built(damaged)).before(13.0) is None


def test_another_programs_snapshot_is_passed_over(damaged: Path) -> None:
    (path,) = (damaged / SNAPSHOTS).glob("*.npz")
    with np.load(path) as found:
        arrays = dict(found)
    text = arrays["text"].tobytes().replace(b'"key": "', b'"key": "0')
    np.savez(path, **(arrays | {"text": np.frombuffer(text, np.uint8)}))
    assert Snapshots(built(damaged)).before(13.0) is None


def test_the_command_begins_there(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(kept), "--from", "12.5 s"]) == 0
    said = capsys.readouterr()
    assert "at a snapshot" in said.err and "the same to the bit" in said.err
    assert "puddles" in said.out and "name" not in said.out


@pytest.mark.parametrize("time", ["a while", "12 km", "-3 s", "1000 s"])
def test_a_time_that_is_none_is_refused(kept: Path, time: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(["replay", str(kept), f"--from={time}"])
    except SystemExit as refusal:
        code = int(str(refusal.code))
    assert code == 2 and "Traceback" not in capsys.readouterr().err


VALUES: list[Any] = [
    None,
    True,
    3,
    2.5,
    "text",
    (1, "two"),
    [1.0, None],
    deque([1, 2]),
    {1, 2},
    {"a": [1], 3: None},
    Mark(2, 1),
    State.LISTENING,
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.float32(0.1),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_what_is_frozen_thaws_as_it_was(value: Any) -> None:
    arrays = Arrays()
    again_ = thawed(frozen(value, arrays), arrays)
    assert type(again_) is type(value) and same(again_, value)


def test_a_random_number_goes_on_where_it_was() -> None:
    random, arrays = Random(3), Arrays()
    random.random()
    assert thawed(frozen(random, arrays), arrays).random() == random.random()


@pytest.mark.parametrize(
    "told",
    [
        {"object": "os:system", "has": {}},
        {"object": "epsilon.nothing:There", "has": {}},
        {"enum": "epsilon.turn:Mark", "is": "now"},
        {"named": "epsilon.turn:Turn", "has": []},
        {"array": 7},
        {"lambda": "x"},
        {},
    ],
)
def test_what_nobody_froze_does_not_thaw(told: Any) -> None:
    with pytest.raises(TakeError):
        thawed(told, Arrays())


def test_a_place_that_a_toy_lacks_is_refused(kept: Path) -> None:
    toy = built(kept).toy
    start_of(toy)
    for path in ("vad.company.soul", "nobody.at", "effects.chain.99.mix"):
        with pytest.raises(TakeError, match=r"no "):
            put(toy, path, 1)
