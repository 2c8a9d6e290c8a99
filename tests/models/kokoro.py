"""Small networks of RANDOM weights with the structure and interface of the Kokoro graphs that are published.

What a cut must respect is all there: durations, alignment, adaptive norms over the whole phrase, an excitation of
sines and noise drawn in the graph, two upsamplings, snakes, and the inverse Fourier transform. The text side is short.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

from epsilon.config.models import Model
from tools.convert.voice import cut

STYLE_SIZE, HARMONICS, RATE_HZ = 256, 9, 24_000
RATES, KERNELS, DILATIONS = (10, 6), (3, 7, 11), (1, 3, 5)
N_FFT, HOP = 20, 5
SIGHT = 11  # frames to each side that a sample depends on
HOP_OF_FRAME = RATES[0] * RATES[1] * HOP


@dataclass(frozen=True)
class Sizes:
    """Channels of the text side and of the generator, and how the interface is called."""

    hidden: int = 24
    channels: int = 32
    tokens: str = "tokens"
    sound: str = "audio"
    durations: str = ""  # the first graphs that were published do not tell them


@dataclass
class Net:
    """A graph that grows node by node; `op` returns the name of what a node makes."""

    random: np.random.Generator
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """One node; its output, or all of them when there are several."""
        names = [f"{kind}_{len(self.nodes)}_{place}" for place in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, value: Any, kind: type = np.float32) -> str:
        """A given array."""
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def matrix(self, *shape: int, fan_in: int) -> str:
        """A random one that keeps the size of what passes through it."""
        return self.constant(self.random.standard_normal(shape) / np.sqrt(fan_in))

    def conv(self, x: str, sizes: tuple[int, int], kernel: int, dilation: int = 1) -> str:
        """As long as what it reads; sizes are channels out and in."""
        weight = self.matrix(*sizes, kernel, fan_in=sizes[1] * kernel)
        pad = (kernel - 1) * dilation // 2
        return self.op("Conv", x, weight, dilations=[dilation], pads=[pad, pad])

    def norm(self, x: str, style: str, channels: int) -> str:
        """Adaptive instance norm: what the phrase is on the whole is replaced by what the style wants."""
        weight, bias = self.matrix(128, 2 * channels, fan_in=128), self.constant(np.zeros(2 * channels))
        wanted = self.op("Reshape", self.op("Gemm", style, weight, bias), self.constant([1, -1, 1], np.int64))
        gain, shift = self.op("Split", wanted, outputs=2, axis=1)
        ones, zeros = self.constant(np.ones(channels)), self.constant(np.zeros(channels))
        normed = self.op("InstanceNormalization", x, ones, zeros)
        gain = self.op("Add", gain, self.constant(1))
        return self.op("Add", self.op("Mul", gain, normed), shift)

    def snake(self, x: str, channels: int) -> str:
        """x + sin²(ax) / a."""
        a = self.constant(np.ones((1, channels, 1)))
        wave = self.op("Pow", self.op("Sin", self.op("Mul", a, x)), self.constant(2))
        return self.op("Add", x, self.op("Mul", self.op("Reciprocal", a), wave))

    def block(self, x: str, style: str, channels: int, kernel: int) -> str:
        """A residual block of three dilated convolutions."""
        for dilation in DILATIONS:
            y = self.snake(self.norm(x, style, channels), channels)
            y = self.conv(y, (channels, channels), kernel, dilation)
            y = self.conv(self.snake(self.norm(y, style, channels), channels), (channels, channels), kernel)
            x = self.op("Add", y, x)
        return x


def network(sizes: Sizes, seed: int = 7) -> onnx.ModelProto:
    """The graph: tokens [1, n], style [1, 256], speed [1] -> sound [samples], perhaps durations [n]."""
    net = Net(np.random.default_rng(seed))
    halves = [
        net.op("Slice", "style", *(net.constant([value], np.int64) for value in (start, start + 128, 1)))
        for start in (0, 128)
    ]
    phrase, durations = _text(net, sizes, halves[1])
    tone = net.op("Tanh", net.conv(phrase, (1, sizes.hidden), 3))
    doubled = net.op("Resize", tone, "", net.constant([1, 1, 2]), mode="nearest")
    pitch_hz = net.op("Add", net.op("Mul", doubled, net.constant(200)), net.constant(120))
    x = _front(net, sizes, phrase, halves[0])
    _generator(net, sizes, x, _excitation(net, pitch_hz), halves[0])
    net.nodes[-1].output[0] = sizes.sound
    outputs = [(sizes.sound, TensorProto.FLOAT)]
    if sizes.durations:
        net.nodes.append(helper.make_node("Identity", [durations], [sizes.durations]))
        outputs.append((sizes.durations, TensorProto.INT64))
    inputs = [
        helper.make_tensor_value_info(sizes.tokens, TensorProto.INT64, [1, "n"]),
        helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, STYLE_SIZE]),
        helper.make_tensor_value_info("speed", TensorProto.FLOAT, [1]),
    ]
    made = [helper.make_tensor_value_info(name, kind, ["?"]) for name, kind in outputs]
    graph = helper.make_graph(net.nodes, "kokoro_RANDOM", inputs, made, net.weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _text(net: Net, sizes: Sizes, style: str) -> tuple[str, str]:
    """The symbols' features spread over their frames [1, hidden, t], and how long each lasts [n]."""
    table = net.constant(net.random.standard_normal((178, sizes.hidden)))
    words = net.op("Transpose", net.op("Gather", table, sizes.tokens), perm=[0, 2, 1])
    manner = net.op("MatMul", style, net.matrix(128, sizes.hidden, fan_in=128))
    words = net.op("Add", words, net.op("Unsqueeze", manner, net.constant([2], np.int64)))
    read = net.op("Tanh", net.conv(words, (sizes.hidden, sizes.hidden), 5))
    votes = net.op(
        "MatMul", net.op("Transpose", read, perm=[0, 2, 1]), net.matrix(sizes.hidden, 50, fan_in=9)
    )
    votes = net.op("Sigmoid", net.op("Add", votes, net.constant(-2.75)))
    long = net.op("Div", net.op("ReduceSum", votes, net.constant([2], np.int64), keepdims=0), "speed")
    long = net.op("Cast", net.op("Clip", net.op("Round", long), net.constant(1)), to=TensorProto.INT64)
    durations = net.op("Squeeze", long, net.constant([0], np.int64))
    return net.op("MatMul", read, _alignment(net, durations)), durations


