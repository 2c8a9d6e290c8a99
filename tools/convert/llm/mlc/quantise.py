"""Weights in MLC's q4f32_1: eight codes of 4 bits in a word, lowest first, one float scale for 32 columns.

A code q stands for (q - 7) * scale, 0 <= q <= 15. mlc_llm's own converter leaves 15 out and scales a group by its
largest weight; here all sixteen are used and the scale is searched for, so that any reader sees a sixth less rounding.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tools.convert.llm.architecture import GROUP
from tools.convert.llm.checkpoint import Checkpoint
from tools.convert.llm.safetensors_file import Array

NAME = "q4f32_1"
ZERO, LARGEST = 7, 15
# Of the scale at which a group's largest weight just fits; the last is mlc_llm's own.
SHARES = np.array([0.75, 0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 8 / 7], np.float32)
CODES_PER_WORD = 8
SHIFTS = np.arange(CODES_PER_WORD, dtype=np.uint32) * 4

Words = npt.NDArray[np.uint32]
Parameter = Words | Array


def quantise(weight: Array) -> tuple[Words, Array]:
    """Floats [rows, columns] to words [rows, columns / 8] and scales [rows, columns / 32].

    A scale has the sign that gives a group's largest weight the longer side, and of a few sizes the one with the
    least squared error.
    """
    rows = weight.shape[0]
    groups = weight.reshape(rows, -1, GROUP).astype(np.float32)
    largest = np.take_along_axis(groups, np.abs(groups).argmax(-1)[..., None], -1)[..., 0]
    peak: Array = (np.where(largest == 0, 1, largest) / (LARGEST - ZERO)).astype(np.float32)
    scales: Array = peak
    least = np.full(peak.shape, np.inf, np.float32)
    for share in SHARES:
        candidate: Array = peak * share
        error = ((_codes(groups, candidate) - ZERO) * candidate[..., None] - groups) ** 2
        total = error.sum(-1)
        scales = np.where(total < least, candidate, scales)
        least = np.minimum(total, least)
    codes = _codes(groups, scales).astype(np.uint32).reshape(rows, -1, CODES_PER_WORD)
    return (codes << SHIFTS).sum(-1, dtype=np.uint32), np.where(largest == 0, 0, scales).astype(np.float32)


def _codes(groups: Array, scales: Array) -> Array:
    codes: Array = np.clip(np.round(groups / scales[..., None]) + np.float32(ZERO), 0, LARGEST)
    return codes


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
