"""The same checkpoint in the form each peer reads: python -m tools.bench.llm.peer_models FORM FOLDER.

Runs in the peers' virtual environment. FOLDER/huggingface is read. Weights have 4 bits in blocks of 32
everywhere, the embedding and the last layer included where the peer's own tools do that.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np

from tools.bench.llm import SEEN
from tools.bench.llm.gguf_file import write
from tools.bench.llm.measures import IDS, REFERENCE

SOURCE = "huggingface"


def reference(folder: Path, target: Path) -> None:
    """The scores after the first tokens, by transformers in float32."""
    torch = import_module("torch")
    model = import_module("transformers").AutoModelForCausalLM.from_pretrained(
        folder / SOURCE, dtype=torch.float32
    )
    ids = np.load(folder / IDS)[None, :SEEN]
    with torch.inference_mode(), target.open("wb") as file:
        np.save(file, model(torch.from_numpy(ids)).logits[0, -1].numpy())


def llama_cpp(folder: Path, target: Path) -> None:
    """Q4_0, for llama.cpp."""
    write(folder / SOURCE, target)


def genai(folder: Path, target: Path) -> None:
    """int4 in blocks of 32 with int8 activations, by onnxruntime-genai's own builder."""
    program = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-m", str(folder / SOURCE)]
    options = ["int4_block_size=32", "int4_accuracy_level=4"]
    cache = folder / "genai-cache"
    places = ["-o", str(target), "-c", str(cache)]
    subprocess.run([*program, *places, "-p", "int4", "-e", "cpu", "--extra_options", *options], check=True)
    shutil.rmtree(cache, ignore_errors=True)


def openvino(folder: Path, target: Path) -> None:
    """Stateful, int4 symmetric in groups of 32, by Optimum's own export."""
    program = [str(Path(sys.executable).parent / "optimum-cli"), "export", "openvino"]
    kind = ["--task", "text-generation-with-past", "--weight-format", "int4", "--sym"]
    sizes = ["--group-size", "32", "--ratio", "1.0"]
    subprocess.run([*program, "--model", str(folder / SOURCE), *kind, *sizes, str(target)], check=True)


FORMS: dict[str, Callable[[Path, Path], None]] = {
    REFERENCE: reference,
    "q4_0.gguf": llama_cpp,
    "genai": genai,
    "openvino": openvino,
}


def main() -> None:
    """Makes one form, under another name until it is whole."""
    form, folder = sys.argv[1], Path(sys.argv[2])
    unfinished = folder / f"unfinished-{form}"
    FORMS[form](folder, unfinished)
    unfinished.rename(folder / form)


if __name__ == "__main__":
    main()
