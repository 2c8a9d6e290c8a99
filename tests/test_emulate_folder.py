"""A folder of recordings: a row each, whatever one of them is; what is done is kept; what got worse is said."""

from __future__ import annotations

import csv
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import ray
import soundfile

from epsilon.__main__ import main
from epsilon.emulation.conversation import Outcome
from epsilon.emulation.folder import tables
from epsilon.emulation.folder.against import compare
from epsilon.emulation.folder.job import Job, Row, Setting
from epsilon.emulation.folder.run import Run, jobs_of, read_rows
from epsilon.emulation.folder.workers import LOCAL, here, on_ray
from epsilon.errors import AudioFileError, EpsilonError

SETTING = Setting("host", "odette", None, "lockstep")
COUNTS = {"overruns": 0, "underruns": 0, "stale": 2, "laps": 0}


def sound(path: Path, text: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(1600), 16_000)
    if text is not None:
        path.with_suffix(".txt").write_text(text)
    return path


def scripted(job: Job) -> Outcome:
    """What the name of a recording asks for."""
    if job.path.stem == "broken":
        raise AudioFileError("is broken", job.path.name)
    if job.path.stem == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    turn = {
        "user": {"text": "do you like puddles"},
        "replies": [{"text": "Oh, puddles!"}],
        "tifu": {"answer_ms": 640.0},
        "cut_in": False,
    }
    quiet = np.zeros(160, np.float32)
    return Outcome({"turns": [turn], "counts": COUNTS}, quiet, quiet)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sound(tmp_path / "in" / "a.wav", "Do you like the puddles?")
    for name in ("broken.wav", "deadly.wav", "more/b.wav"):
        sound(tmp_path / "in" / name)
    return tmp_path / "in"


def play(jobs: list[Job]) -> list[Row]:
    run = Run(jobs)
    return run.take(here(run.left, 2, scripted), lambda row, done, of: None)


def test_one_that_is_broken_and_one_that_kills_its_process_stop_no_other(folder: Path) -> None:
    rows = {row.name: row for row in play(jobs_of(folder, folder.parent / "out", SETTING))}
    assert rows["broken"].error == "broken.wav: is broken"
    assert rows["deadly"].error == "its process died (SIGKILL)"
    assert rows["a"] == Row("a", "", 1, 5, 1, 640.0, 0, 0, "do you like puddles", ("Oh, puddles!",))
    assert rows["a"].wer == 20
    assert (rows["more/b"].words, rows["more/b"].wer) == (-1, None)  # nobody says what it says


def test_what_is_played_already_is_played_again_only_when_anything_has_changed(folder: Path) -> None:
    out = folder.parent / "out"

    def left() -> list[str]:
        return [job.name for job in Run(jobs_of(folder, out, SETTING)).left]

    assert left() == ["a", "broken", "deadly", "more/b"]
    play(jobs_of(folder, out, SETTING))
    assert left() == ["broken", "deadly"]  # what failed is tried again
    soundfile.write(folder / "more" / "b.wav", np.ones(1600) / 4, 16_000)
    assert left() == ["broken", "deadly", "more/b"]
    (folder / "a.txt").write_text("something else")
    assert left() == ["a", "broken", "deadly", "more/b"]
    assert len(Run(jobs_of(folder, out, replace(SETTING, character="bram"))).left) == 4


@pytest.mark.parametrize(
    ("files", "message"),
    [((), "holds no recording"), (("a.wav", "a.flac"), "'a.wav' and 'a.flac' have one name")],
)
def test_a_folder_that_cannot_be_played(tmp_path: Path, files: tuple[str, ...], message: str) -> None:
    for name in files:
        sound(tmp_path / name)
    with pytest.raises(AudioFileError, match=message):
        jobs_of(tmp_path, tmp_path / "out", SETTING)


def test_answers_that_lie_inside_the_folder_are_no_recordings(folder: Path) -> None:
    """`epsilon emulate .` puts them into ./out."""
    out = folder / "out"
    names = [job.name for job in jobs_of(folder, out, SETTING)]
    sound(out / "a" / "reply.wav")
    assert [job.name for job in jobs_of(folder, Path(os.path.relpath(out)), SETTING)] == names
    with pytest.raises(AudioFileError, match="would lie among the recordings"):
        jobs_of(folder, folder, SETTING)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"name": "a", "colour": "red", "replies": []}'])
def test_a_damaged_row_is_said_and_played_again(folder: Path, damage: str) -> None:
    jobs = jobs_of(folder, folder.parent / "out", SETTING)
    play(jobs)
    (jobs[0].out / "row.json").write_text(damage)
    with pytest.raises(AudioFileError, match="is no row of a run"):
        read_rows(folder.parent / "out")
    assert jobs[0] in Run(jobs).left


