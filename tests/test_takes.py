"""Takes: a conversation that is kept plays again as it was, and what differs is found where it first differs."""

from __future__ import annotations

import copy
import dataclasses
import json
import shutil
import subprocess
import sys
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from epsilon.__main__ import main
from epsilon.audio_files import read_audio
from epsilon.clock import MonotonicClock
from epsilon.config.board import Board, load_board
from epsilon.config.character import load_character
from epsilon.devices.portaudio import PortAudioCard
from epsilon.devices.wav import WavCard
from epsilon.emulation.runner import Emulation
from epsilon.errors import StageDied
from epsilon.hardware import Switches
from epsilon.hardware.senses import Readings
from epsilon.takes.again import Again, AgainByWork, again
from epsilon.takes.checks import LOCKSTEP, REALTIME
from epsilon.takes.comparison import compare
from epsilon.takes.folder import Take, TakeError, read_take
from epsilon.takes.recording import Recording, keeping
from epsilon.takes.report import changes, verdict_lines
from epsilon.toy import Toy, running
from tests import virtual_card
from tests.test_bench import demand
from tools.takes import FOLDER

RATE_HZ = 16_000


def keep(folder: Path, name: str, pace: str) -> Take:
    """A reference take, played and kept."""
    recording = read_audio(FOLDER / name / "in.wav")
    Emulation(load_board("host"), load_character("odette"), [recording], pace, folder).run(lambda news: None)
    return read_take(folder)


def play(take: Take, board: Board | None = None) -> Again:
    """Play it again."""
    found = again(take, board or load_board("host"), load_character("odette"))
    for _ in found.run():
        pass
    return found


def test_a_disk_that_is_full_is_said(tmp_path: Path) -> None:
    script = """
import resource, signal, sys
from epsilon.__main__ import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.exit(main(["emulate", sys.argv[1], "--take", sys.argv[2]]))
"""
    sound, take = FOLDER / "nobody-speaks" / "in.wav", tmp_path / "take"
    done = subprocess.run([sys.executable, "-c", script, sound, take], capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("Traceback")) == (2, 0), done.stderr
    assert f"{take}: cannot be written" in done.stderr and not take.exists()


