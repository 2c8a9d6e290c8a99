"""Hugging Face folders with RANDOM weights: `python -m tools.convert.llm.random_checkpoint OUT`.

They say nothing that means anything. They are for checking the conversion and for measuring time and memory.
Matrices are 0.05 randn, norms 1 + 0.1 randn, from a seed; written without torch, as float32.
"""

from __future__ import annotations

import argparse
import json
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from tools.convert.llm.safetensors_file import Array

MARKS = ("<pad>", "<s>", "<user>", "<toy>", "<end>", "<silent>", "<other>", "<peer>")
CHAT = """\
system: "<s>{persona}"
user: "<user>{text}"
reply: "<toy>"
end: "<end>"
silent: "<silent>"
stop: ["<end>"]
max_reply_tokens: 12
"""


@dataclass(frozen=True)
class Sizes:
    """A network; the defaults are those that the language model runtimes are compared with."""

    model_type: str = "mistral"
    layers: int = 24
    width: int = 512
    inner: int = 1536
    heads: int = 8
    kv_heads: int = 2
    head_dim: int = 64
    vocabulary: int = 4096
    context: int = 1024
    theta: float = 10000.0
    tied: bool = False

    def config(self) -> dict[str, Any]:
        """As transformers writes it."""
        return {
            "architectures": [f"{self.model_type.capitalize()}ForCausalLM"],
            "model_type": self.model_type,
            "vocab_size": self.vocabulary,
            "hidden_size": self.width,
            "intermediate_size": self.inner,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_dim,
            "hidden_act": "silu",
            "max_position_embeddings": self.context,
            "rms_norm_eps": 1e-5,
            "rope_theta": self.theta,
            "sliding_window": None,
            "tie_word_embeddings": self.tied,
            "bos_token_id": 1,
            "eos_token_id": 4,
            "pad_token_id": 0,
        }


def write(out: Path, sizes: Sizes, seed: int = 0, scale: float = 0.05) -> None:
    """config.json, model.safetensors, tokenizer.json and chat.yaml of a random network."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(sizes.config(), indent=2) + "\n", encoding="utf-8")
    random = np.random.default_rng(seed)
    tensors = {name: _random(random, shape, scale) for name, shape in _shapes(sizes)}
    write_safetensors(out / "model.safetensors", tensors)
    _tokenizer(sizes.vocabulary).save(str(out / "tokenizer.json"))
    (out / "chat.yaml").write_text(CHAT, encoding="utf-8")


def write_safetensors(path: Path, tensors: dict[str, Array]) -> None:
    """Float32 tensors: the header's length, the header, the numbers."""
    header: dict[str, Any] = {}
    end = 0
    for name, value in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [end, end + value.nbytes]}
        end += value.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for value in tensors.values():
            file.write(value.astype("<f4").tobytes())


def _shapes(sizes: Sizes) -> Iterator[tuple[str, tuple[int, ...]]]:
    q, kv = sizes.heads * sizes.head_dim, sizes.kv_heads * sizes.head_dim
    yield "model.embed_tokens.weight", (sizes.vocabulary, sizes.width)
    for layer in range(sizes.layers):
        prefix = f"model.layers.{layer}"
        for name, rows in (("q", q), ("k", kv), ("v", kv)):
            yield f"{prefix}.self_attn.{name}_proj.weight", (rows, sizes.width)
        yield f"{prefix}.self_attn.o_proj.weight", (sizes.width, q)
        for name in ("gate", "up"):
            yield f"{prefix}.mlp.{name}_proj.weight", (sizes.inner, sizes.width)
        yield f"{prefix}.mlp.down_proj.weight", (sizes.width, sizes.inner)
        for name in ("input", "post_attention"):
            yield f"{prefix}.{name}_layernorm.weight", (sizes.width,)
    yield "model.norm.weight", (sizes.width,)
    if not sizes.tied:
        yield "lm_head.weight", (sizes.vocabulary, sizes.width)


def _random(random: np.random.Generator, shape: tuple[int, ...], scale: float) -> Array:
    values = random.standard_normal(shape, dtype=np.float32)
    return values * np.float32(scale) if len(shape) > 1 else 1 + values * np.float32(0.1)


def _tokenizer(vocabulary: int) -> Tokenizer:
    """Marks, then letters with a space before and without, then pieces that no text has."""
    letters = string.ascii_lowercase + "'"
    pieces = [*MARKS, "Ġ", *letters, *("Ġ" + letter for letter in letters)]
    pieces += [f"<unused {place}>" for place in range(len(pieces), vocabulary)]
    merges = [("Ġ", letter) for letter in letters]
    places = {piece: place for place, piece in enumerate(pieces)}
    result = Tokenizer(models.BPE(places, merges))
    result.add_special_tokens(list(MARKS))
    result.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    result.decoder = decoders.ByteLevel()
    return result


def main() -> None:
    """Writes a folder."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.convert.llm.random_checkpoint", description=__doc__
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    write(given.out, Sizes(layers=given.layers), given.seed)
    print(f"{given.out}: RANDOM weights, {given.layers} layers")


if __name__ == "__main__":
    main()
