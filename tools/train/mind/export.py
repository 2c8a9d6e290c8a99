"""A checkpoint as files that the toy loads: model.onnx, config.json, tokenizer.json (chat.yaml is there)."""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
from tokenizers import Tokenizer

from tools.train.mind.graph import BLOCK, EXACT, Build, build
from tools.train.mind.model import Mind, Shape
from tools.train.mind.tokens import END, PAD, START
from tools.train.runs import load_network


def load_model(checkpoint: Path) -> Mind:
    model: Mind = load_network(checkpoint, lambda shape: Mind(Shape(**shape)))
    return model


def weights_of(model: Mind) -> dict[str, np.ndarray]:
    return {name: value.detach().numpy() for name, value in model.state_dict().items()}


def export(checkpoint: Path, tokenizer: Path, out: Path, bits: int = 4) -> None:
    """Writes model.onnx, config.json and tokenizer.json into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    model = load_model(checkpoint)
    onnx.save(build(model.shape, weights_of(model), Build(bits, EXACT)), out / "model.onnx")
    vocabulary = Tokenizer.from_file(str(tokenizer))
    marks = {
        f"{name}_token_id": vocabulary.token_to_id(token)
        for name, token in (("bos", START), ("eos", END), ("pad", PAD))
    }
    quantization = {"bits": bits, "block_size": BLOCK, "accuracy_level": EXACT}
    config = model.shape.config() | marks | {"quantization": quantization}
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    if tokenizer.resolve() != (out / "tokenizer.json").resolve():
        shutil.copyfile(tokenizer, out / "tokenizer.json")


def export_safetensors(checkpoint: Path, out: Path) -> None:
    """The weights in half precision under the names that `transformers` gives a Mistral model."""
    from safetensors.torch import save_file

    state = load_model(checkpoint).state_dict()
    save_file({f"model.{name}": value.half().contiguous() for name, value in state.items()}, out)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.train.mind.export", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("models/pocket/mind"))
    parser.add_argument("--bits", type=int, choices=(4, 8), default=4)
    parser.add_argument("--safetensors", type=Path, help="also write half-precision weights to this file")
    options = parser.parse_args()
    export(options.checkpoint, options.tokenizer, options.out, options.bits)
    if options.safetensors:
        export_safetensors(options.checkpoint, options.safetensors)


if __name__ == "__main__":
    main()
