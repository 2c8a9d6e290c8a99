"""Few bits, adapters, the runtime's operator for them, and input that nobody recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (make train-… installs it)")
pytest.importorskip("tokenizers")
pytestmark = pytest.mark.train

from epsilon.dsp.mel import filters  # noqa: E402
from tools.convert.asr.adapters import Squeezed  # noqa: E402
from tools.convert.asr.graph import Graph  # noqa: E402
from tools.convert.asr.groups import fitted, rounded  # noqa: E402
from tools.convert.asr.imagined import Imagination  # noqa: E402
from tools.convert.asr.nbits import store  # noqa: E402

ROWS, COLUMNS = 96, 128


def layer_and_input() -> tuple[Any, Any]:
    """Weights [96, 128] and input [2000, 128] in which few directions matter."""
    draw = torch.Generator().manual_seed(3)
    mixing = torch.randn(COLUMNS, COLUMNS, generator=draw) * (torch.arange(COLUMNS) < 24)
    x = torch.randn(2000, COLUMNS, generator=draw) @ (mixing + 0.2 * torch.eye(COLUMNS)).T
    return torch.randn(ROWS, COLUMNS, generator=draw) / 11, x


def output_error(found: Any, weight: Any, x: Any) -> float:
    """Relative squared error of x · weightᵀ."""
    wanted = x @ weight.T
    return float((x @ found.T - wanted).square().mean() / wanted.square().mean())


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_codes_fit_their_bits_and_more_bits_lose_less(bits: int) -> None:
    weight, x = layer_and_input()
    small = rounded(weight, bits, 32)
    assert int(small.codes.max()) == 2**bits - 1
    assert small.group == 32
    assert torch.equal(small.scales, small.scales.half().float())
    assert output_error(small.weight(), weight, x) < 0.6 * 4.0 ** -(bits - 2)


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_fitting_loses_less_than_rounding_on_input_not_seen(bits: int) -> None:
    weight, x = layer_and_input()
    seen, unseen = x[:1000], x[1000:]
    small = fitted(weight, seen.T @ seen / len(seen), bits, 32)
    assert output_error(small.weight(), weight, unseen) < 0.5 * output_error(
        rounded(weight, bits, 32).weight(), weight, unseen
    )


def test_an_adapter_starts_by_giving_back_what_was_lost() -> None:
    weight, x = layer_and_input()
    moments = x[:1000].T @ x[:1000] / 1000
    codes = rounded(weight, 2, 32)
    small = Squeezed(codes, None, rank=16)
    small.adapt(weight - codes.weight(), moments)
    unseen, wanted = x[1000:], x[1000:] @ weight.T
    with torch.no_grad():
        adapted = (small(unseen) - wanted).square().mean()
        small.drop()
        dropped = (small(unseen) - wanted).square().mean()
    assert adapted < 0.5 * dropped


def export(bits: int, group: int, level: int, folder: Path) -> tuple[Graph, Any]:
    """A squeezed layer with an adapter in onnxruntime and in torch."""
    weight, _ = layer_and_input()
    small = Squeezed(rounded(weight, bits, group), torch.randn(ROWS), rank=4)
    for parameter in (small.down, small.up):
        parameter.data = (torch.randn(parameter.shape) / 10).half().float()
    raw, path = folder / "raw.onnx", folder / "small.onnx"
    torch.onnx.export(
        small, (torch.randn(1, 5, COLUMNS),), str(raw), input_names=["x"], output_names=["y"],
        dynamic_axes={"x": {1: "n"}}, opset_version=17, dynamo=False,
    )  # fmt: skip
    store(raw, path, level)
    return Graph(path), small


@pytest.mark.parametrize("bits", [2, 3, 4])
@pytest.mark.parametrize("group", [32, 64])
def test_the_runtime_computes_what_torch_does(bits: int, group: int, tmp_path: Path) -> None:
    graph, small = export(bits, group, 0, tmp_path)
    x = np.random.default_rng(0).standard_normal((1, 9, COLUMNS)).astype(np.float32)
    with torch.no_grad():
        wanted = small(torch.from_numpy(x)).numpy()
    assert np.abs(graph({"x": x})["y"] - wanted).max() < 1e-4
    assert any(node.op_type == "MatMulNBits" for node in nodes(tmp_path / "small.onnx"))


@pytest.mark.parametrize("bits", [2, 4])
def test_a_row_does_not_depend_on_the_others(bits: int, tmp_path: Path) -> None:
    graph, _ = export(bits, 32, 4, tmp_path)
    x = np.random.default_rng(0).standard_normal((1, 9, COLUMNS)).astype(np.float32)
    x[0, 4] *= 100  # int8 with one scale for the whole pass would lose the other rows
    single = np.concatenate([graph({"x": x[:, i : i + 1]})["y"] for i in range(9)], 1)
    assert np.abs(graph({"x": x})["y"] - single)[0, [0, 1, 2, 3, 5, 6, 7, 8]].max() < 1e-5


def nodes(path: Path) -> list:
    """The operators of a graph."""
    import onnx

    return list(onnx.load(path).graph.node)


@pytest.mark.parametrize("bands", [80, 128])
def test_imagined_features_look_like_those_of_speech(bands: int) -> None:
    made = Imagination(filters(bands), 5)(12, 300)
    assert made.shape == (12, bands, 300)
    assert np.isfinite(made).all()
    ranges = made.max((1, 2)) - made.min((1, 2))
    assert (ranges <= 2.0 + 1e-5).all()  # eight decades over four
    assert 0.2 < made.std() < 1.2
    assert (made[:, :, -20:].std((1, 2)) < 1e-6).all()  # silence to the end of the context
    assert np.array_equal(made, Imagination(filters(bands), 5)(12, 300))
    assert not np.array_equal(made, Imagination(filters(bands), 6)(12, 300))
