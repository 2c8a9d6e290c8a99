"""Libraries for other machines: the one for aarch64 is run by qemu, that for the Mali is looked into and not run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from epsilon.realtime import Seat
from epsilon.runtimes import mlc
from tests.models import mlc_tiny
from tools.convert.llm import Activations, aarch64, inspect
from tools.convert.llm.mlc.exercise import answers
from tools.convert.llm.random_checkpoint import write


@pytest.mark.aarch64
@pytest.mark.skipif(bool(aarch64.missing()), reason=aarch64.missing())
@pytest.mark.parametrize("activations", ["fp32", "int8"])
def test_an_aarch64_machine_computes_the_same(activations: Activations, tmp_path: Path) -> None:
    """By the toy's own runtime, with the wheels that a board has."""
    model = mlc_tiny.mind(tmp_path / "mind", activations=activations, targets=("host", "aarch64"))
    out = tmp_path / "answers.npy"
    words = ("-m", "tools.convert.llm.mlc.exercise", str(model.folder), str(out), "--tvm", model.tvm)
    done = subprocess.run(aarch64.command(*words), env=aarch64.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("aarch64:")
    wanted = answers(mlc.load_decoder(model, Seat()))
    np.testing.assert_allclose(np.load(out), wanted, atol=1e-4)


@pytest.mark.slow
def test_kernels_for_the_mali_keep_to_its_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Work-groups and local memory of every kernel, and the memory planned for every function."""
    if shutil.which("aarch64-linux-gnu-g++") is None:
        pytest.skip("needs the cross compiler for aarch64")
    write(tmp_path, mlc_tiny.SIZES)
    assert inspect.main([str(tmp_path), "--target", "opencl-mali"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines[1 : lines.index("")] if "_kernel" in line]
    assert len(rows) > 40 and f"{len(rows)} kernels" in " ".join(lines)
    for name, group, items, local in rows:
        assert int(items) <= 256 and int(local) <= 32768, name
        assert group.count("x") == 2
    attention = {name: int(local) for name, _, _, local in rows if name.startswith("batch_decode_paged_kv_")}
    assert min(attention.values()) > 0
    planned = dict(line.split() for line in lines if line.startswith(("decode ", "prefill ")))
    assert int(planned["prefill"]) > int(planned["decode"]) > 0
