"""Times the matrix kernels on this machine: `python -m tools.convert.llm.mlc.kernels [threads] [rounds]`.

Weights are random and every layer has its own, so that they come from where a model's would. Float and integer
kernels take turns in one process. CPU is the time of all threads, which other programs disturb less than the clock.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any, NamedTuple

import numpy as np
import tvm
from tvm.target import Target

from tools.convert.llm.mlc import kernels
from tools.convert.llm.mlc.kernels import Activations
from tools.convert.llm.mlc.kernels.dots import path
from tools.convert.llm.mlc.quantise import quantise
from tools.convert.llm.mlc.targets import machine

LAYERS = 24
SHAPES = {  # outputs x inputs of a decoder of 24 layers and width 512, and how often a token passes through it
    "queries, keys, values": (768, 512, LAYERS),
    "attention's output": (512, 512, LAYERS),
    "gate and up": (3072, 512, LAYERS),
    "down": (512, 1536, LAYERS),
    "head": (4096, 512, 1),
}
ROWS = (1, 8, 32, 128)
PATHS: tuple[Activations, ...] = ("fp32", "int8")


class Work(NamedTuple):
    """The products of one shape: a kernel for each path, the weights of each layer."""

    libraries: dict[Activations, Any]
    weights: list[tuple[Any, Any]]
    x: Any
    y: Any


def main() -> None:
    threads, rounds = _arguments()
    tvm.get_global_func("runtime.config_threadpool")(1, threads)
    target = machine("host").target
    print(
        f"{target.attrs['mcpu']}, {path(target)}, {threads} threads, {rounds} rounds: medians in ms for all layers"
    )
    print(f"{'rows':>4} {'product':<22} {'fp32':>8} {'int8':>8} {'fp32 CPU':>9} {'int8 CPU':>9} {'ratio':>6}")
    for rows in ROWS:
        works = {name: _work(*shape, rows, target) for name, shape in SHAPES.items()}
        times = [
            {(name, way): _timed(work, way) for name, work in works.items() for way in PATHS}
            for _ in range(rounds)
        ]
        for name in works:
            _line(rows, name, [_median(times, [name], way) for way in PATHS])
        _line(rows, "all", [_median(times, list(works), way) for way in PATHS])


def _arguments() -> tuple[int, int]:
    given = sys.argv[1:]
    if len(given) > 2 or not all(text.isdigit() and int(text) for text in given):
        sys.exit(f"usage: {(__doc__ or '').split('`')[1]}")
    threads, rounds = [*(int(text) for text in given), *(1, 20)[len(given) :]]
    return threads, rounds


def _work(outs: int, ins: int, count: int, rows: int, target: Target) -> Work:
    rng = np.random.default_rng(outs)
    words, scales = quantise(rng.standard_normal((outs, ins)).astype(np.float32))
    weights = [(tvm.runtime.tensor(words.copy()), tvm.runtime.tensor(scales.copy())) for _ in range(count)]
    build = kernels.gemv if rows == 1 else kernels.gemm
    libraries = {way: _compiled(build(outs, ins, target, way), target) for way in PATHS}
    x, y = rng.standard_normal((1, rows, ins)).astype(np.float32), np.zeros((1, rows, outs), np.float32)
    return Work(libraries, weights, tvm.runtime.tensor(x), tvm.runtime.tensor(y))


def _compiled(kernel: Any, target: Target) -> Any:
    module = tvm.IRModule({"kernel": kernel.with_attr("global_symbol", "kernel")})
    with tvm.transform.PassContext(config={"tirx.disable_cse_tir": True}):
        return tvm.compile(module, target=target)["kernel"]


def _timed(work: Work, way: Activations) -> tuple[float, float]:
    """Seconds by the clock and of the CPU for all layers."""
    kernel, clock, cpu = work.libraries[way], time.perf_counter(), time.process_time()
    for words, scales in work.weights:
        kernel(work.x, words, scales, work.y)
    return time.perf_counter() - clock, time.process_time() - cpu


def _median(times: list[dict[Any, tuple[float, float]]], names: list[str], way: Activations) -> list[float]:
    sums = [[sum(turn[name, way][which] for name in names) for turn in times] for which in (0, 1)]
    return [1000 * statistics.median(each) for each in sums]


def _line(rows: int, name: str, found: list[list[float]]) -> None:
    (slow, slow_cpu), (fast, fast_cpu) = found
    ratio = slow_cpu / fast_cpu
    print(
        f"{rows:4} {name:<22} {slow:8.2f} {fast:8.2f} {slow_cpu:9.2f} {fast_cpu:9.2f} {ratio:6.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
