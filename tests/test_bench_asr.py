"""The ears' bench in miniature: who does how much work, and that nothing which failed looks measured."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.engines.asr.whisper import Whisper
from epsilon.realtime import Seat
from epsilon.runtimes import Array, Graph, Shape, onnx
from tests.models import tiny
from tests.sounds import vowels
from tools.bench.asr import ggml, own, spelling
from tools.bench.asr.__main__ import main
from tools.bench.asr.script import Script
from tools.bench.asr.sounds import kept, spoken
from tools.bench.asr.turns import listen
from tools.bench.peers.comparison import Goal, Subject, interleaved, print_times, ratios
from tools.bench.peers.serving import Task, once
from tools.bench.peers.workers import Worker, WorkerDied

END = 0
VOCABULARY = {f"Ġ{a}{b}{c}": 26 * 26 * i + 26 * j + k for i, a in enumerate("ab") for j, b in enumerate("cdef")
              for k, c in enumerate("ghij")}  # fmt: skip


class Counted:
    """A graph that counts its calls."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.calls = graph, 0
        self.inputs: Mapping[str, Shape] = graph.inputs
        self.outputs: Mapping[str, Shape] = graph.outputs

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        self.calls += 1
        return self.graph(feeds)


def calls(folder: Path, task: Callable[[Whisper], Task]) -> tuple[int, int, str]:
    """Passes of encoder and decoder in the timed part of a task, and the words."""
    encoder, decoder = (
        Counted(onnx.load(folder / f"{name}.onnx", Seat())) for name in ("encoder", "decoder")
    )
    made = task(Whisper(folder, encoder, decoder))
    run = made.prepare(vowels(3.0))
    encoder.calls = decoder.calls = 0
    words = made.text(run())
    return encoder.calls, decoder.calls, words


def test_what_was_heard_before_is_not_computed_again(tmp_path: Path) -> None:
    tiny.ears(tmp_path)
    cold = calls(tmp_path, own.cold)
    partial = calls(tmp_path, own.after_a_partial)
    encoded = calls(tmp_path, own.already_encoded)
    assert cold[2] and cold[2] == partial[2] == encoded[2]
    assert cold[0] >= 1 and cold[1] >= 2
    assert partial[0] <= cold[0] and partial[1] <= cold[1]
    assert encoded[:2] == (0, 0)


def test_a_script_says_as_many_words_as_were_asked_for(tmp_path: Path) -> None:
    tiny.ears(tmp_path)
    words = list(range(10, 40))
    script = Script(onnx.load(tmp_path / "decoder.onnx", Seat()), words, 1, END)
    ears = Whisper(tmp_path, onnx.load(tmp_path / "encoder.onnx", Seat()), script)
    hearing = ears.start()
    for count in (2, 5, 9):
        script.count = count
        ears.hear(hearing, vowels(1.0))
        assert hearing.ids == words[:count]


def test_a_worker_answers_and_says_why_it_died(tmp_path: Path) -> None:
    tiny.ears(tmp_path)
    sound = kept(tmp_path, "sound", vowels(2.0))
    program = [sys.executable, "-m", "tools.bench.asr.own", str(tmp_path), "onnx"]
    with Worker(program, tmp_path / "log") as worker:
        rows = [Subject(task, worker, task) for task in ("cold", "already encoded", "stream", "decoder 14")]
        lost = Subject("lost", worker, "no such task")
        interleaved(rows, sound, 2)
        interleaved([lost, rows[0]], sound, 1)
    assert all(len(row.cpu_ms) == 2 and min(row.cpu_ms) >= 0 for row in rows)
    assert rows[0].text == rows[1].text
    assert "no such task" in lost.failure and rows[0].failure
    assert ratios(rows[1], rows[2]) and ratios(lost, rows[1]) == []
    with pytest.raises(WorkerDied, match="not a folder"):
        Worker([sys.executable, "-c", "raise SystemExit('not a folder')"], tmp_path / "log")


def test_only_what_is_timed_is_timed() -> None:
    prepared: list[int] = []

    def prepare(sound: Array) -> Callable[[], int]:
        prepared.append(len(sound))
        return lambda: len(prepared)

    answer = once(Task(prepare), np.zeros(7, np.float32))
    assert prepared == [7] and answer.text == "1" and answer.cpu_s >= 0


