"""Three cures for numbers that float16 cannot hold: scale (exact), clamp (changes them), keep in float32."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import onnx
from onnx import helper

from epsilon.errors import ModelError
from tools.convert.asr.float_graph import Constants, prune
from tools.convert.asr.half import KEPT_KEY, kept
from tools.convert.asr.ranges import CONSTANT, LIMIT, NEAR, Range
from tools.convert.asr.scaling import LARGEST_POWER, NotLinear, Scaling

Cure = Literal["scale", "clamp", "fp32", "auto"]

AIM = LIMIT / 8  # scaled numbers end below it
CLAMP = 60_000.0  # a number that float16 holds exactly


@dataclass(frozen=True)
class Treated:
    """What was done to the graph, a line each, and whether it still computes the same in float32."""

    lines: tuple[str, ...]
    exact: bool


def cure(model: onnx.ModelProto, ranges: list[Range], wanted: Cure, norms_in_half: bool = False) -> Treated:
    """Changes the model so that what is over, near or inside the limit fits; 'auto' clamps what cannot scale."""
    ill = [one for one in ranges if one.verdict(norms_in_half) in ("over", "near", "inside")]
    if wanted == "fp32":
        return Treated(tuple(_keep(model, ill)), True)
    if wanted == "clamp":
        return Treated(tuple(_clamp(model, ill)), False)
    lines, left = _scale(model, ranges, ill, norms_in_half)
    if wanted == "scale" and left:
        names = ", ".join(f"{one.op} {one.node}" for one in left)
        raise ModelError(f"cannot be scaled exactly: {names}", hint="--cure auto clamps what is left")
    clamped = _clamp(model, left)
    return Treated((*lines, *clamped), not clamped)


def _scale(
    model: onnx.ModelProto, ranges: list[Range], ill: list[Range], norms_in_half: bool
) -> tuple[list[str], list[Range]]:
    """Scales group after group; what was done, and what is left because something in its way is not linear."""
    by_name = {one.tensor: one for one in ranges}
    norms = {
        node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "LayerNormalization"
    }
    lines: list[str] = []
    left: list[Range] = []
    done: set[str] = set()
    for one in (one for one in ill if one.op != CONSTANT):
        inside = one.largest <= NEAR  # what does not fit is inside a normalisation: its input is scaled
        tensor = norms[one.tensor] if inside else one.tensor
        if tensor in done:
            continue
        group = Scaling(model, by_name)
        try:
            group.plan(tensor)
        except NotLinear as reason:
            lines.append(f"not scaled, {reason}")
            left.append(one)
            continue
        power = _power(group.tensors, ranges, norms, norms_in_half)
        group.carry_out(power)
        done |= group.tensors
        lines.append(f"scaled by 2**-{power}: {tensor} and {len(group.tensors) - 1} tensors that go with it")
    prune(model)
    graph = Constants(model)  # constants that still stand in it were not scaled with their group
    return lines, left + [one for one in ill if one.op == CONSTANT and graph.value(one.tensor) is not None]


def _power(tensors: set[str], ranges: list[Range], norms: dict[str, str], norms_in_half: bool) -> int:
    """The smallest power of two that brings a group, and squares of it that do not fit, under the aim."""
    largest = max(one.largest for one in ranges if one.tensor in tensors)
    need = math.ceil(math.log2(largest / AIM)) if largest > AIM else 0
    squares = max([one.inside for one in ranges if norms.get(one.tensor) in tensors], default=0.0)
    if norms_in_half and squares > AIM:
        need = max(need, math.ceil(math.log2(squares / AIM) / 2))
    return min(max(need, 1), LARGEST_POWER)


def _clamp(model: onnx.ModelProto, ill: list[Range]) -> list[str]:
    """A Clip behind each operation whose output does not fit, and constants cut to the limit."""
    graph, lines = Constants(model), []
    over = [one for one in ill if one.verdict() == "over"]
    low, high = (
        graph.add(f"clamp_{name}", np.float32(value)) for name, value in (("low", -CLAMP), ("high", CLAMP))
    )
    for one in over:
        value = graph.value(one.tensor)
        if value is not None:
            _put(model, one.tensor, graph.add(f"{one.tensor}_clamped", np.clip(value, -CLAMP, CLAMP)))
        else:
            _put(model, one.tensor, f"{one.tensor}_clamped")
            clip = helper.make_node("Clip", [one.tensor, low, high], [f"{one.tensor}_clamped"])
            nodes = list(model.graph.node)
            place = next(at for at, node in enumerate(nodes) if one.tensor in node.output)
            nodes.insert(place + 1, clip)
            del model.graph.node[:]
            model.graph.node.extend(nodes)
        lines.append(
            f"clamped at ±{CLAMP:.0f}: {one.op} {one.node or one.tensor}, which reached {one.largest:.3g}"
        )
    prune(model)
    return lines


def _put(model: onnx.ModelProto, old: str, new: str) -> None:
    """Every reader of one tensor reads another."""
    for node in model.graph.node:
        inputs = [new if name == old else name for name in node.input]
        node.ClearField("input")
        node.input.extend(inputs)


def _keep(model: onnx.ModelProto, ill: list[Range]) -> list[str]:
    """Notes in the graph which tensors stay in float32, for programs that can mix."""
    names = sorted(kept(model) | {one.tensor for one in ill})
    helper.set_model_props(model, {KEPT_KEY: " ".join(names)})
    return [f"stays in float32: {one.op} {one.node or one.tensor}" for one in ill]
