"""The language model's benches in miniature: what is measured, how it is counted, compared and printed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tools.bench.llm import CONTEXT, DECODED, LONGEST, report
from tools.bench.llm import __main__ as llm
from tools.bench.llm.gguf_file import interleaved, renamed
from tools.bench.llm.measures import IDS, REFERENCE, Facts, Greedy, Loaded, alike, tasks
from tools.bench.llm.measuring import TOKENS, Measured, Plan, Row, measure
from tools.bench.llm.memory import READ_BYTES
from tools.bench.peers.comparison import Subject
from tools.bench.peers.serving import once
from tools.bench.topology import __main__ as topology
from tools.bench.topology.chain import Chain, longest
from tools.bench.topology.held_out import FILE, losses
from tools.bench.topology.picture import draw, scale
from tools.bench.topology.shapes import BLOCKS, POCKET, Block, RandomWeights, Shape
from tools.bench.topology.timing import Times

VOCABULARY = 10


class Counting(Greedy):
    """An engine that notes its passes and always finds the next number likeliest."""

    def __init__(self) -> None:
        self.passes: list[list[int]] = []

    def clear(self) -> None:
        self.passes.clear()

    def run(self, ids: Sequence[int]) -> npt.NDArray[np.float32]:
        self.passes.append(list(ids))
        return np.eye(VOCABULARY, dtype=np.float32)[(ids[-1] + 1) % VOCABULARY]


def row(engine: str, threads: int, decode_ms: float, prefill_ms: float = 10.0) -> Row:
    """An engine that always took so long."""
    took = {task: decode_ms if task == "decode" else prefill_ms for task in TOKENS}
    tasks = {task: Subject(engine, None, task, "", [ms] * 3, [ms] * 3) for task, ms in took.items()}
    return Row(engine, threads, tasks, Facts(f"{engine} 1.0", 0.1, 150.0, 40_000_000, 0.9))


def measured(*rows: Row) -> Measured:
    """With memory that gives 10 GB/s."""
    memory = Subject("read", None, "read", "", [1.0], [READ_BYTES / 10e6])
    return Measured(list(rows), {1: memory})


def test_a_prefill_is_one_pass_and_decoding_a_pass_a_token(tmp_path: Path) -> None:
    engine = Counting()
    np.save(tmp_path / REFERENCE, np.arange(VOCABULARY))
    made = tasks(lambda: Loaded(engine, "none", 7), tmp_path / REFERENCE)
    assert set(made) == {*TOKENS, "facts"}
    ids = np.arange(LONGEST) % VOCABULARY
    once(made["prefill 32"], ids)
    assert [len(one) for one in engine.passes] == [32]
    once(made["decode"], ids)
    assert [len(one) for one in engine.passes] == [CONTEXT] + [1] * DECODED
    assert engine.passes[1] == [CONTEXT % VOCABULARY]
    facts = Facts(**json.loads(once(made["facts"], ids).text))
    assert facts.weight_bytes == 7 and facts.peak_mb > 1 and facts.load_s >= 0
    assert facts.likeness is not None and -1 <= facts.likeness <= 1


def test_scores_that_differ_by_a_shift_are_alike() -> None:
    scores = np.array([1.0, 3.0, 2.0])
    assert alike(scores, 2 * scores + 1) == pytest.approx(1)
    assert alike(scores, -scores) == pytest.approx(-1)


def test_tokens_a_second_come_from_the_clock() -> None:
    one = row("onnx", 1, decode_ms=320.0, prefill_ms=16.0)
    assert one.speed("decode") == pytest.approx(1000 * DECODED / 320)
    assert one.speed("prefill 32") == pytest.approx(2000)
    assert one.cpu_ms("decode") == pytest.approx(320 / DECODED)
    one.tasks["decode"].wall_ms[0] = 160.0
    assert one.best("decode") == pytest.approx(1000 * DECODED / 160)


def test_the_fastest_peer_is_what_counts() -> None:
    rows = [row("onnx", 1, 100), row("mlc", 1, 160), row("llama.cpp", 1, 96), row("openvino", 1, 300)]
    said = [str(goal) for goal in report.goals(measured(*rows))]
    assert len(said) == 6  # three promises by two clocks
    assert any("onnx decode / llama.cpp, 1 thread, by the clock: 0.960" in one for one in said)
    assert said[0].endswith("at least 0.95: reached")
    assert "mlc decode / llama.cpp" in said[2] and said[2].endswith("at least 0.7: NOT reached")


def test_what_was_not_measured_has_no_numbers_and_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    lost = Row(
        "mlc", 1, {task: Subject("mlc", None, task, "no wheel") for task in TOKENS}, failure="no wheel"
    )
    found = measured(row("onnx", 1, 100.0), lost, row("llama.cpp", 1, 100.0))
    report.print_speeds(found)
    report.print_sizes(found)
    printed = capsys.readouterr().out
    assert printed.count("not measured: no wheel") == 3
    assert "10.0 GB/s" in printed and "256 %" in printed  # 640 tokens a second of 40 MB, beside 10 GB/s
    assert [str(goal) for goal in report.goals(found)][2].endswith("not measured")


def test_an_engine_that_cannot_be_had_is_a_row_too(tmp_path: Path) -> None:
    np.save(tmp_path / IDS, np.arange(LONGEST))
    found = measure(Plan(tmp_path, [1], 1), {"onnx": "no onnx", "mlc": "no TVM"})
    assert [(one.engine, one.why_not) for one in found.rows] == [("onnx", "no onnx"), ("mlc", "no TVM")]
    assert found.memory[1].median_wall_ms > 0 and not list(found.rows[0].tasks["decode"].cpu_ms)


def test_llama_cpp_turns_neighbours_where_others_turn_halves() -> None:
    heads = np.arange(8)[:, None] * np.ones((1, 2))
    assert interleaved(heads, 2)[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    assert renamed("model.layers.11.mlp.gate_proj.weight") == "blk.11.ffn_gate.weight"
    assert renamed("lm_head.weight") == "output.weight"


def graph(nodes: list[tuple[str, str, str]]) -> object:
    """An ONNX graph of (kind, inputs, outputs) with input x, constant w and output y."""
    onnx = pytest.importorskip("onnx")
    value = onnx.helper.make_tensor_value_info
    made = [onnx.helper.make_node(kind, given.split(), found.split()) for kind, given, found in nodes]
    floats = onnx.TensorProto.FLOAT
    weight = onnx.helper.make_tensor("w", floats, [1], [1.0])
    return onnx.helper.make_graph(made, "g", [value("x", floats, [1])], [value("y", floats, [1])], [weight])


def test_the_longest_chain_is_that_of_what_waits_for_one_another() -> None:
    nodes = [
        ("MatMulNBits", "x w", "a"),
        ("Relu", "x", "b"),
        ("Split", "a", "c d"),
        ("Mul", "c d", "e"),
        ("Cast", "w", "k1"),  # of a constant: computed when the graph is loaded
        ("Transpose", "k1", "k2"),
        ("Cast", "k2", "k3"),
        ("Cast", "k3", "k4"),
        ("MatMul", "e k4", "f"),
        ("Add", "f b", "y"),
    ]
    assert longest(graph(nodes)) == Chain(operations=5, products=1)  # type: ignore[arg-type]
    two_ways = [("Relu", "x", "a"), ("MatMulNBits", "x w", "b"), ("Add", "a b", "y")]
    assert longest(graph(two_ways)) == Chain(operations=2, products=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_shapes_of_a_block_have_equally_many_parameters(block: Block) -> None:
    sizes = [shape.parameters for shape in block.shapes]
    assert max(sizes) < 1.05 * min(sizes)
    for shape in block.shapes:
        width = shape.width // shape.heads
        assert width * shape.heads == shape.width and width % 16 == 0 and shape.inner % 32 == 0
        assert 2.5 <= shape.inner / shape.width <= 3.1


def test_parameters_are_counted_as_the_graph_asks_for_them() -> None:
    shape = Shape(2, 64, 192, 4, 2)
    weights = RandomWeights(shape)
    parts = [f"self_attn.{name}_proj" for name in "qkvo"] + [
        f"mlp.{name}_proj" for name in ("gate", "up", "down")
    ]
    parts += ["input_layernorm", "post_attention_layernorm"]
    names = [f"layers.{layer}.{part}.weight" for layer in range(2) for part in parts]
    names += ["embed_tokens.weight", "norm.weight"]
    assert sum(weights[name].size for name in names) == shape.parameters
    assert np.array_equal(weights[names[0]], RandomWeights(shape)[names[0]])
    assert "lm_head.weight" not in weights


@pytest.mark.parametrize("wrong", [["--threads", "0"], ["--rounds", "some"], ["--python", "no/such/python"]])
def test_what_cannot_be_measured_is_said_at_once(
    wrong: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        llm.main([*wrong, "--folder", str(tmp_path)])
    assert ended.value.code == 2 and wrong[0] in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_held_out_losses_are_of_shapes_in_the_table() -> None:
    assert set(losses(FILE)) <= {shape.name for shape in POCKET.shapes}


def test_the_table_and_the_picture_show_every_shape(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    times = Times([10.0, 30.0, 20.0], [9.0], [2.0], [1.5])
    rows = [topology.Row(shape, Chain(35, 12), times, times) for shape in POCKET.shapes]
    topology.print_block(POCKET, rows, losses(FILE))
    lines = capsys.readouterr().out.splitlines()
    assert "RANDOM weights" in lines[1] and "20.00" in lines[5] and "35" in lines[5]
    assert len(lines) == 5 + len(POCKET.shapes)
    drawn = tmp_path / "there" / "picture.svg"
    draw(drawn, "a < b", topology.panels({"pocket": POCKET}, {"pocket": rows}))
    text = drawn.read_text("utf-8")
    assert "a &lt; b" in text and all(text.count(f">{shape.name}<") == 2 for shape in POCKET.shapes)


def test_axes_end_at_a_round_number() -> None:
    assert [scale(value) for value in (0.42, 0.9, 1.0, 7.3, 12.0, 99.0)] == pytest.approx(
        [0.48, 1.0, 1.0, 8.0, 12.0, 100.0]
    )