def test_a_row_that_failed_or_said_other_words_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    good = Subject("ours", None, "cold", cpu_ms=[10.0, 20.0], text="a b")
    odd = Subject("theirs", None, "transcribe", cpu_ms=[30.0, 20.0], text="A C")
    gone = Subject("gone", None, "transcribe", "no wheel")
    print_times("three", [good, odd, gone], good, "a b")
    lines = capsys.readouterr().out.splitlines()
    assert "15.0" in lines[4] and "10.0" in lines[4] and "other words" not in lines[4]
    assert "2.00 (1.50 to 2.50)" in lines[5] and "other words: A C" in lines[5]
    assert "not measured: no wheel" in lines[6]


def test_a_goal_is_judged_by_the_median() -> None:
    assert str(Goal("x", [1.0, 2.0, 9.0], 2.0)).endswith("at most 2: reached")
    assert str(Goal("x", [1.0, 3.0, 9.0], 2.0)).endswith("at most 2: NOT reached")
    assert str(Goal("x", [1.0, 3.0, 9.0], 2.0, at_least=True)).endswith("at least 2: reached")
    assert str(Goal("x", [], 2.0)) == "x: at most 2, not measured"


def test_words_to_spell_are_whole_and_different() -> None:
    ids = spelling.word_ids(VOCABULARY | {"Ġno": 1000, "acg": 1001, "ĠLoud": 1002}, 6)
    assert len(set(ids)) == 6 and set(ids) <= set(VOCABULARY.values())
    words = spelling.text_of(VOCABULARY, ids).split()
    assert len(words) == 6 and all(len(word) == 3 for word in words)


@pytest.mark.train
def test_a_spelled_checkpoint_says_its_words_whatever_it_hears(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from tools.convert.asr.random_checkpoint import SHAPES, make

    make(tmp_path, SHAPES["miniature.en"])
    words = spelling.spell(tmp_path, 5)
    model = transformers.WhisperForConditionalGeneration.from_pretrained(tmp_path)
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for seed in (1, 2):
        mel = torch.randn(1, 80, 400, generator=torch.Generator().manual_seed(seed))
        ids = model.generate(mel, max_new_tokens=20)[0].tolist()
        assert tokenizer.decode(ids).split() == words.split()


@pytest.mark.train
def test_whisper_cpps_file_holds_every_weight_in_its_place(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from safetensors.numpy import load_file

    from tools.convert.asr.random_checkpoint import SHAPES, make

    make(tmp_path, SHAPES["miniature.en"])
    bank = np.ones((80, 201), np.float32)
    ggml.write(tmp_path, tmp_path / "model.bin", bank)
    data = (tmp_path / "model.bin").read_bytes()
    assert struct.unpack("<2i", data[:4] + data[44:48]) == (ggml.MAGIC, ggml.MOSTLY_Q8_0)
    weights = load_file(tmp_path / "model.safetensors")["model.decoder.layers.1.encoder_attn.q_proj.weight"]
    name = b"decoder.blocks.1.cross_attn.query.weight"
    start = data.index(name) + len(name)
    packed = np.frombuffer(data, [("scale", "<f2"), ("weights", "i1", 32)], weights.size // 32, start)
    found = packed["scale"].astype(np.float32)[:, None] * packed["weights"]
    assert np.abs(found.reshape(weights.shape) - weights).max() < np.abs(weights).max() / 100


@pytest.mark.slow
def test_nothing_is_left_to_hear_when_the_turn_is_handed_over() -> None:
    board = load_board("host")
    sounds = spoken(board, load_character(board.character), 2)
    for utterance in listen(board, sounds):
        assert utterance.settled.text and utterance.final.text == utterance.settled.text
        assert utterance.timings[-1].speech.last
        assert utterance.final.cpu_ms < utterance.settled.cpu_ms


@pytest.mark.slow
def test_the_short_form_prints_its_tables(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--quick", "--rounds", "1", "--folder", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    for text in ("pocket/ears", "final after a partial", "words after the end of speech", "goals", "reached"):
        assert text in printed
    assert "not measured" not in printed and not list(tmp_path.iterdir())
