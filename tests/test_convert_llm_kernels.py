"""The matrix kernels of the MLC path against numpy, and which instructions they become on which processor.

Where a target's instructions cannot run here (VNNI) the kernel is compiled and its assembly read; those of aarch64
are run by qemu where build/aarch64 is prepared.
"""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

tvm = pytest.importorskip("tvm", reason="the MLC path needs apache-tvm")

from tools.convert.llm import aarch64  # noqa: E402
from tools.convert.llm.mlc import kernels  # noqa: E402
from tools.convert.llm.mlc.kernels import Activations  # noqa: E402
from tools.convert.llm.mlc.quantise import dequantise, quantise  # noqa: E402

Array = npt.NDArray[np.float32]

PLAIN = {"kind": "llvm"}  # what every processor of this machine's kind has
INTEL_SERVER = {"kind": "llvm", "mtriple": "x86_64-linux-gnu", "mcpu": "sapphirerapids"}
INTEL_LAPTOP = {"kind": "llvm", "mtriple": "x86_64-linux-gnu", "mcpu": "alderlake"}
AMD = {"kind": "llvm", "mtriple": "x86_64-linux-gnu", "mcpu": "znver3"}
CORTEX_A76 = {"kind": "llvm", "mtriple": "aarch64-linux-gnu", "mcpu": "cortex-a76", "mattr": ["+dotprod"]}
CORTEX_A53 = {"kind": "llvm", "mtriple": "aarch64-linux-gnu", "mcpu": "cortex-a53"}

# Outputs x inputs: a shape that every tile divides, and such as none does.
SHAPES = [(48, 256), (29, 128), (7, 96), (12, 320)]
ROWS = [1, 2, 5, 33, 130]


class Case(NamedTuple):
    """Weights as they are stored, and the floats they stand for."""

    words: npt.NDArray[np.uint32]
    scales: Array
    floats: Array


def case(outs: int, ins: int) -> Case:
    words, scales = quantise(np.random.default_rng(outs).standard_normal((outs, ins)).astype(np.float32))
    return Case(words, scales, dequantise(words, scales))


def rows(count: int, ins: int) -> Array:
    """Activations of very different sizes, a group of zeros and one large value among small ones."""
    rng = np.random.default_rng(count)
    x = (rng.standard_normal((count, ins)) * 10.0 ** rng.integers(-3, 2, (count, 1))).astype(np.float32)
    x[0, :32] = 0
    x[-1, 5] *= 1000
    return x


def as_int8(x: Array) -> Array:
    """The rows as the integer kernels see them: 32 values share a scale that makes the largest 127."""
    groups = x.reshape(len(x), -1, 32)
    largest = np.abs(groups).max(-1, keepdims=True)
    with np.errstate(divide="ignore"):
        inverse = np.where(largest > 0, np.float32(127) / largest, np.float32(0))
    return (np.rint(groups * inverse) * (largest * np.float32(1 / 127))).reshape(x.shape)


def host() -> dict[str, str]:
    return {"kind": "llvm", "mcpu": str(tvm.get_global_func("target.llvm_get_system_cpu")())}


@functools.cache
def compiled(
    kind: str, outs: int, ins: int, activations: Activations, target: tuple[tuple[str, Any], ...]
) -> Any:
    aim = tvm.target.Target({key: list(value) if key == "mattr" else value for key, value in target})
    kernel = getattr(kernels, kind)(outs, ins, aim, activations)
    return tvm.compile(tvm.IRModule({"kernel": kernel.with_attr("global_symbol", "kernel")}), target=aim)


def build(kind: str, outs: int, ins: int, activations: Activations, target: dict[str, Any]) -> Any:
    key = tuple((name, tuple(value) if name == "mattr" else value) for name, value in target.items())
    return compiled(kind, outs, ins, activations, key)


def run(library: Any, x: Array, weights: Case) -> Array:
    y = tvm.runtime.tensor(np.full((1, len(x), len(weights.floats)), np.nan, np.float32))
    library["kernel"](*(tvm.runtime.tensor(value) for value in (x[None], weights.words, weights.scales)), y)
    return np.array(y.numpy()[0])


def assembly(kind: str, activations: Activations, target: dict[str, Any]) -> str:
    return str(build(kind, 64, 512, activations, target).mod.inspect_source("asm"))


@pytest.mark.parametrize(("outs", "ins"), SHAPES)
@pytest.mark.parametrize("activations", ["fp32", "int8"])
def test_the_kernel_of_one_row_says_what_numpy_says(outs: int, ins: int, activations: Activations) -> None:
    weights, x = case(outs, ins), rows(1, ins)
    found = run(build("gemv", outs, ins, activations, host()), x, weights)
    assert_close(found, as_int8(x) if activations == "int8" else x, weights)


@pytest.mark.parametrize(("outs", "ins"), SHAPES)
@pytest.mark.parametrize("activations", ["fp32", "int8"])
def test_the_kernel_of_many_rows_takes_any_number_of_them(
    outs: int, ins: int, activations: Activations
) -> None:
    weights, library = case(outs, ins), build("gemm", outs, ins, activations, host())
    for count in ROWS:
        x = rows(count, ins)
        assert_close(run(library, x, weights), as_int8(x) if activations == "int8" else x, weights)


