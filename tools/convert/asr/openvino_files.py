"""The float32 graphs as OpenVINO's own files with int8 weights, which its CPU plugin multiplies as they are.

Each column of a matrix has a scale. What the decoder multiplies with them stays float32, so a draft checked in
one pass is what decoding token by token gives. The encoder, which always sees a whole window, rounds its input
too, 128 columns at a time: 114 instead of 268 ms of processor time for 4 s in the shape of distil-small.en, on a
core with VNNI. The runtime `openvino` takes encoder.xml when it lies beside encoder.onnx.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from epsilon.realtime import Seat
from epsilon.runtimes import openvino as runtime
from tools.convert.asr import Check
from tools.convert.asr.graph import Graph
from tools.convert.asr.numbers import Arrays, alike
from tools.convert.asr.quantise import rounded

LEAST_COSINE = 0.999
ROUNDED_TOGETHER = 128  # columns of the encoder's inputs
_SIZES = {"mel": 300, "x": 5, "past_k": 4, "past_v": 4, "cross_k": 150, "cross_v": 150}  # what is not fixed


def write(encoder: Path, decoder: Path, folder: Path) -> Iterator[Check]:
    """Writes encoder.xml and decoder.xml with their .bin files, each compared with the float32 graph."""
    for source, name in ((encoder, "encoder"), (decoder, "decoder")):
        target = folder / f"{name}.xml"
        save(source, target, ROUNDED_TOGETHER if name == "encoder" else None)
        feeds = random_feeds(source)
        found, wanted = runtime.load(target, Seat())(feeds), Graph(source)(feeds)
        yield alike(f"{name}, OpenVINO int8 weights against float32", found, wanted, LEAST_COSINE)


def save(source: Path, target: Path, together: int | None = None) -> None:
    """One graph with the constant factors of its products in int8; the others in groups if `together` is given."""
    openvino = runtime.package()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "weights.onnx")
        model = onnx.load(source)
        compress(model.graph)
        onnx.save(model, path)
        made = openvino.Core().read_model(path)
        if together:
            made.set_rt_info(str(together), ["runtime_options", runtime.GROUP])
        openvino.save_model(made, target, compress_to_fp16=False)


def compress(graph: onnx.GraphProto) -> None:
    """Puts a DequantizeLinear of int8 numbers in the place of each matrix that is multiplied with."""
    matrices = {tensor.name: tensor for tensor in graph.initializer if len(tensor.dims) == 2}
    factors = {node.input[1] for node in graph.node if node.op_type == "MatMul"} & set(matrices)
    widened = []
    for name in sorted(factors):
        integers, scales = rounded(numpy_helper.to_array(matrices[name]))
        graph.initializer.remove(matrices[name])
        graph.initializer.append(numpy_helper.from_array(integers, f"{name}_integers"))
        graph.initializer.append(numpy_helper.from_array(scales, f"{name}_scales"))
        inputs = [f"{name}_integers", f"{name}_scales"]
        widened.append(helper.make_node("DequantizeLinear", inputs, [name], axis=1))
    for node in reversed(widened):
        graph.node.insert(0, node)


def random_feeds(path: Path) -> Arrays:
    """Inputs for a graph of this converter."""
    rng, feeds = np.random.default_rng(3), {}
    for name, shape in Graph(path).input_shapes.items():
        if name == "first":
            feeds[name] = np.array([1], np.int64)
            continue
        sizes = [_SIZES[name] if isinstance(size, str) else size for size in shape]
        feeds[name] = rng.standard_normal(sizes).astype(np.float32)
    return feeds
