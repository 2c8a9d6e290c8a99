"""The voice's bench in miniature: what is timed, how it is counted, compared and printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from epsilon.engines.protocols import Chunk
from tests.models import kokoro, tiny
from tools.bench.peers.comparison import Subject
from tools.bench.peers.serving import once
from tools.bench.tts import ALL, FIRST, FIRST_PIECE, ONE_SHOT, PHRASE, RUNTIMES
from tools.bench.tts import __main__ as bench
from tools.bench.tts.measuring import PEER_TASKS, Measured, Plan, Row, Voice, measure, median
from tools.bench.tts.own import Say, first_piece, seconds, task

TASKS = (ONE_SHOT, FIRST, ALL, FIRST_PIECE)


def row(name: str, sound_s: float = 2.0, **took_ms: float) -> Row:
    """A voice that always took so long for its tasks, whose names have _ for what is no letter."""
    names = {name.replace("-", "_").replace(" ", "_"): name for name in TASKS}
    tasks = {
        names[task]: Subject(name, None, names[task], "", [ms] * 3, [ms] * 3, str(sound_s))
        for task, ms in took_ms.items()
    }
    return Row(name, tasks)


def chunks(pulled: list[int]) -> Iterator[Chunk]:
    """Three of a quarter of a second, which note that they were asked for."""
    for number in range(3):
        pulled.append(number)
        yield Chunk(np.zeros(6000, np.float32), 24_000)


def test_the_phrase_has_twelve_words_and_its_first_piece_fewer() -> None:
    assert len(PHRASE.split()) == 12
    assert PHRASE.startswith(first_piece(PHRASE)) and len(first_piece(PHRASE).split()) == 5


def test_sound_is_counted_in_seconds_and_a_voice_is_loaded_before_the_time_counts() -> None:
    pulled: list[int] = []
    loaded = []

    def voice() -> Say:
        loaded.append(True)
        return lambda text: chunks(pulled)

    made = task(voice, lambda say, text: seconds(say(text)))
    run = made.prepare(np.array(PHRASE))
    assert loaded and not pulled
    assert run() == 0.75 and pulled == [0, 1, 2]
    assert float(once(made, np.array(PHRASE)).text) == 0.75


def test_rows_tell_ratios_and_how_many_times_slower_than_sound() -> None:
    one = row("pocket, onnx", one_shot=40, first=10, all=100, first_piece=8)
    assert one.ratios(FIRST, ONE_SHOT, "cpu_ms") == [0.25] * 3
    assert one.real_time_factors("wall_ms") == [0.05] * 3
    assert median(row("x").ratios(FIRST, ONE_SHOT, "cpu_ms")) is None


def test_goals_compare_with_the_one_shot_and_with_the_peer() -> None:
    own = row("pocket, onnx", one_shot=100, first=10, all=100, first_piece=8)
    beside = row("pocket, onnx, beside ears and mind", all=500)
    windows = row(f"{bench.WINDOWS}, onnx", first=200, first_piece=100, all=900)
    found = Measured([own, beside, windows], row("kokoro-onnx", one_shot=800, first=800))
    said = [str(goal) for goal in bench.goals(found)]
    assert said[0].startswith("pocket, onnx, first sound / one-shot, by the clock: 0.100") and said[
        0
    ].endswith(": reached")
    assert said[2].startswith("pocket, onnx, time / sound, by the clock: 0.050")
    assert said[3].endswith("at most 0.2: NOT reached")
    assert said[4].startswith(
        "kokoro-onnx / Kokoro RANDOM in windows, onnx, first sound, by the clock: 8.000"
    )
    assert said[4].endswith("at least 5: reached") and len(said) == 10


def test_what_was_not_measured_has_no_numbers_and_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    lost = Row("kokoro-onnx", {task: Subject("kokoro-onnx", None, task, "no wheel") for task in PEER_TASKS})
    own = row(f"{bench.WINDOWS}, openvino", first=10, first_piece=8)
    found = Measured([own], lost)
    bench.print_rows(found)
    assert "not measured: no wheel" in capsys.readouterr().out
    assert all(str(goal).endswith("not measured") for goal in bench.goals(found))


def test_every_voice_and_runtime_has_its_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On tiny networks: the whole way, but for ears and mind and for the peer."""
    pocket, cut = tmp_path / "pocket", tmp_path / "cut"
    pocket.mkdir()
    cut.mkdir()
    kokoro.cut_voice(cut)
    (cut / "whole.onnx").unlink()
    voices = [
        Voice(f"{bench.WINDOWS}, {runtime}", cut, "kokoro", runtime, tasks=(FIRST, ALL, FIRST_PIECE))
        for runtime in RUNTIMES
    ]
    tiny.voice(pocket, streams=True)
    voices.append(Voice("pocket, onnx", pocket, "styletts2", "onnx", beside=True))
    found = measure(Plan(voices, tmp_path / "kept", 1, (0, None)))
    bench.print_rows(found)
    printed = capsys.readouterr().out
    assert [one.name for one in found.rows] == [voice.name for voice in voices] + [
        "pocket, onnx, beside ears and mind"
    ]
    assert all(one.real_time_factors("cpu_ms") for one in found.rows[:2])
    assert (
        "no symbol" in found.rows[2].why_not
    )  # the tiny voice knows no phonemes: a worker that dies is a row
    assert "not measured: there is one core alone" in printed


def test_ears_and_mind_that_do_not_load_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    voice = Voice("pocket, onnx", tmp_path, "styletts2", "onnx", beside=True)
    monkeypatch.setattr(bench, "_plan", lambda given: Plan([voice], tmp_path, 1, (0, 0), board="hots"))
    assert bench.main([]) == 2
    assert "ears and mind of board hots ended before they worked" in capsys.readouterr().err