def test_without_any_special_instruction_the_sums_are_the_same() -> None:
    weights, x = case(29, 128), rows(5, 128)
    assert_close(run(build("gemm", 29, 128, "int8", PLAIN), x, weights), as_int8(x), weights)
    assert_close(run(build("gemv", 29, 128, "int8", PLAIN), x[:1], weights), as_int8(x[:1]), weights)


def test_a_row_does_not_depend_on_the_rows_beside_it() -> None:
    """Pieces of a prefill give what the whole gives."""
    weights, x = case(29, 128), rows(33, 128)
    library = build("gemm", 29, 128, "int8", host())
    whole = run(library, x, weights)
    np.testing.assert_array_equal(
        np.concatenate([run(library, x[:7], weights), run(library, x[7:], weights)]), whole
    )


def test_the_extremes_do_not_overflow() -> None:
    """All weights at the end of their range and all activations at the end of theirs, in either direction."""
    x = np.repeat(np.array([[1], [-1]], np.float32), 256, axis=1)
    for code in (0, 14, 15):
        words = np.full((48, 32), code * 0x11111111, np.uint32)
        weights = Case(words, np.ones((48, 8), np.float32), np.full((48, 256), code - 7, np.float32))
        found = run(build("gemm", 48, 256, "int8", host()), x, weights)
        np.testing.assert_allclose(found, x @ weights.floats.T, rtol=1e-6)
        found = run(build("gemv", 48, 256, "int8", host()), x[:1], weights)
        np.testing.assert_allclose(found, x[:1] @ weights.floats.T, rtol=1e-6)


def test_int8_activations_err_by_no_more_than_half_a_step_each() -> None:
    weights, x = case(48, 256), rows(5, 256)
    found = run(build("gemm", 48, 256, "int8", host()), x, weights)
    largest = np.abs(x.reshape(len(x), -1, 32)).max(-1)
    bound = largest / 254 @ np.abs(weights.floats).reshape(48, -1, 32).sum(-1).T
    assert (np.abs(found - x @ weights.floats.T) <= bound * 1.001 + 1e-6).all()


@pytest.mark.parametrize("kind", ["gemv", "gemm"])
@pytest.mark.parametrize(
    ("target", "instruction"),
    [
        (AMD, "vpmaddubsw"),
        (INTEL_LAPTOP, "{vex}\tvpdpbusd"),
        (INTEL_SERVER, "vpdpbusd"),
        (CORTEX_A76, "sdot"),
        (CORTEX_A53, "smull"),
    ],
    ids=["avx2", "avxvnni", "avx512vnni", "dotprod", "no dotprod"],
)
def test_the_integer_kernels_use_the_instructions_that_the_target_has(
    kind: str, target: dict[str, Any], instruction: str
) -> None:
    assert instruction in assembly(kind, "int8", target)


def test_the_float_kernels_use_none_of_them() -> None:
    assert "vpmaddubsw" not in assembly("gemm", "fp32", AMD)


@pytest.mark.parametrize(("outs", "ins"), [(3, 64), (16, 40)])
def test_shapes_that_no_kernel_knows_are_refused(outs: int, ins: int) -> None:
    with pytest.raises(ValueError, match="at least 4 outputs and a multiple of 32 inputs"):
        kernels.gemm(outs, ins, tvm.target.Target(PLAIN))


def assert_close(found: Array, x: Array, weights: Case) -> None:
    """Equal but for the rounding of floats; sums of many terms are judged by the size of the terms."""
    terms = np.abs(x) @ np.abs(weights.floats).T
    assert (np.abs(found - x.astype(np.float64) @ weights.floats.T) <= 2e-6 * terms + 1e-30).all()


EMULATED = """
import sys, numpy, tvm
given = numpy.load(sys.argv[1])
y = tvm.runtime.tensor(numpy.zeros((1, given["x"].shape[1], given["words"].shape[0]), "float32"))
library = tvm.runtime.load_module(sys.argv[2])
library["kernel"](*(tvm.runtime.tensor(given[name]) for name in ("x", "words", "scales")), y)
numpy.save(sys.argv[3], y.numpy()[0])
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gemv", "gemm"])
def test_on_an_emulated_aarch64_the_sums_are_the_same(kind: str, tmp_path: Path) -> None:
    if missing := aarch64.missing():
        pytest.skip(missing)
    from tvm.support import cc

    weights, x = case(29, 128), rows(1 if kind == "gemv" else 5, 128)
    link = cc.cross_compiler("aarch64-linux-gnu-g++", options=["-shared", "-fPIC"])
    build(kind, 29, 128, "int8", CORTEX_A76).export_library(str(tmp_path / "kernel.so"), fcompile=link)
    np.savez(tmp_path / "given.npz", x=x[None], words=weights.words, scales=weights.scales)
    files = [str(tmp_path / name) for name in ("given.npz", "kernel.so", "found.npy")]
    command = aarch64.command("-c", EMULATED, *files)
    subprocess.run(command, env=aarch64.environment(), check=True, timeout=300)
    assert_close(np.load(files[-1]), as_int8(x), weights)