def heard(found: Again) -> list[tuple[str, str]]:
    """What the user said, and what was heard of the answers."""
    return [(record.user_text, record.heard_text) for record in found.toy.journal.turns]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A take in lock-step, for all tests to look at."""
    folder = tmp_path_factory.mktemp("takes") / "barge-in"
    keep(folder, "barge-in", LOCKSTEP)
    return folder


@pytest.fixture
def damaged(kept: Path, tmp_path: Path) -> Path:
    """A copy, to be spoilt."""
    return Path(shutil.copytree(kept, tmp_path / "damaged"))


def test_a_take_plays_again_to_the_bit(kept: Path) -> None:
    take = read_take(kept)
    found = play(take)
    verdict = compare(take.messages, found.found, by_ring=False)
    assert verdict.identical, "\n".join(verdict_lines(take, verdict, []))
    assert verdict.count > 100
    assert changes(take, found.toy) == []
    kinds = {line["message"]["kind"] for line in take.messages}
    assert kinds >= {"Speech", "Words", "Understood", "Token", "Phrase", "Sound", "Heard", "News"}


def test_a_take_keeps_the_sound_to_the_bit(kept: Path) -> None:
    take, recording = read_take(kept), read_audio(FOLDER / "barge-in" / "in.wav")
    np.testing.assert_array_equal(take.microphone[: len(recording)], recording)
    assert not take.microphone[len(recording) :].any()
    assert np.abs(take.played).max() > 0.05
    assert soundfile.info(str(kept / "in.wav")).subtype == "PCM_16", "16 bits hold what came in 16 bits"


def test_another_rule_is_found_where_it_first_matters(kept: Path) -> None:
    take, board = read_take(kept), load_board("host")
    patient = dataclasses.replace(board, turn=dataclasses.replace(board.turn, prepare_ms=500.0))
    found = play(take, patient)
    verdict = compare(take.messages, found.found, by_ring=False)
    changed = changes(take, found.toy)
    assert changed == [f"board.settings.turn.prepare_ms was {board.turn.prepare_ms!r}, is 500.0"]
    assert verdict.difference is not None and 0 < verdict.difference.at_s < 3
    said = "\n".join(verdict_lines(take, verdict, changed))
    assert "first difference, at" in said and "time_s=" in said


@pytest.mark.slow
def test_what_threads_did_plays_again_in_lock_step(tmp_path: Path) -> None:
    take = keep(tmp_path / "take", "barge-in", REALTIME)
    found = play(take)
    assert isinstance(found, AgainByWork) and not found.lost
    verdict = compare(take.messages, found.found, by_ring=True)
    assert verdict.identical, "\n".join(verdict_lines(take, verdict, []))
    first, second = heard(found)
    assert "Once," in first[1] and second[0] == "no tell me about the moon"


def test_what_took_a_boards_time_plays_again_without(tmp_path: Path) -> None:
    recording = read_audio(FOLDER / "barge-in" / "in.wav")
    board, other = load_board("host"), load_board("orangepi5")
    emulation = Emulation(
        board, load_character("odette"), [recording], LOCKSTEP, tmp_path / "take", pace_of=other
    )
    slow = emulation.run(lambda news: None)
    quick = Emulation(board, load_character("odette"), [recording], LOCKSTEP).run(lambda news: None)
    waits = [[turn["tifu"]["answer_ms"] for turn in one.conversation["turns"]] for one in (slow, quick)]
    assert waits[0] != waits[1], "on that board it takes time"
    take = read_take(tmp_path / "take")
    found = play(take)
    verdict = compare(take.messages, found.found, by_ring=True)
    assert verdict.identical, "\n".join(verdict_lines(take, verdict, []))


class Tired:
    """Feels how its battery becomes low."""

    def __init__(self) -> None:
        self.percent = iter((60.0, 12.0))

    def start(self) -> None: ...

    def read(self) -> Readings:
        return Readings(percent=next(self.percent, 12.0), celsius=41.0)


@pytest.mark.slow
def test_what_hands_did_and_what_was_felt_is_in_the_take(tmp_path: Path) -> None:
    """The microphone is switched off in mid-word, the volume turned down, the battery gets low; all of it again."""
    board, clock, switches = load_board("host"), MonotonicClock(), Switches()
    recording = read_audio(FOLDER / "three-turns" / "in.wav")[: 12 * RATE_HZ]
    recorded = Recording(tmp_path / "take", clock)
    card = WavCard(board.audio, clock, recording)
    character = load_character("odette")
    toy = Toy(board, character, card, recorded.clock, switches=switches, feeling=Tired())
    recorded.attach(toy, REALTIME)
    told: list[str] = []
    with keeping(recorded), running(toy):
        hands = iter(
            [
                (1.2, partial(switches.mute, True)),
                (1.5, partial(switches.mute, False)),
                (2.0, partial(switches.turn_volume, -4)),
            ]
        )
        at_s, move = next(hands)
        while clock.now() < card.time_of(len(recording)):
            told += [news.what for news in toy.watch(0.05)]
            if clock.now() > card.time_of(0) + at_s:
                move()
                at_s, move = next(hands, (inf, move))
    take = read_take(tmp_path / "take")
    seen = {(line["by"], line["seen"], str(line["value"])) for line in take.lines if "seen" in line}
    assert ("vad", "muted", "True") in seen
    read = [line for line in take.lines if line.get("stage") in ("body", "playback")]
    assert any(6 in line["reads"].get("volume", ()) for line in read)
    assert any([12.0, False, 41.0] in line["reads"].get("read", ()) for line in read)
    assert "ignored" in told and "standing" in told and "volume" in told
    found = play(take)
    verdict = compare(take.messages, found.found, by_ring=True)
    assert verdict.identical, "\n".join(verdict_lines(take, verdict, []))
    assert any(line["message"]["kind"] == "Announcement" for line in found.found)


@pytest.mark.slow
@pytest.mark.card
def test_what_was_said_to_a_sound_card_plays_again(tmp_path: Path) -> None:
    demand(virtual_card.missing())
    board, clock = load_board("host"), MonotonicClock()
    recording = read_audio(FOLDER / "barge-in" / "in.wav")
    folder, told = tmp_path / "take", list[str]()
    with virtual_card.virtual_card(tmp_path / "card") as sound:
        board = dataclasses.replace(
            board, audio=dataclasses.replace(board.audio, device="portaudio", card=virtual_card.CARD)
        )
        recorded = Recording(folder, clock)
        toy = Toy(board, load_character("odette"), PortAudioCard(board.audio, clock), recorded.clock)
        recorded.attach(toy, REALTIME)
        with keeping(recorded), running(toy):
            sound.play(recording)
            end_s = clock.now() + len(recording) / RATE_HZ + 4
            while clock.now() < end_s:
                told += [news.text for news in toy.watch(0.5) if news.what in ("heard", "cut")]
                recorded.flush()
    take = read_take(folder)
    assert take.header["hears_itself"] and len(told) >= 2
    found = play(take, board)
    verdict = compare(take.messages, found.found, by_ring=True)
    assert verdict.difference is None, "\n".join(verdict_lines(take, verdict, []))
    assert [text for _, text in heard(found)] == told


def test_a_toy_that_dies_leaves_a_whole_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    emulation = Emulation(
        load_board("host"),
        load_character("odette"),
        [np.zeros(RATE_HZ, np.float32)],
        LOCKSTEP,
        tmp_path / "take",
    )

    step, steps = emulation.toy.step, iter(range(50))

    def die_later() -> None:
        if next(steps, None) is None:
            raise StageDied("tts died: out of breath")
        step()

    monkeypatch.setattr(emulation.toy, "step", die_later)
    with pytest.raises(StageDied):
        emulation.run(lambda news: None)
    take = read_take(tmp_path / "take")
    assert take.header["ended"] == "died: tts died: out of breath"
    assert len(take.microphone) == 50 * emulation.card.block_frames


def test_what_lies_in_the_folder_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(TakeError, match="is there already"):
        Recording(tmp_path, MonotonicClock())


def test_the_command_compares_and_says_so(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(kept)]) == 0
    assert "the same to the bit" in capsys.readouterr().err


def test_the_command_says_what_differs(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (damaged / "messages.jsonl").read_text(encoding="utf-8")
    assert '"text":"Once,' in text
    (damaged / "messages.jsonl").write_text(text.replace('"text":"Once,', '"text":"Twice,'), encoding="utf-8")
    assert main(["replay", str(damaged)]) == 1
    said = capsys.readouterr().err
    assert "first difference" in said and "Twice," in said and "Once," in said


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("take.json", '"format": 1', '"format": 99', "this program reads 1"),
        (
            "take.json",
            '"pace": "lockstep"',
            '"pace": "walking"',
            "'pace' should be lockstep or realtime or board",
        ),
        ("take.json", '"start_s"', '"begin_s"', "'start_s' is missing"),
        ("take.json", '"frames": ', '"frames": 1', "frames"),
        ("messages.jsonl", '"kind":"Speech"', '"kind":7', "messages.jsonl:"),
        ("messages.jsonl", '{"n":', '["n":', "is no JSON"),
    ],
)
def test_a_damaged_take_is_refused_with_its_place(
    damaged: Path, name: str, before: str, after: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (damaged / name).read_text(encoding="utf-8")
    assert before in text
    (damaged / name).write_text(text.replace(before, after, 1), encoding="utf-8")
    assert main(["replay", str(damaged)]) == 2
    told = capsys.readouterr()
    assert said in told.err and told.out == ""


@pytest.mark.parametrize(
    ("work", "said"),
    [
        ({"stage": "asr", "took": 9, "left": 0, "reads": {}}, "asr has no inbox 9"),
        ({"stage": "vad", "heard": 0, "reads": {"now": [1.5]}}, "each with a frame"),
    ],
)
def test_work_that_no_stage_can_have_done_is_refused(
    damaged: Path, work: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    header = (damaged / "take.json").read_text(encoding="utf-8")
    (damaged / "take.json").write_text(header.replace('"pace": "lockstep"', '"pace": "realtime"'))
    line = {"n": 0, "t": 0.0, "turns": 0, "puts": 0, "stale": 0, **work}
    (damaged / "messages.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    assert main(["replay", str(damaged)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", ["take.json", "messages.jsonl", "in.wav", "played.wav"])
def test_a_missing_file_is_named(damaged: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (damaged / name).unlink()
    assert main(["replay", str(damaged)]) == 2
    assert name in capsys.readouterr().err


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_a_take_it_is_read_or_refused(
    damaged: Path, kept: Path, data: st.DataObject
) -> None:
    """A value anywhere in either file is replaced by another one, or goes."""
    name = data.draw(st.sampled_from(["take.json", "messages.jsonl"]))
    texts = (kept / name).read_text(encoding="utf-8")
    lines = [texts] if name == "take.json" else texts.splitlines()
    place = data.draw(st.integers(0, len(lines) - 1))
    table = json.loads(lines[place])
    inner, key = table, data.draw(st.sampled_from(sorted(table)))
    while isinstance(inner[key], dict) and inner[key] and data.draw(st.booleans()):
        inner = inner[key]
        key = data.draw(st.sampled_from(sorted(inner)))
    if data.draw(st.booleans()):
        inner[key] = data.draw(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text(max_size=5)
            | st.just([])
            | st.just({})
        )
    else:
        del inner[key]
    lines[place] = json.dumps(table)
    for file in ("take.json", "messages.jsonl"):
        shutil.copy(kept / file, damaged / file)
    (damaged / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    try:
        take = read_take(damaged)
    except TakeError as refusal:
        assert str(damaged) in str(refusal)
        return
    compare(take.messages, read_take(kept).messages, by_ring=True)


def line(n: int, ring: str, **message: Any) -> dict[str, Any]:
    return {"n": n, "t": 0.0, "at": n * 1600, "ring": ring, "message": {"mark": [1, 0], **message}}


SAID = [
    line(0, "vad→news", kind="News", what="speech", time_s=0.5, text="", at=8000),
    line(1, "vad→asr", kind="Speech", start_at=0, end_at=8000, paused=False, last=False),
    line(2, "asr→llm", kind="Words", committed=["hello"], tail=[]),
    line(3, "llm→vad", kind="Understood", words=["hello"], finished=0.75),
    line(
        4,
        "tts→effects",
        kind="Sound",
        index=0,
        text="Hi.",
        samples={"frames": 100, "level_db": -20.0, "sha": "a"},
    ),
]


def changed(place: int, **fields: Any) -> list[dict[str, Any]]:
    found = copy.deepcopy(SAID)
    found[place]["message"].update(fields)
    return found


def test_other_words_are_a_difference_and_other_numbers_a_drift() -> None:
    assert compare(SAID, copy.deepcopy(SAID), by_ring=False).identical
    words = compare(SAID, changed(2, committed=["yellow"]), by_ring=False)
    assert (
        words.difference is not None
        and words.difference.keys == ("committed",)
        and words.difference.at_s == 0.2
    )
    drifts: list[tuple[int, dict[str, Any], str, float]] = [
        (1, {"end_at": 8016}, "positions (ms)", 1.0),
        (3, {"finished": 0.76}, "probabilities (%)", 1.0),
        (
            4,
            {"samples": {"frames": 116, "level_db": -20.0, "sha": "b"}},
            "phrases whose sound differs, in length (ms)",
            1.0,
        ),
    ]
    for place, fields, what, most in drifts:
        moved = compare(SAID, changed(place, **fields), by_ring=False)
        assert moved.difference is None and not moved.identical
        assert moved.drifts[what].count == 1 and moved.drifts[what].most == pytest.approx(most), what


def test_an_opinion_that_is_missing_is_more_than_a_drift() -> None:
    assert compare(SAID, changed(3, finished=None), by_ring=False).difference is not None


def test_sound_in_other_pieces_is_the_same_phrase() -> None:
    halves = [{"frames": 60, "level_db": -20.0, "sha": "c"}, {"frames": 40, "level_db": -20.0, "sha": "d"}]
    found = SAID[:4] + [
        line(4 + n, "tts→effects", kind="Sound", index=0, text="Hi.", samples=half)
        for n, half in enumerate(halves)
    ]
    verdict = compare(SAID, found, by_ring=False)
    assert verdict.difference is None and [*verdict.drifts] == ["phrases whose sound differs, in length (ms)"]


def test_what_is_missing_and_what_is_too_much_is_a_difference() -> None:
    missing = compare(SAID, SAID[:3] + SAID[4:], by_ring=True).difference
    assert missing is not None and missing.found is None and missing.taken == SAID[3]
    more = compare(SAID[:3] + SAID[4:], SAID, by_ring=True).difference
    assert more is not None and more.taken is None and more.found == SAID[3]


def test_decisions_in_another_order_are_a_difference() -> None:
    other = line(5, "llm→news", kind="News", what="silent", time_s=0.6, text="", at=-1)
    first, second = [*SAID, other], [SAID[0], other, *SAID[1:]]
    assert compare(first, second, by_ring=True).identical
    assert compare(first, [other, *SAID], by_ring=False).difference is not None
