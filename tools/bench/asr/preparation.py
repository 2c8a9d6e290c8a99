"""Makes what the comparison needs: the peers' virtual environment, and one checkpoint in everybody's form."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.bench.asr.workers import OFFLINE, ROOT

LOCK = Path(__file__).with_name("peers.lock")
HF, OURS = "huggingface", "model"
FORMS = {  # what each is made with, about how long it takes
    "words.txt": "seconds",
    "ctranslate2": "half a minute",
    "ggml-q8_0.bin": "seconds",
    "openvino": "two minutes",
}


class NotPrepared(Exception):
    """Something could not be made; the message says what and where its output is."""


def peers_environment(folder: Path) -> Path:
    """The interpreter of the peers' environment, made when it is not there (some 3 GB with PyTorch)."""
    python = folder / "bin" / "python"
    done = folder / "installed"
    if done.exists() and done.read_text(encoding="utf-8") == LOCK.read_text(encoding="utf-8"):
        return python
    print(
        f"making {folder}: other recognisers and their converters, some 3 GB, ten minutes or so", flush=True
    )
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar", "on"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [*pip, "-c", str(LOCK), "torch"],  # with what it needs besides, which differs from machine to machine
        [*pip, "--no-deps", "-r", str(LOCK)],
    ):
        if subprocess.run(command, check=False).returncode:
            raise NotPrepared(f"{' '.join(command[:4])} … failed")
    done.write_text(LOCK.read_text(encoding="utf-8"), encoding="utf-8")
    return python


def checkpoint(python: Path, folder: Path, shape: str) -> None:
    """A Hugging Face folder of random weights that says twelve words, and the toy's own model of it."""
    if not (folder / "words.txt").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        random = ["tools.convert.asr.random_checkpoint", shape, "--out", str(folder / HF)]
        _run(python, random, folder, f"{shape}: a checkpoint of random weights (half a minute)")
        _form(python, folder, "words.txt")
    if not (folder / OURS).exists():
        convert = ["tools.convert.asr", str(folder / HF), "--out", str(folder / OURS)]
        _run(
            python,
            [*convert, "--openvino", "--min-context", "2"],
            folder,
            f"{shape}: the toy's own graphs (some minutes)",
        )


def peer_forms(python: Path, folder: Path) -> dict[str, str]:
    """The checkpoint for every peer; returns why not, for those that could not be made."""
    failed = {}
    for form in FORMS:
        if not (folder / form).exists():
            try:
                _form(python, folder, form)
            except NotPrepared as error:
                failed[form] = str(error)
    return failed


def _form(python: Path, folder: Path, form: str) -> None:
    program = ["tools.bench.asr.peer_models", form, str(folder)]
    _run(python, program, folder, f"{folder.name}: {form} ({FORMS[form]})")


def _run(python: Path, program: Sequence[str], folder: Path, what: str) -> None:
    """Run a module of this repository with the peers' interpreter, its output beside the results."""
    print(f"making {what}", flush=True)
    log = folder / "making.log"
    with log.open("a", encoding="utf-8") as output:
        command = [str(python), "-m", *program]
        ended = subprocess.run(
            command, cwd=ROOT, env=os.environ | OFFLINE, stdout=output, stderr=output, check=False
        )
    if ended.returncode:
        raise NotPrepared(f"{program[0]} ended with {ended.returncode}; see {log}")
