"""Writes whisper.cpp's model file from a Hugging Face folder, matrices in blocks of 8 bits (q8_0).

The format is that of whisper.cpp's own models/convert-h5-to-ggml.py and ggml's q8_0: blocks of 32 weights, a
float16 scale and 32 signed bytes each.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

MAGIC = 0x67676D6C
FLOAT32, FLOAT16, Q8_0 = 0, 1, 8  # ggml's types of a tensor
MOSTLY_Q8_0 = 2007  # ggml's type of a file: q8_0 with its second format of quantisation
BLOCK = 32
NAMES = (  # Hugging Face's → whisper.cpp's
    ("model.", ""),
    ("layers", "blocks"),
    ("self_attn_layer_norm", "attn_ln"),
    ("encoder_attn_layer_norm", "cross_attn_ln"),
    ("final_layer_norm", "mlp_ln"),
    ("self_attn", "attn"),
    ("encoder_attn", "cross_attn"),
    ("q_proj", "query"),
    ("k_proj", "key"),
    ("v_proj", "value"),
    ("out_proj", "out"),
    ("fc1", "mlp.0"),
    ("fc2", "mlp.2"),
    ("encoder.layer_norm", "encoder.ln_post"),
    ("decoder.layer_norm", "decoder.ln"),
    ("embed_positions.weight", "positional_embedding"),
    ("embed_tokens", "token_embedding"),
)

Array = npt.NDArray[np.float32]


def write(folder: Path, target: Path, filters: Array) -> None:
    """`filters` is the mel bank [bands, 201]."""
    from safetensors.numpy import load_file

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    with target.open("wb") as file:
        _write_sizes(file, config)
        file.write(struct.pack("<2i", *filters.shape) + filters.astype("<f4").tobytes())
        tokens = list(_ordinary_tokens(folder))
        file.write(struct.pack("<i", len(tokens)))
        for token in tokens:
            file.write(struct.pack("<i", len(token)) + token)
        for name, weights in load_file(folder / "model.safetensors").items():
            if name != "proj_out.weight":  # it is the embedding
                _write_tensor(file, _renamed(name), weights)


def _write_sizes(file: BinaryIO, config: dict[str, Any]) -> None:
    sizes = [config["vocab_size"]]
    for part, positions in (("encoder", "max_source_positions"), ("decoder", "max_target_positions")):
        sizes += [config[positions], config["d_model"]]
        sizes += [config[f"{part}_attention_heads"], config[f"{part}_layers"]]
    file.write(struct.pack("<12i", MAGIC, *sizes, config["num_mel_bins"], MOSTLY_Q8_0))


def _ordinary_tokens(folder: Path) -> Iterator[bytes]:
    """The bytes of each token up to and with the end of text; whisper.cpp adds the other special ones."""
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    bytes_of = {letter: byte for byte, letter in _letters()}
    for token in sorted(vocabulary, key=vocabulary.__getitem__):
        yield bytes(bytes_of[letter] for letter in token)
    yield b"<|endoftext|>"


def _letters() -> Iterator[tuple[int, str]]:
    """GPT-2's printable stand-in for each byte (Radford et al. 2019)."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    yield from ((byte, chr(byte)) for byte in sorted(printable))
    yield from ((byte, chr(256 + n)) for n, byte in enumerate(sorted(set(range(256)) - printable)))


def _renamed(name: str) -> str:
    for old, new in NAMES:
        name = name.replace(old, new)
    return name


def _write_tensor(file: BinaryIO, name: str, weights: Array) -> None:
    if "conv" in name and name.endswith("bias"):
        weights = weights.reshape(-1, 1)
    matrix = weights.ndim == 2 and name.endswith("weight")
    kind = Q8_0 if matrix else FLOAT16 if weights.ndim == 3 else FLOAT32
    encoded = name.encode()
    file.write(struct.pack("<3i", weights.ndim, len(encoded), kind))
    file.write(struct.pack(f"<{weights.ndim}i", *reversed(weights.shape)) + encoded)
    file.write(_blocks(weights) if matrix else weights.astype("<f2" if kind == FLOAT16 else "<f4").tobytes())


def _blocks(weights: Array) -> bytes:
    """Weights in q8_0."""
    blocks = weights.astype(np.float32).reshape(-1, BLOCK)
    scales = np.abs(blocks).max(1, keepdims=True) / 127
    packed = np.zeros(len(blocks), [("scale", "<f2"), ("weights", "i1", BLOCK)])
    packed["scale"] = scales[:, 0]
    packed["weights"] = np.round(blocks / np.maximum(scales, 1e-30))
    return packed.tobytes()
