"""An encoder written out for onnxruntime gives the same numbers, without its norms and its slow convolution."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.models import graphs
from tools.convert.asr.graph import Graph
from tools.convert.asr.quantise import quantise
from tools.convert.asr.written_out import write_out

WIDTH = 48
RNG = np.random.default_rng(6)
ENCODER = """
<ir_version: 8, opset_import: ["" : 17]>
encoder (float[1,8,t2] mel) => (float[1,t,48] a, float[1,t,48] b, float[1,t,48] c) {
  wide = Conv <kernel_shape = [3], strides = [1], pads = [1, 1]> (mel, first, first_bias)
  halved = Conv <kernel_shape = [3], strides = [2], pads = [1, 1]> (wide, second, second_bias)
  x = Transpose <perm = [0, 2, 1]> (halved)
  same_scale = Identity (scale)
  normed = LayerNormalization <axis = -1, epsilon = 0.00001> (x, same_scale, shift)
  product = MatMul (normed, wa)
  a = Add (bias, product)
  b = MatMul (normed, wb)
  open = LayerNormalization <axis = -1, epsilon = 0.00001> (x, scale, shift)
  c = Tanh (open)
}
"""


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """Two convolutions, a norm before two products, and one before something else, which stays."""
    shapes = {
        "first": (WIDTH, 8, 3),
        "second": (WIDTH, WIDTH, 3),
        "wa": (WIDTH, WIDTH),
        "wb": (WIDTH, WIDTH),
        **dict.fromkeys(("first_bias", "second_bias", "scale", "shift", "bias"), (WIDTH,)),
    }
    weights = {name: RNG.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    graphs.save(tmp_path / "encoder.onnx", ENCODER, weights)
    return tmp_path / "encoder.onnx"


def operators(path: Path) -> list[str]:
    return [node.op_type for node in onnx.load(path).graph.node]


@pytest.mark.parametrize("frames", [2, 10, 36])
def test_the_numbers_stay(encoder: Path, tmp_path: Path, frames: int) -> None:
    write_out(encoder, tmp_path / "quick.onnx")
    feeds = {"mel": RNG.standard_normal((1, 8, frames)).astype(np.float32)}
    before, after = (Graph(path)(feeds) for path in (encoder, tmp_path / "quick.onnx"))
    for name in ("a", "b", "c"):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-4, atol=1e-4)


def test_what_is_slow_is_gone_and_what_cannot_be_folded_stays(encoder: Path, tmp_path: Path) -> None:
    assert operators(encoder).count("Conv") == 2 and operators(encoder).count("LayerNormalization") == 2
    write_out(encoder, tmp_path / "quick.onnx")
    assert operators(tmp_path / "quick.onnx").count("Conv") == 1
    assert operators(tmp_path / "quick.onnx").count("LayerNormalization") == 1
    assert quantise(tmp_path / "quick.onnx", tmp_path / "small.onnx", "whole") == 3
