"""Makes what the comparison needs: the peers' environment, and one network of random weights in everybody's form."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np

from tools.bench.llm import LONGEST
from tools.bench.llm.measures import IDS, REFERENCE
from tools.bench.peers.environment import NotPrepared, environment, run_module
from tools.bench.peers.workers import ROOT
from tools.convert.llm import random_checkpoint

LOCK = Path(__file__).with_name("peers.lock")
SOURCE = "huggingface"
PEER_FORMS = {  # what each is made with, about how long it takes
    REFERENCE: "half a minute",
    "q4_0.gguf": "half a minute",
    "genai": "a minute",
    "openvino": "two minutes",
}
OWN_FORMS = {  # and the toy's own, by tools.convert.llm
    "onnx": ("--to", "onnx", "--activations", "int8"),
    "mlc": ("--to", "mlc", "--target", "host", "--activations", "int8"),
}
MAKERS = ("tools/convert/llm/**/*.py", "tools/train/mind/graph.py")
TOKENIZER = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "bos_token": "<s>",
    "eos_token": "<end>",
    "pad_token": "<pad>",
}


def peers_environment(folder: Path) -> Path:
    """The interpreter of the peers' environment, made when it is not there."""
    what = "other engines and their converters, some 3 GB with PyTorch; llama.cpp is compiled, ten minutes"
    return environment(folder, LOCK, what)


def checkpoint(folder: Path, sizes: random_checkpoint.Sizes) -> None:
    """A Hugging Face folder of random weights, and the tokens that everybody is given."""
    if (folder / IDS).exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    print(f"making {folder.name}: a checkpoint of RANDOM weights", flush=True)
    random_checkpoint.write(folder / SOURCE, sizes)
    # The builders of some peers want a tokenizer that transformers can load.
    (folder / SOURCE / "tokenizer_config.json").write_text(json.dumps(TOKENIZER), encoding="utf-8")
    first = len(random_checkpoint.MARKS)
    np.save(folder / IDS, np.random.default_rng(1).integers(first, sizes.vocabulary, LONGEST))


def peer_forms(python: Path, folder: Path) -> dict[str, str]:
    """The network for every peer; returns why not, for those that could not be made."""
    failed = {}
    for form, time in PEER_FORMS.items():
        if not (folder / form).exists():
            program = ["tools.bench.llm.peer_models", form, str(folder.resolve())]
            try:
                run_module(python, program, folder, f"{folder.name}: {form} ({time})")
            except NotPrepared as error:
                failed[form] = str(error)
    return failed


def own_forms(folder: Path) -> dict[str, str]:
    """The same for the toy's runtimes; made again when what makes them has changed."""
    failed = {}
    newest = max(path.stat().st_mtime for pattern in MAKERS for path in ROOT.glob(pattern))
    for runtime, options in OWN_FORMS.items():
        made = folder / runtime
        if not made.exists() or made.stat().st_mtime < newest:
            program = ["tools.convert.llm", str(folder / SOURCE), str(made), *options]
            program += ["--context", str(LONGEST)]
            try:
                run_module(Path(sys.executable), program, folder, f"{folder.name}: {runtime} (minutes)")
            except NotPrepared as error:
                failed[runtime] = str(error)
    return failed
