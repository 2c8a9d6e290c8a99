"""The graphs of a voice in other precisions, each in a folder that the toy could load.

What is rounded to int8 is the network: products and convolutions with trained weights, nearly all of the work. What the
style makes of each layer (Gemm), the LSTM and the source (pulses, filters, Fourier matrices) stay float32.
MatMulNBits, onnxruntime's product with weights in few bits, is left out: it multiplies [rows, K] by constants, the
voice constants by [K, frames]; most of the voice are convolutions, which it has not.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from epsilon.engines.protocols import Delivery
from epsilon.engines.tts.styletts2 import STREAMING
from epsilon.realtime import Seat
from epsilon.runtimes import onnx as runtime
from tools.convert.asr.half import rounded

GRAPHS = STREAMING
KEPT = ("model.yaml", "voices.npz")
SOURCE = "/source/"  # the part of the decoder that is no network, by the names of its nodes
SMALLEST = 4096  # elements of a weight that is worth rounding
CALIBRATION = (
    "Well, hello there! Would you like a cup of tea?",
    "My uncle found a very small frog under the bridge, and he called it George.",
    "No, no, no. Those are the wrong shoes for a zebra.",
    "Just imagine: four thousand oranges, rolling down the hill!",
)

Feeds = dict[str, Any]
Change = Callable[[onnx.ModelProto, Sequence[Feeds]], onnx.ModelProto]


def write(folder: Path, target: Path, change: Change, feeds: dict[str, list[Feeds]]) -> Path:
    """The voice of `folder` with its graphs changed; `feeds` are what each graph was asked while it spoke."""
    target.mkdir(parents=True, exist_ok=True)
    for name in KEPT:
        shutil.copy(folder / name, target / name)
    for name in GRAPHS:
        changed = change(widened(onnx.load(folder / f"{name}.onnx")), feeds[name])
        onnx.save(changed, target / f"{name}.onnx")
    return target


def feeds_of(voice: Any, folder: Path, style: str) -> dict[str, list[Feeds]]:
    """What the graphs are asked while the voice says the calibration sentences."""
    found: dict[str, list[Feeds]] = {name: [] for name in GRAPHS}
    graphs = {name: runtime.load(folder / f"{name}.onnx", Seat()) for name in GRAPHS}
    for sentence in CALIBRATION:
        feeds = voice.feeds(voice.spell(sentence, False).symbols, Delivery(voice.styles[style]))
        for name, graph in graphs.items():
            if name == "decoder":
                feeds |= {"span": np.array([0, feeds["durations"].sum()]), "phase": np.zeros(1, np.float32)}
            found[name].append({read: feeds[read] for read in graph.inputs})
            feeds |= graph(found[name][-1])
    return found


def widened(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights that are stored as float16 behind a Cast as float32, of the same values."""
    halves = {one.name: one for one in model.graph.initializer if one.data_type == TensorProto.FLOAT16}
    for node in [node for node in model.graph.node if node.op_type == "Cast" and node.input[0] in halves]:
        array = numpy_helper.to_array(halves[node.input[0]]).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(array, node.output[0]))
        model.graph.node.remove(node)
    for half in halves.values():
        model.graph.initializer.remove(half)
    return model


def as_it_is(model: onnx.ModelProto, _: Sequence[Feeds]) -> onnx.ModelProto:
    """Float32 weights."""
    return model


def half_arithmetic(model: onnx.ModelProto, _: Sequence[Feeds]) -> onnx.ModelProto:
    """Every stored number rounded to float16, as hardware of that width would; sums are wide (half.py)."""
    return rounded(model)


def int8_weights(model: onnx.ModelProto, _: Sequence[Feeds]) -> onnx.ModelProto:
    """Weights of the network as int8, a scale for each row, widened before they are used."""
    weights = {one.name: one for one in model.graph.initializer}
    used = [name for node in network(model) for name in node.input if name in weights]
    for name in dict.fromkeys(used):
        array = numpy_helper.to_array(weights[name])
        if array.size < SMALLEST:
            continue
        scales = (np.abs(array.reshape(len(array), -1)).max(1) / 127).astype(np.float32)
        steps = array / scales.reshape(-1, *[1] * (array.ndim - 1))
        model.graph.initializer.remove(weights[name])
        model.graph.initializer.append(numpy_helper.from_array(np.round(steps).astype(np.int8), f"{name}_8"))
        model.graph.initializer.append(numpy_helper.from_array(scales, f"{name}_scales"))
        inputs = [f"{name}_8", f"{name}_scales"]
        model.graph.node.insert(0, helper.make_node("DequantizeLinear", inputs, [name], axis=0))
    return model


def int8_dynamic(model: onnx.ModelProto, _: Sequence[Feeds]) -> onnx.ModelProto:
    """Weights as int8, and what they are multiplied with rounded by its own range at every call."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    names = [node.name for node in network(model)]
    return _through_files(
        model,
        lambda source, target: quantize_dynamic(
            source, target, nodes_to_quantize=names, weight_type=QuantType.QInt8, per_channel=False
        ),
    )


def int8_static(model: onnx.ModelProto, feeds: Sequence[Feeds]) -> onnx.ModelProto:
    """Weights and what they are multiplied with as int8, by ranges that were seen while calibrating."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        """The feeds one after the other."""

        def __init__(self) -> None:
            self._left: Iterator[Feeds] = iter(feeds)

        def get_next(self) -> Feeds | None:
            """The next, None when there is no more."""
            return next(self._left, None)

    names = [node.name for node in network(model)]
    return _through_files(
        model,
        lambda source, target: quantize_static(
            source,
            target,
            Reader(),
            quant_format=QuantFormat.QDQ,
            nodes_to_quantize=names,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
        ),
    )


def network(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """Products and convolutions with trained weights."""
    sizes = {one.name: int(np.prod(one.dims)) for one in model.graph.initializer}
    return [
        node
        for node in model.graph.node
        if node.op_type in ("Conv", "MatMul")
        and SOURCE not in node.name
        and any(sizes.get(name, 0) >= SMALLEST for name in node.input)
    ]


def _through_files(model: onnx.ModelProto, change: Callable[[Path, Path], None]) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch, "source.onnx"), Path(scratch, "target.onnx")
        onnx.save(model, source)
        change(source, target)
        return onnx.load(target)


WAYS: dict[str, Change] = {
    "fp32": as_it_is,
    "fp16 arithmetic, imitated": half_arithmetic,
    "int8 weights": int8_weights,
    "int8, dynamic": int8_dynamic,
    "int8, static": int8_static,
}
IMITATED = "fp16 arithmetic, imitated"  # tells what would be lost, not how fast it would be