def _alignment(net: Net, durations: str) -> str:
    """[n, t]: which frame belongs to which symbol."""
    zero, one, last = (net.constant(value, np.int64) for value in (0, 1, [1]))
    ends = net.op("CumSum", durations, zero)
    frames = net.op("Range", zero, net.op("ReduceSum", durations, keepdims=0), one)
    ends, starts = (net.op("Unsqueeze", edge, last) for edge in (ends, net.op("Sub", ends, durations)))
    begun, over = net.op("GreaterOrEqual", frames, starts), net.op("GreaterOrEqual", frames, ends)
    return net.op("Cast", net.op("And", begun, net.op("Not", over)), to=TensorProto.FLOAT)


def _front(net: Net, sizes: Sizes, phrase: str, style: str) -> str:
    """[1, channels, 2t]: one adaptive block that doubles the rate."""
    x = net.op("LeakyRelu", net.norm(phrase, style, sizes.hidden), alpha=0.2)
    x = net.op(
        "ConvTranspose",
        x,
        net.matrix(sizes.hidden, 1, 3, fan_in=2),
        group=sizes.hidden,
        strides=[2],
        pads=[1, 1],
        output_padding=[1],
    )
    return net.conv(x, (sizes.channels, sizes.hidden), 3)


def _excitation(net: Net, pitch_hz: str) -> str:
    """The spectrum [1, 22, steps] of sines at the pitch and above, with noise drawn in the graph."""
    scale = HOP_OF_FRAME
    up, down = net.constant([1, 1, scale]), net.constant([1, 1, 1 / scale])
    f0 = net.op("Resize", pitch_hz, "", up, mode="nearest")
    turns = net.op(
        "Div",
        net.op("Mul", f0, net.constant(np.arange(1, HARMONICS + 1)[None, :, None])),
        net.constant(RATE_HZ),
    )
    turns = net.op("Sub", turns, net.op("Floor", turns))
    slow = net.op("Resize", turns, "", down, mode="linear")
    phase = net.op("Mul", net.op("CumSum", slow, net.constant(2, np.int64)), net.constant(2 * np.pi * scale))
    sines = net.op("Sin", net.op("Resize", phase, "", up, mode="linear"))
    voiced = net.op("Cast", net.op("Greater", f0, net.constant(10)), to=TensorProto.FLOAT)
    loud = net.op("Sub", net.constant(0.033), net.op("Mul", voiced, net.constant(0.03)))
    noise = net.op("Mul", net.op("RandomNormalLike", sines, dtype=1), loud)
    waves = net.op("Add", net.op("Mul", net.op("Mul", sines, voiced), net.constant(0.1)), noise)
    wave = net.op("Tanh", net.conv(waves, (1, HARMONICS), 1))
    wave = net.op("Pad", wave, net.constant([0, 0, N_FFT // 2, 0, 0, N_FFT // 2], np.int64), mode="edge")
    real, imaginary = (
        net.op("Conv", wave, net.constant(part[:, None]), strides=[HOP]) for part in _fourier()
    )
    power = net.op("Add", net.op("Mul", real, real), net.op("Mul", imaginary, imaginary))
    size = net.op("Sqrt", net.op("Add", power, net.constant(1e-14)))
    angle = net.op("Atan", net.op("Div", imaginary, net.op("Add", real, net.constant(1e-6))))
    return net.op("Concat", size, angle, axis=1)


def _fourier() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Rows of a windowed Fourier transform, real and imaginary [bins, samples]."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    angles = 2 * np.pi * np.outer(np.arange(N_FFT // 2 + 1), np.arange(N_FFT)) / N_FFT
    return np.cos(angles) * window, -np.sin(angles) * window


def _generator(net: Net, sizes: Sizes, x: str, source: str, style: str) -> str:
    """Frames [1, channels, 2t] and the excitation's spectrum to samples."""
    channels = sizes.channels
    for stage, (rate, kernel) in enumerate(zip(RATES, (20, 12), strict=True)):
        last = stage == len(RATES) - 1
        below, channels = channels, channels // 2
        x = net.op("LeakyRelu", x, alpha=0.1)
        heard = net.block(_source(net, source, channels, last), style, channels, 11 if last else 7)
        weight = net.matrix(below, channels, kernel, fan_in=below * kernel // rate)
        pad = (kernel - rate) // 2
        x = net.op("ConvTranspose", x, weight, strides=[rate], pads=[pad, pad])
        if last:
            x = net.op("Pad", x, net.constant([0, 0, 1, 0, 0, 0], np.int64), mode="reflect")
        x = net.op("Add", x, heard)
        x = _mean(net, [net.block(x, style, channels, width) for width in KERNELS])
    x = net.conv(net.op("LeakyRelu", x, alpha=0.01), (N_FFT + 2, channels), 7)
    size, angle = net.op("Split", x, outputs=2, axis=1)
    return _inverse(
        net,
        net.op("Exp", net.op("Sub", net.op("Mul", size, net.constant(0.3)), net.constant(2))),
        net.op("Sin", angle),
    )


def _source(net: Net, source: str, channels: int, last: bool) -> str:
    """The excitation at the rate of a stage."""
    if last:
        return net.op("Mul", net.conv(source, (channels, N_FFT + 2), 1), net.constant(0.1))
    rate = RATES[1]
    weight = net.matrix(channels, N_FFT + 2, 2 * rate, fan_in=100 * 2 * rate * (N_FFT + 2))
    return net.op("Conv", source, weight, strides=[rate], pads=[(rate + 1) // 2] * 2)


def _mean(net: Net, parts: Sequence[str]) -> str:
    total = parts[0]
    for part in parts[1:]:
        total = net.op("Add", total, part)
    return net.op("Div", total, net.constant(len(parts)))


def _inverse(net: Net, size: str, angle: str) -> str:
    """Overlapping inverse Fourier transforms: samples [n]."""
    real, imaginary = (net.op("Mul", size, net.op(kind, angle)) for kind in ("Cos", "Sin"))
    back = [
        net.op("ConvTranspose", part, net.constant(rows[:, None] / N_FFT), strides=[HOP])
        for part, rows in zip((real, imaginary), _fourier(), strict=True)
    ]
    edges = [net.constant([value], np.int64) for value in (N_FFT // 2, -(N_FFT // 2), 2)]
    return net.op("Reshape", net.op("Slice", net.op("Add", *back), *edges), net.constant([-1], np.int64))


def voice(folder: Path, sizes: Sizes = Sizes(), names: Sequence[str] = ("af_plain", "bm_odd")) -> Model:
    """A folder as people would make it of what they fetched: the graph and the file of voices, nothing else."""
    onnx.save(network(sizes), str(folder / "kokoro-v1.0.onnx"))
    random = np.random.default_rng(8)
    tables = {name: random.standard_normal((510, 1, STYLE_SIZE)).astype(np.float32) for name in names}
    with (folder / "voices-v1.0.bin").open("wb") as file:
        np.savez(file, allow_pickle=False, **tables)
    return Model("tiny", folder, "tts", "kokoro", "Apache-2.0", "tests", "tests/models/kokoro.py", {})


def cut_voice(folder: Path, sizes: Sizes = Sizes()) -> Model:
    """The same with what `tools.convert.voice` adds, and whole.onnx: the vocoder that looks at the whole phrase."""
    model = voice(folder, sizes)
    cut(folder / "kokoro-v1.0.onnx", folder)
    facts = {
        "left_frames": SIGHT,
        "right_frames": SIGHT,
        "hop": HOP_OF_FRAME,
        "source_steps": RATES[0] * RATES[1],
    }
    (folder / "windows.yaml").write_text(yaml.safe_dump(facts), encoding="utf-8")
    return model
