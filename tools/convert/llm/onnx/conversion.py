"""From a checkpoint to a folder with model.onnx, config.json and the tokenizer's files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import onnx

from epsilon.errors import ModelError
from tools.convert.llm import Options, Say
from tools.convert.llm.checkpoint import TOKENIZER_FILES, Checkpoint
from tools.convert.llm.context import context
from tools.convert.llm.onnx.positions import frequencies
from tools.train.mind.graph import BLOCK, EXACT, ROUNDED, Array, Build, build

BITS = 4
ACCURACY = {"fp32": EXACT, "int8": ROUNDED}
LARGEST_FILE = 2**31 - 2**16  # bytes of one message of ONNX' format


class StateDict(Mapping[str, Array]):
    """A checkpoint's weights as the graph asks for them, read when they are asked for."""

    def __init__(self, source: Checkpoint) -> None:
        self._weights = source.weights
        self._names = {"lm_head.weight": "lm_head.weight"} if not source.shape.tie_word_embeddings else {}
        self._names |= {name: f"model.{name}" for name in _names(source.shape.num_hidden_layers)}

    def __getitem__(self, name: str) -> Array:
        stored = self._names[name]
        return self._weights.read(stored, *self._weights.shape(stored))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def run(source: Checkpoint, out: Path, options: Options, say: Say) -> dict[str, str]:
    """Fills `out`; returns what the manifest row says besides files and names, which is nothing."""
    how = Build(BITS, ACCURACY[options.activations], head_bits=BITS, limit=context(source, options, say))
    say(f"int4 weights, {options.activations} activations (model.onnx)")
    model = build(source.shape, StateDict(source), how, frequencies(source.shape))
    if model.ByteSize() > LARGEST_FILE:
        raise ModelError("takes over 2 GB, too much for one model.onnx", where=str(source.folder))
    onnx.save(model, str(out / "model.onnx"))
    (out / "config.json").write_text(json.dumps(_config(source, how), indent=2) + "\n", encoding="utf-8")
    for name in TOKENIZER_FILES:
        if (source.folder / name).is_file():
            shutil.copyfile(source.folder / name, out / name)
    return {}


def _config(source: Checkpoint, how: Build) -> dict[str, object]:
    """The sizes by Hugging Face's names, with the context that was chosen and how it was quantised."""
    sizes = asdict(source.shape)
    marks = sizes.pop("marks")
    quantization = {"bits": how.bits, "block_size": BLOCK, "accuracy_level": how.accuracy}
    return {**sizes, **marks, "max_position_embeddings": how.limit, "quantization": quantization}


def _names(layers: int) -> Iterator[str]:
    yield from ("embed_tokens.weight", "norm.weight")
    parts = [f"self_attn.{name}_proj" for name in "qkvo"] + [
        f"mlp.{name}_proj" for name in ("gate", "up", "down")
    ]
    for layer in range(layers):
        for part in (*parts, "input_layernorm", "post_attention_layernorm"):
            yield f"layers.{layer}.{part}.weight"
