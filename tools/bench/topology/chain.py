"""The longest chain of operations in a graph that have to wait for one another."""

from __future__ import annotations

from dataclasses import dataclass

import onnx

PRODUCT = "MatMulNBits"


@dataclass(frozen=True, order=True)
class Chain:
    """How many operations follow one another, and how many of them are products with weights."""

    operations: int = 0
    products: int = 0


def longest(graph: onnx.GraphProto) -> Chain:
    """The longest way from an input to an output; of equally long ones that with the most products.

    What hangs on constants alone is computed once, when the graph is loaded, and does not count.
    """
    constants = {one.name for one in graph.initializer}
    reached: dict[str, Chain] = {value.name: Chain() for value in graph.input if value.name not in constants}
    for node in graph.node:  # a node stands after those that it needs: the format demands it
        before = [reached[name] for name in node.input if name in reached]
        if not before:
            continue
        last = max(before)
        here = Chain(last.operations + 1, last.products + (node.op_type == PRODUCT))
        reached |= dict.fromkeys(filter(None, node.output), here)
    return max((reached[value.name] for value in graph.output if value.name in reached), default=Chain())