def row(name: str, tifu_ms: float = 500, errors: int = 1) -> Row:
    return Row(name, "", 1, 10, errors, tifu_ms)


NAMES = "abcdefghij"


def rows(change: Callable[[int], float]) -> list[Row]:
    return [row(name, 500 + change(at)) for at, name in enumerate(NAMES)]


def test_times_that_only_tremble_are_no_change() -> None:
    found = compare(rows(lambda at: 0), rows(lambda at: (-1) ** at * 8))
    assert not found.got_worse
    assert not any(change.better for change in found.changes)


def test_times_that_all_grew_are_worse_and_the_other_way_round_better() -> None:
    now = rows(lambda at: 40 + (-1) ** at * 8)
    worse, better = compare(rows(lambda at: 0), now), compare(now, rows(lambda at: 0))
    assert [change.measure.name for change in worse.changes if change.worse] == ["TIFU"]
    assert [change.measure.name for change in better.changes if change.better] == ["TIFU"]
    assert worse.got_worse and not better.got_worse


def test_one_recording_that_got_worse_is_named() -> None:
    before = [row(name) for name in NAMES]
    now = [replace(one, word_errors=3, cut_ins=1) if one.name == "c" else one for one in before]
    assert compare(before, now).worse == {"c": ("WER 10 → 30 %", "cut-ins 0 → 1")}


def test_recordings_of_only_one_run_are_named() -> None:
    found = compare([row("a"), row("b")], [row("b"), row("c")])
    assert (found.only_before, found.only_now) == (("a",), ("c",))


def test_the_files_that_a_run_leaves(tmp_path: Path) -> None:
    before = [row("a"), row("b"), row("c")]
    now = [row("a"), row("b", errors=4), Row("c", error="c.wav: is broken", heard="\x07 bell")]
    tables.write(tmp_path, now, compare(before, now))
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("errors"), suite.get("failures")) == ("3", "1", "1")
    cases = {case.get("name"): case for case in suite}
    worse, broken = cases["b"].find("failure"), cases["c"].find("error")
    assert worse is not None and worse.get("message") == "WER 10 → 40 %"
    assert broken is not None and broken.get("message") == "c.wav: is broken"
    with (tmp_path / "table.csv").open() as file:
        assert [line["word_errors"] for line in csv.DictReader(file)] == ["1", "4", "0"]
    text = (tmp_path / "table.txt").read_text()
    assert "2 of 3" in text and "c  c.wav: is broken" in text


def test_the_command_plays_real_recordings_says_how_far_it_is_and_what_got_worse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, out = tmp_path / "in", tmp_path / "out"
    given.mkdir()
    shutil.copy("tests/takes/nobody-speaks/in.wav", given / "quiet.wav")
    (given / "quiet.txt").write_text("")
    (given / "empty.wav").write_bytes(b"")
    assert main(["emulate", str(given), "--out", str(out), "--jobs", "2"]) == 1
    told = capsys.readouterr()
    assert "2/2" in told.err and "1 of 2" in told.out and "is empty: 0 bytes" in told.out
    (given / "empty.wav").unlink()
    assert main(["emulate", str(given), "--out", str(out), "--against", str(out)]) == 0
    told = capsys.readouterr()
    assert "1 of 1 are played already" in told.err and "only in the earlier run: empty" in told.out
    assert (out / "quiet" / "conversation.json").is_file()


def test_what_is_for_a_folder_is_refused_for_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emulate", "tests/takes/three-turns/in.wav", "--jobs", "2"]) == 2
    assert "--jobs is for a folder of recordings" in capsys.readouterr().err


@pytest.mark.slow
def test_a_cluster_on_this_machine_gives_the_same_rows(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    shutil.copy("tests/takes/nobody-speaks/in.wav", tmp_path / "in" / "quiet.wav")
    shutil.copy("tests/takes/good-morning-bram/in.wav", tmp_path / "in" / "bram.wav")
    (tmp_path / "in" / "broken.wav").write_bytes(b"RIFF")
    alone, many = (Run(jobs_of(tmp_path / "in", tmp_path / name, SETTING)) for name in ("alone", "ray"))
    rows = alone.take(here(alone.left, 2), lambda row, done, of: None)
    assert [bool(row.error) for row in rows] == [False, True, False] and rows[0].heard
    assert many.take(on_ray(many.left, LOCAL), lambda row, done, of: None) == rows


def test_no_cluster_at_an_address_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object, **named: object) -> None:
        raise RuntimeError("Failed to connect to GCS.")  # as Ray 2.60 does, after 41 s

    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(EpsilonError, match="no Ray cluster answers at 'far:1'"):
        list(on_ray([], "far:1"))
