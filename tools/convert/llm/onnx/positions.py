"""How far a head's pairs of numbers turn from one position to the next, scaled as Llama 3 scales them."""

from __future__ import annotations

import math

import numpy as np

from tools.convert.llm.architecture import Architecture
from tools.train.mind.graph import Array, rope_frequencies


def frequencies(shape: Architecture) -> Array:
    """Radians [head_dim / 2]; the rope type is `default` or `llama3` (transformers' modeling_rope_utils)."""
    plain = rope_frequencies(shape)
    scaling = shape.rope_scaling
    if not scaling:
        return plain
    factor, original = float(scaling["factor"]), int(scaling["original_max_position_embeddings"])
    low, high = float(scaling["low_freq_factor"]), float(scaling["high_freq_factor"])
    turns = plain * (original / (2 * math.pi))  # of each pair within the context it was first made for
    share = np.clip((turns - low) / (high - low), 0, 1)  # 0: slowed by the factor, 1: as it is
    scaled: Array = (plain * (share + (1 - share) / factor)).astype(np.float32)
    return scaled
