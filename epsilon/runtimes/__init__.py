"""Where graphs run: one module a runtime, named in the board file; each has `load(path, seat) -> Graph`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy.typing as npt

from epsilon.realtime import Seat

Array = npt.NDArray[Any]
Shape = tuple[int | str, ...]  # a name stands for a size that may differ from call to call


class Graph(Protocol):
    """A loaded network: arrays in by name, arrays out by name."""

    @property
    def inputs(self) -> Mapping[str, Shape]:
        """Shapes of the inputs by name."""

    @property
    def outputs(self) -> Mapping[str, Shape]:
        """Shapes of the outputs by name."""

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run once; the arrays returned belong to the caller."""


@runtime_checkable
class FixedGraph(Protocol):
    """A graph that was compiled for some shapes and takes no others, as the NPU's are."""

    @property
    def fixed(self) -> Mapping[str, tuple[tuple[int, ...], ...]]:
        """Every shape that an input can have, by name; the n-th of each go together."""


def fixed_sizes(graph: Graph, name: str, axis: int) -> tuple[int, ...]:
    """The sizes that an input of the graph can have along an axis, smallest first; none: any size."""
    if not isinstance(graph, FixedGraph):
        return ()
    return tuple(sorted({shape[axis] for shape in graph.fixed[name]}))


class Runtime(Protocol):
    """A module of this folder."""

    def load(self, path: Path, seat: Seat) -> Graph:
        """The graph in a file, to run on the seat's cores; ModelError when the file is not a graph."""
