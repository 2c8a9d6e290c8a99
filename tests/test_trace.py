"""The trace: rows, spans that lie inside each other, arrows with two ends, counters; and it changes nothing."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from epsilon.audio_files import read_audio
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.emulation.runner import Emulation
from epsilon.emulation.trace import Timed, beside
from epsilon.hardware.senses import Readings
from epsilon.stages.body import Body
from epsilon.takes.checks import LOCKSTEP, REALTIME
from epsilon.takes.comparison import compare
from epsilon.toy import STAGES
from tools.takes import FOLDER

Event = dict[str, Any]


def emulate(pace: str = LOCKSTEP, traced: bool = True) -> Emulation:
    recording = read_audio(FOLDER / "barge-in" / "in.wav")
    emulation = Emulation(load_board("host"), load_character("odette"), [recording], pace, traced=traced)
    emulation.run(lambda news: None)
    return emulation


def written(emulation: Emulation, path: Path) -> list[Event]:
    assert emulation.trace is not None
    emulation.trace.write(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["otherData"]["character"] == "odette"
    return list(document["traceEvents"])


@pytest.fixture(scope="module", params=[LOCKSTEP, pytest.param(REALTIME, marks=pytest.mark.slow)])
def events(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    return written(emulate(request.param), tmp_path_factory.mktemp("trace") / "trace.json")


def of(events: list[Event], phase: str) -> list[Event]:
    return [event for event in events if event["ph"] == phase]


def test_every_stage_has_a_row_in_the_order_of_the_sound(events: list[Event]) -> None:
    rows = {
        event["tid"]: event["args"]["name"] for event in of(events, "M") if event["name"] == "thread_name"
    }
    named = [rows[tid] for tid in sorted(rows)]
    assert [name for name in named if name in STAGES] == [stage for stage in STAGES if stage in named]
    assert {"vad", "asr", "llm", "tts", "playback"} <= {*named}


def test_engine_calls_lie_inside_the_work_of_their_stage(events: list[Event]) -> None:
    rows: dict[tuple[int, int], list[Event]] = defaultdict(list)
    for span in of(events, "X"):
        assert span["dur"] >= 0 and span["args"]["cpu_ms"] >= 0
        rows[span["pid"], span["tid"]].append(span)
    engines = [span for span in of(events, "X") if span["cat"] == "engine"]
    assert {span["name"] for span in engines} >= {
        "detector.push",
        "recognizer.hear",
        "model.step",
        "synthesizer.speak",
    }
    for engine in engines:
        around = [
            span
            for span in rows[engine["pid"], engine["tid"]]
            if span["cat"] == "stage"
            and span["ts"] <= engine["ts"] + 1
            and engine["ts"] + engine["dur"] <= span["ts"] + span["dur"] + 1
        ]
        quiet = engine["name"].startswith(("detector", "end of turn", "model"))  # a tick that led to nothing
        assert around or quiet, engine


def test_arrows_lead_from_who_sent_a_message_to_who_took_it(events: list[Event]) -> None:
    sent, taken = ({event["id"]: event for event in of(events, phase)} for phase in "sf")
    assert len(sent) > 50 and taken.keys() <= sent.keys()
    assert len(sent) - len(taken) < 10, "what is on its way at the end"
    for key, event in taken.items():
        assert event["ts"] >= sent[key]["ts"] and event["name"] == sent[key]["name"]
        assert event["tid"] != sent[key]["tid"]


def test_rings_cache_and_cpu_are_counted(events: list[Event]) -> None:
    counters: dict[str, list[float]] = defaultdict(list)
    for event in of(events, "C"):
        counters[event["name"]].append(event["args"]["value"])
    assert counters["vad→asr"] and max(counters["tts→effects"]) >= 1
    assert all(0 <= value <= 256 for name, values in counters.items() if "→" in name for value in values)
    assert max(counters["KV length (tokens)"]) > 40
    assert max(counters["CPU llm (% of a core)"]) > 0


def test_what_is_traced_happens_as_without() -> None:
    traced, plain = emulate(), emulate()
    assert traced.taken is not None and plain.taken is not None
    assert compare(traced.taken.messages, plain.taken.messages, by_ring=False).identical


def test_an_accelerator_has_a_row_of_its_own() -> None:
    board = load_board("host")
    stages = board.stages | {
        "asr": dataclasses.replace(board.stages["asr"], runtime="rknn", npu_cores=(0, 1)),
        "llm": dataclasses.replace(board.stages["llm"], runtime="mlc", device="opencl"),
    }
    assert beside(board) == {}
    assert beside(dataclasses.replace(board, stages=stages)) == {"asr": "NPU 0,1", "llm": "GPU (opencl)"}


def test_battery_and_heat_are_counted() -> None:
    recording = np.zeros(16_000, np.float32)
    emulation = Emulation(load_board("host"), load_character("odette"), [recording], LOCKSTEP, traced=True)
    body, trace = emulation.toy.stages[-1], emulation.trace
    assert isinstance(body, Body) and trace is not None
    assert body.feeling.read() is None and not trace.counts, "in lock-step nothing is felt"
    trace._feels("read", Readings(percent=17.6, celsius=61.2))
    assert [(count.name, count.value) for count in trace.counts] == [("battery (%)", 18), ("heat (°C)", 61)]


def test_a_voice_is_timed_piece_by_piece() -> None:
    class Voice:
        name = "low"

        def speak(self) -> Any:
            yield from "abc"

    calls: list[str] = []

    def noted(name: str, work: Callable[[], Any]) -> Any:
        calls.append(name)
        return work()

    timed: Any = Timed(Voice(), ("speak",), noted)
    assert "".join(timed.speak()) == "abc" and timed.name == "low"
    assert calls == ["speak"] * 5  # to begin, three pieces, and to find that there are no more
