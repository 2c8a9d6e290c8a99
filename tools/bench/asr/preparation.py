"""Makes what the comparison needs: the peers' virtual environment, and one checkpoint in everybody's form."""

from __future__ import annotations

import shutil
from pathlib import Path

from tools.bench.peers.environment import NotPrepared, environment, run_module

LOCK = Path(__file__).with_name("peers.lock")
HF, OURS = "huggingface", "model"
FORMS = {  # what each is made with, about how long it takes
    "words.txt": "seconds",
    "ctranslate2": "half a minute",
    "ggml-q8_0.bin": "seconds",
    "openvino": "two minutes",
}


def peers_environment(folder: Path) -> Path:
    """The interpreter of the peers' environment, made when it is not there."""
    return environment(
        folder, LOCK, "other recognisers and their converters, some 3 GB with PyTorch, ten minutes or so"
    )


def checkpoint(python: Path, folder: Path, shape: str) -> None:
    """A Hugging Face folder of random weights that says twelve words, and the toy's own model of it."""
    if not (folder / "words.txt").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        random = ["tools.convert.asr.random_checkpoint", shape, "--out", str(folder / HF)]
        run_module(python, random, folder, f"{shape}: a checkpoint of random weights (half a minute)")
        _form(python, folder, "words.txt")
    if not (folder / OURS).exists():
        convert = ["tools.convert.asr", str(folder / HF), "--out", str(folder / OURS)]
        run_module(
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
    run_module(python, program, folder, f"{folder.name}: {form} ({FORMS[form]})")
