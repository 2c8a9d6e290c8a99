"""A float32 graph as float16 hardware would run it: every number that is stored is rounded to float16.

Inside an operation the sums are float32, as in the NPU's multipliers. What a LayerNormalization computes
inside is wide as well unless it is asked for: the simulator of rknn-toolkit2 2.5.0 normalises inputs of 30 000,
whose squares float16 cannot hold, without a trace of overflow (cosine 0.9999998).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from epsilon.errors import ModelError
from tools.convert.asr.float_graph import Constants, prune, replace
from tools.convert.asr.ranges import floats

KEPT_KEY = "float32_tensors"  # metadata of a graph: tensors that stay in float32


def kept(model: onnx.ModelProto) -> set[str]:
    """The tensors that the graph asks to keep in float32."""
    return {name for entry in model.metadata_props if entry.key == KEPT_KEY for name in entry.value.split()}


def rounded(model: onnx.ModelProto, norms_in_half: bool = False) -> onnx.ModelProto:
    """A copy whose stored numbers pass through float16; inputs and outputs stay float32 arrays."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.value_info[:]
    keep = kept(copy)
    if norms_in_half:
        for node in [node for node in copy.graph.node if node.op_type == "LayerNormalization"]:
            if node.output[0] not in keep:
                replace(copy, node, _spelled(Constants(copy), node))
    _round_constants(copy, keep)
    for name in floats(copy):
        if name not in keep:
            _round_output(copy, name)
    for entry in copy.graph.input:
        if entry.type.tensor_type.elem_type == TensorProto.FLOAT:
            _round_input(copy, entry.name)
    prune(copy)
    return copy


def _round_constants(model: onnx.ModelProto, keep: set[str]) -> None:
    """Weights as float16 would hold them; too large ones become infinite."""
    with np.errstate(over="ignore"):
        for constant in model.graph.initializer:
            if constant.data_type == TensorProto.FLOAT and constant.name not in keep:
                array = numpy_helper.to_array(constant).astype(np.float16).astype(np.float32)
                constant.CopyFrom(numpy_helper.from_array(array, constant.name))
        for node in model.graph.node:
            held = node.attribute[0].t.data_type if node.op_type == "Constant" else TensorProto.UNDEFINED
            if held == TensorProto.FLOAT and node.output[0] not in keep:
                array = numpy_helper.to_array(node.attribute[0].t).astype(np.float16).astype(np.float32)
                node.attribute[0].t.CopyFrom(numpy_helper.from_array(array))


def _casts(source: str, target: str) -> list[NodeProto]:
    middle = f"{target}_half"
    return [
        helper.make_node("Cast", [source], [middle], to=TensorProto.FLOAT16),
        helper.make_node("Cast", [middle], [target], to=TensorProto.FLOAT),
    ]


def _round_output(model: onnx.ModelProto, name: str) -> None:
    nodes = list(model.graph.node)
    place = next(at for at, node in enumerate(nodes) if name in node.output)
    outputs = [f"{one}_wide" if one == name else one for one in nodes[place].output]
    nodes[place].ClearField("output")
    nodes[place].output.extend(outputs)
    nodes[place + 1 : place + 1] = _casts(f"{name}_wide", name)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _round_input(model: onnx.ModelProto, name: str) -> None:
    nodes = list(model.graph.node)
    for node in nodes:
        inputs = [f"{name}_stored" if one == name else one for one in node.input]
        node.ClearField("input")
        node.input.extend(inputs)
    del model.graph.node[:]
    model.graph.node.extend([*_casts(name, f"{name}_stored"), *nodes])


def _spelled(graph: Constants, norm: NodeProto) -> list[NodeProto]:
    """A LayerNormalization over the last axis step by step, so that each step is rounded."""
    name, eps = norm.output[0], next((a.f for a in norm.attribute if a.name == "epsilon"), 1e-5)
    epsilon = graph.add(f"{name}_eps", np.float32(eps))
    width = graph.add(f"{name}_width", np.float32(_width(graph, norm)))
    axis = graph.add(f"{name}_axis", np.array([-1], np.int64))

    def step(op: str, inputs: list[str], output: str, **settings: Any) -> NodeProto:
        return helper.make_node(op, inputs, [f"{name}_{output}"], **settings)

    steps = [
        step("ReduceMean", [norm.input[0]], "mean", axes=[-1]),
        step("Sub", [norm.input[0], f"{name}_mean"], "centred"),
        step("Mul", [f"{name}_centred", f"{name}_centred"], "square"),
        step("ReduceSum", [f"{name}_square", axis], "sum"),
        step("Div", [f"{name}_sum", width], "variance"),
        step("Add", [f"{name}_variance", epsilon], "safe"),
        step("Sqrt", [f"{name}_safe"], "deviation"),
        step("Div", [f"{name}_centred", f"{name}_deviation"], "normal"),
    ]
    last = helper.make_node(
        "Mul", [f"{name}_normal", norm.input[1]], [f"{name}_weighed" if len(norm.input) > 2 else name]
    )
    steps.append(last)
    if len(norm.input) > 2:
        steps.append(helper.make_node("Add", [f"{name}_weighed", norm.input[2]], [name]))
    return steps


def _width(graph: Constants, norm: NodeProto) -> int:
    weights = graph.value(norm.input[1])
    if weights is None:
        raise ModelError(f"{norm.name}: its weights are no constants")
    return int(weights.size)
