"""Exact scaling by a power of two: everything that adds to a tensor shrinks, everything that reads it makes up.

In a Whisper encoder the residual stream is read by LayerNormalizations alone, which do not care for scale as
long as their epsilon shrinks with its square. So the stream can be made smaller at no cost and without an
error: weights and biases of what is added to it are divided, and nothing else changes.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import NodeProto, helper

from epsilon.errors import ModelError
from tools.convert.asr.float_graph import Constants
from tools.convert.asr.ranges import LIMIT, Range

MOVING = ("Transpose", "Reshape", "Unsqueeze", "Squeeze", "Identity", "Slice", "Flatten", "Concat")
LARGEST_POWER = 12


class NotLinear(Exception):
    """The scale cannot be carried through an operation; the message names it."""


class Scaling:
    """A plan for one group of tensors that hang together, and its carrying out."""

    def __init__(self, model: onnx.ModelProto, ranges: dict[str, Range]) -> None:
        self.model, self.graph, self._ranges = model, Constants(model), ranges
        self.tensors: set[str] = set()
        self._edits: dict[tuple[int, int], int] = {}  # (node, input) of a constant → +1 shrinks, -1 grows
        self._norms: list[NodeProto] = []
        self._shrunk_after: set[str] = set()
        self._grown_before: list[tuple[NodeProto, str]] = []
        self._places = {id(node): at for at, node in enumerate(model.graph.node)}

    def plan(self, tensor: str) -> None:
        """Finds what must be scaled with `tensor`; NotLinear when something in the way is not."""
        waiting = [tensor]
        while waiting:
            name = waiting.pop()
            if name not in self.tensors:
                self.tensors.add(name)
                waiting += self._made(name)
                waiting += [
                    more for node in self.graph.takers.get(name, []) for more in self._taken(name, node)
                ]
        for output in self.model.graph.output:
            if output.name in self.tensors:
                raise NotLinear(f"{output.name} is an output")

    def _made(self, name: str) -> list[str]:
        """The inputs of the node that makes a tensor which must be scaled too."""
        node = self.graph.makers.get(name)
        if node is None:
            raise NotLinear(f"{name} is an input")
        if node.op_type in ("Add", "Sub"):
            return self._operands(node, every=True)
        if node.op_type in ("MatMul", "Gemm", "Conv", "LayerNormalization"):
            return self._weights(node)
        if node.op_type in ("Mul", "Div"):
            constant = next((at for at in (0, 1) if self.graph.value(node.input[at]) is not None), None)
            if constant is not None:
                self._edit(node, constant, 1 if node.op_type == "Mul" or constant == 0 else -1)
                return []
        if node.op_type in MOVING:
            return self._operands(node, every=node.op_type == "Concat")
        return self._shrink_after(name, node)

    def _operands(self, node: NodeProto, every: bool) -> list[str]:
        more = []
        for at, name in enumerate(node.input if every else node.input[:1]):
            if self.graph.value(name) is None:
                more.append(name)
            else:
                self._edit(node, at, 1)
        return more

    def _weights(self, node: NodeProto) -> list[str]:
        constant = [at for at, name in enumerate(node.input) if self.graph.value(name) is not None]
        if node.op_type == "MatMul":
            if not constant:
                return self._shrink_after(node.output[0], node)
            self._edit(node, constant[0], 1)
        else:
            for at in constant:
                self._edit(node, at, 1)
        return []

    def _shrink_after(self, name: str, node: NodeProto) -> list[str]:
        """A product by the scale behind an operation that is not linear, whose own output must then fit."""
        if self._ranges[name].largest > LIMIT:
            raise NotLinear(f"{node.op_type} {node.name} is not linear and its output does not fit")
        self._shrunk_after.add(name)
        return []

    def _taken(self, name: str, node: NodeProto) -> list[str]:
        """The outputs of a node that reads a scaled tensor which are scaled too."""
        at = list(node.input).index(name)
        if node.op_type in ("Add", "Sub") or (node.op_type in MOVING and at == 0) or node.op_type == "Concat":
            return list(node.output)
        if node.op_type == "LayerNormalization" and at == 0:
            self._norms.append(node)
        elif node.op_type in ("MatMul", "Conv", "Mul") and self._other_constant(node, at) is not None:
            self._edit(node, self._other_constant(node, at) or 0, -1)
        elif self._ranges[name].largest <= LIMIT:
            self._grown_before.append((node, name))
        else:
            raise NotLinear(f"{node.op_type} {node.name}, which reads {name}, is not linear")
        return []

    def _other_constant(self, node: NodeProto, at: int) -> int | None:
        other = 1 - at if at < 2 else None
        return other if other is not None and self.graph.value(node.input[other]) is not None else None

    def _edit(self, node: NodeProto, at: int, direction: int) -> None:
        place = (self._places[id(node)], at)
        self._edits[place] = self._edits.get(place, 0) + direction

    def carry_out(self, power: int) -> None:
        """Changes the model: the group's tensors are 2**power times smaller."""
        factor = 2.0**-power
        nodes = list(self.model.graph.node)
        for (place, at), direction in self._edits.items():
            self._scale_constant(nodes[place], at, factor**direction, power)
        for norm in self._norms:
            _shrink_epsilon(norm, factor)
        before: dict[int, list[NodeProto]] = {}
        after: dict[int, list[NodeProto]] = {}
        for name in sorted(self._shrunk_after):
            node = self.graph.makers[name]
            renamed = f"{name}_full"
            outputs = [renamed if one == name else one for one in node.output]
            node.ClearField("output")
            node.output.extend(outputs)
            after.setdefault(self._places[id(node)], []).append(self._product(renamed, name, factor))
        for number, (node, name) in enumerate(self._grown_before):
            renamed = f"{name}_full_{number}"
            node.input[list(node.input).index(name)] = renamed
            before.setdefault(self._places[id(node)], []).append(self._product(name, renamed, 1 / factor))
        del self.model.graph.node[:]
        for place, node in enumerate(nodes):
            self.model.graph.node.extend([*before.get(place, []), node, *after.get(place, [])])

    def _scale_constant(self, node: NodeProto, at: int, factor: float, power: int) -> None:
        value = self.graph.value(node.input[at])
        if value is None:
            raise ModelError(f"{node.input[at]} is no constant")
        name = f"{node.input[at]}_{node.name or node.output[0]}_{at}_scaled_{power}"
        node.input[at] = self.graph.add(name, np.asarray(value, np.float32) * np.float32(factor))

    def _product(self, source: str, target: str, factor: float) -> NodeProto:
        name = self.graph.add(f"{target}_factor", np.float32(factor))
        return helper.make_node("Mul", [source, name], [target], f"{target}_scaling")


def _shrink_epsilon(norm: NodeProto, factor: float) -> None:
    found = next((one for one in norm.attribute if one.name == "epsilon"), None)
    if found is None:
        norm.attribute.append(helper.make_attribute("epsilon", 1e-5 * factor**2))
    else:
        found.f = found.f * factor**2
