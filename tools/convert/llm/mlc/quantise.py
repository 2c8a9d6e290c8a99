"""Weights in MLC's q4f32_1: eight codes of 4 bits in a word, lowest first, one float scale for 32 columns.

A code q stands for (q - 7) * scale, 0 <= q <= 14, so that a group's largest weight is exact and zero is zero.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tools.convert.llm.architecture import GROUP
from tools.convert.llm.checkpoint import Checkpoint
from tools.convert.llm.safetensors_file import Array

NAME = "q4f32_1"
ZERO = 7
CODES_PER_WORD = 8
SHIFTS = np.arange(CODES_PER_WORD, dtype=np.uint32) * 4

Words = npt.NDArray[np.uint32]
Parameter = Words | Array


def quantise(weight: Array) -> tuple[Words, Array]:
    """Floats [rows, columns] to words [rows, columns / 8] and scales [rows, columns / 32]."""
    rows = weight.shape[0]
    groups = weight.reshape(rows, -1, GROUP).astype(np.float32)
    scales = np.abs(groups).max(-1) / np.float32(ZERO)
    divisor = np.where(scales == 0, np.float32(1), scales)[..., None]
    codes = np.clip(np.round(groups / divisor + ZERO), 0, 2 * ZERO).astype(np.uint32)
    words = (codes.reshape(rows, -1, CODES_PER_WORD) << SHIFTS).sum(-1, dtype=np.uint32)
    return words, scales.astype(np.float32)


def dequantise(words: Words, scales: Array) -> Array:
    """The floats [rows, columns] that words and scales stand for."""
    rows = words.shape[0]
    codes = ((words[..., None] >> SHIFTS) & 15).reshape(rows, -1, GROUP).astype(np.float32)
    return ((codes - ZERO) * scales[..., None]).reshape(rows, -1).astype(np.float32)


def parameters(source: Checkpoint) -> Iterator[tuple[str, Parameter]]:
    """Every parameter of the library under MLC's name, in no order that matters; one layer in memory at a time."""
    yield from _quantised("model.embed_tokens", source.embedding())
    if not source.shape.tie_word_embeddings:
        yield from _quantised("lm_head", source.head())
    for layer in range(source.shape.num_hidden_layers):
        prefix = f"model.layers.{layer}"
        yield from _quantised(f"{prefix}.self_attn.qkv_proj", source.qkv(layer))
        yield from _quantised(f"{prefix}.self_attn.o_proj", source.attention_out(layer))
        yield from _quantised(f"{prefix}.mlp.gate_up_proj", source.gate_up(layer))
        yield from _quantised(f"{prefix}.mlp.down_proj", source.down(layer))
    yield from source.norms()


def _quantised(name: str, weight: Array) -> Iterator[tuple[str, Parameter]]:
    words, scales = quantise(weight)
    yield f"{name}.q_weight", words
    yield f"{name}.q_scale", scales
