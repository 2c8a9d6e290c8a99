"""A Kokoro-type graph walked: where its vocoder begins, and the piece of a graph between some tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from epsilon.engines.tts.kokoro import DURATIONS, SOUNDS, TOKENS
from epsilon.errors import ModelError

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


@dataclass(frozen=True)
class Seams:
    """The tensors at which the graph is cut, by their names in it."""

    tokens: str
    frames: str  # what the first upsampler reads, after all that works at the low rate
    source: str  # the spectrum of the excitation
    durations: str
    alignment: str  # [.., symbols, frames], 1 where a frame belongs to a symbol
    sound: str


class Walk:
    """Who makes and who reads each tensor of a graph."""

    def __init__(self, model: onnx.ModelProto, path: Path) -> None:
        self.model, self.path = model, path
        self.graph = model.graph
        self.makers = {name: node for node in self.graph.node for name in node.output}
        self.readers: dict[str, list[onnx.NodeProto]] = {}
        for node in self.graph.node:
            for name in _reads(node):
                self.readers.setdefault(name, []).append(node)
        self.weights = {weight.name: weight for weight in self.graph.initializer}

    def seams(self) -> Seams:
        """Where to cut. ModelError when the graph is not built like Kokoro's."""
        inputs, outputs = (
            [value.name for value in values] for values in (self.graph.input, self.graph.output)
        )
        upsamplers = [
            node for node in self.graph.node if node.op_type == "ConvTranspose" and _group(node) == 1
        ]
        if not upsamplers:
            raise self._other("it has no upsampler in float32")
        bend = self.makers.get(upsamplers[0].input[0])
        if bend is None or bend.op_type != "LeakyRelu":
            raise self._other("what its first upsampler reads is not a LeakyRelu's")
        frames, durations = bend.input[0], self._durations(outputs)
        return Seams(
            tokens=self._one_of(TOKENS, inputs),
            frames=frames,
            source=self._source(frames),
            durations=durations,
            alignment=self._alignment(durations),
            sound=self._one_of(SOUNDS, outputs),
        )

    def resolve(self, name: str) -> onnx.TensorProto | None:
        """The weight of that name, also behind an Identity, by which exporters share equal weights."""
        maker = self.makers.get(name)
        if maker is not None and maker.op_type == "Identity":
            return self.resolve(maker.input[0])
        return self.weights.get(name)

    def channels(self, name: str) -> int:
        """Of a tensor, by the first convolution after it."""
        wanted = list(self.readers[name])
        while wanted:
            node = wanted.pop(0)
            weight = self.resolve(node.input[1]) if node.op_type in ("Conv", "ConvTranspose") else None
            if weight is not None:
                return int(weight.dims[1] if node.op_type == "Conv" else weight.dims[0])
            wanted = wanted + [one for made in node.output for one in self.readers.get(made, [])]
        raise self._other(f"no convolution reads {name}")

    def _source(self, frames: str) -> str:
        """The last tensor not made of the frames that two convolutions read, one for each stage of the vocoder."""
        made = self._descendants(frames)
        shared = [
            name
            for node in self.graph.node
            for name in node.output
            if name not in made and sum(one.op_type == "Conv" for one in self.readers.get(name, [])) >= 2
        ]
        if not shared:
            raise self._other("no two convolutions read its excitation")
        return shared[-1]

    def _durations(self, outputs: Sequence[str]) -> str:
        """What is rounded to whole frames inside; else an output of the graph that tells."""
        rounded = [node for node in self.graph.node if node.op_type == "Round"]
        name = rounded[0].output[0] if len(rounded) == 1 else ""
        while name in self.readers:
            node = self.readers[name][0]
            name = node.output[0]
            if node.op_type == "Cast":
                return name
        return self._one_of(DURATIONS, outputs)

    def _alignment(self, durations: str) -> str:
        """What the symbols' features are multiplied with, made of the durations."""
        made = self._descendants(durations)
        for node in self.graph.node:
            if node.op_type == "MatMul" and node.input[1] in made and node.input[0] not in made:
                return node.input[1]
        raise self._other("no product spreads its symbols over their frames")

    def _descendants(self, name: str) -> set[str]:
        found = {name}
        for node in self.graph.node:  # which is in order: makers before readers
            if found & set(_reads(node)):
                found |= set(node.output)
        return found

    def _one_of(self, names: Sequence[str], there: Sequence[str]) -> str:
        for name in names:
            if name in there:
                return name
        raise self._other(f"none of {', '.join(names)} among {', '.join(there)}")

    def _other(self, why: str) -> ModelError:
        return ModelError(f"is not a graph that can be cut: {why}", where=str(self.path))


def piece(
    walk: Walk, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]
) -> onnx.ModelProto:
    """The part of a graph that makes the outputs from the inputs."""
    wanted, known = [value.name for value in outputs], {value.name for value in inputs}
    needed: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in known or name in needed:
            continue
        needed.add(name)
        if name in walk.makers:
            wanted += _reads(walk.makers[name])
    nodes = [node for node in walk.graph.node if needed & set(node.output)]
    weights = [weight for name, weight in walk.weights.items() if name in needed]
    graph = helper.make_graph(nodes, walk.graph.name or "voice", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=walk.model.opset_import, ir_version=walk.model.ir_version)


def value(name: str, kind: int, *shape: int | str) -> onnx.ValueInfoProto:
    """What an input or output is; without a shape it is not told."""
    return helper.make_tensor_value_info(name, kind, shape or None)


def renamed(model: onnx.ModelProto, names: Mapping[str, str]) -> onnx.ModelProto:
    """With some tensors called otherwise; what is inside of nodes never names these."""
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = names.get(name, name)
        for place, name in enumerate(node.output):
            node.output[place] = names.get(name, name)
    for one in (*model.graph.input, *model.graph.output):
        one.name = names.get(one.name, one.name)
    return model


def _group(node: onnx.NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)


def _reads(node: onnx.NodeProto) -> list[str]:
    """What a node reads, from inside its branches and loops as well."""
    return [name for name in node.input if name] + list(_captured(node))


def _captured(node: onnx.NodeProto) -> Iterator[str]:
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            made = {name for one in attribute.g.node for name in one.output}
            made |= {one.name for one in (*attribute.g.input, *attribute.g.initializer)}
            names = [name for one in attribute.g.node for name in _reads(one)]
            names += [one.name for one in attribute.g.output]
            yield from (name for name in names if name not in made)
