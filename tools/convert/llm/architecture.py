"""What a config.json says about a decoder-only network, and whether it is one that can be converted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from epsilon.errors import ModelError, nearest

FAMILIES = ("llama", "mistral")
ROPE_TYPES = ("default", "llama3")
GROUP = 32  # columns of a weight that share a scale: widths are multiples of it


@dataclass(frozen=True)
class Architecture:
    """Sizes and constants of a Mistral- or Llama-type network, by Hugging Face's names."""

    model_type: str
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    rms_norm_eps: float
    rope_theta: float
    max_position_embeddings: int
    tie_word_embeddings: bool = False
    sliding_window: int | None = None
    rope_scaling: dict[str, Any] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)  # bos_token_id, eos_token_id, pad_token_id

    @property
    def longest_context(self) -> int:
        """Positions for which full attention is what the checkpoint was made for.

        Up to the sliding window's length a window hides nothing; beyond it, it would.
        """
        return min(self.max_position_embeddings, self.sliding_window or self.max_position_embeddings)


def read(folder: Path) -> Architecture:
    """The architecture in a folder's config.json; ModelError when it is none that can be converted."""
    path = folder / "config.json"
    if not path.is_file():
        hint = "a folder as downloaded from the Hugging Face hub is meant"
        raise ModelError("there is no config.json", where=str(folder), hint=hint)
    values = read_json(path)
    _demand_known(values, path)
    try:
        found = _architecture(values)
    except KeyError as missing:
        raise ModelError(f"lacks {missing}", where=str(path)) from missing
    except (TypeError, ValueError) as error:
        raise ModelError(f"holds something of the wrong kind: {error}", where=str(path)) from error
    _demand_sizes(found, path)
    return found


def read_json(path: Path) -> dict[str, Any]:
    """The names and values in a JSON file; ModelError when it holds something else."""
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot be read: {error}", where=str(path)) from error
    if not isinstance(values, dict):
        raise ModelError("should hold names and values", where=str(path))
    return values


def _demand_known(values: dict[str, Any], path: Path) -> None:
    family = str(values.get("model_type", "thing without model_type"))
    if family not in FAMILIES:
        raise ModelError(f"cannot convert a {family}{nearest(family, FAMILIES)}", where=str(path))
    if values.get("quantization_config"):
        hint = "take the checkpoint with full weights; they are quantised here"
        raise ModelError("the weights are quantised already", where=str(path), hint=hint)
    if values.get("hidden_act", "silu") != "silu":
        raise ModelError(f"activation {values['hidden_act']} is not known; silu is", where=str(path))
    for name in ("attention_bias", "mlp_bias"):
        if values.get(name):
            raise ModelError(f"{name} is set; projections with a bias are not known", where=str(path))


def _architecture(values: dict[str, Any]) -> Architecture:
    heads = int(values["num_attention_heads"])
    rope = _rope(values)
    window = values.get("sliding_window")
    return Architecture(
        model_type=str(values["model_type"]),
        vocab_size=int(values["vocab_size"]),
        hidden_size=int(values["hidden_size"]),
        intermediate_size=int(values["intermediate_size"]),
        num_hidden_layers=int(values["num_hidden_layers"]),
        num_attention_heads=heads,
        num_key_value_heads=int(values.get("num_key_value_heads") or heads),
        head_dim=int(values.get("head_dim") or int(values["hidden_size"]) // heads),
        rms_norm_eps=float(values["rms_norm_eps"]),
        rope_theta=float(rope.pop("rope_theta")),
        max_position_embeddings=int(values["max_position_embeddings"]),
        tie_word_embeddings=bool(values.get("tie_word_embeddings", False)),
        sliding_window=int(window) if window else None,
        rope_scaling={} if rope["rope_type"] == "default" else rope,
        marks=_marks(values),
    )


def _rope(values: dict[str, Any]) -> dict[str, Any]:
    """rope_theta, rope_type and what the type needs, from transformers' older or newer place for them."""
    rope = {"rope_theta": values.get("rope_theta", 10000.0)}
    rope |= values.get("rope_parameters") or values.get("rope_scaling") or {}
    rope["rope_type"] = rope.pop("type", None) or rope.get("rope_type", "default")
    return rope


def _marks(values: dict[str, Any]) -> dict[str, int]:
    """The special tokens' ids; of several ends the first."""
    marks = {}
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        value = values.get(name)
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, int):
            marks[name] = value
    return marks


def _demand_sizes(found: Architecture, path: Path) -> None:
    rope_type = found.rope_scaling.get("rope_type", "default")
    if rope_type not in ROPE_TYPES:
        raise ModelError(
            f"cannot scale positions the way '{rope_type}'{nearest(rope_type, ROPE_TYPES)}", str(path)
        )
    if found.rope_theta != int(found.rope_theta):
        raise ModelError(f"rope_theta {found.rope_theta} should be a whole number", where=str(path))
    widths = {
        "hidden_size": found.hidden_size,
        "intermediate_size": found.intermediate_size,
        "num_attention_heads x head_dim": found.num_attention_heads * found.head_dim,
    }
    for name, width in widths.items():
        if width % GROUP:
            raise ModelError(f"{name} {width} is no multiple of {GROUP}, which int4 needs", where=str(path))
    if found.num_attention_heads % found.num_key_value_heads:
        raise ModelError("num_key_value_heads does not divide num_attention_heads", where=str(path))
