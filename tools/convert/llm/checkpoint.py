"""A Hugging Face Mistral or Llama folder: its architecture, its weights one by one, its tokenizer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from epsilon.errors import ModelError
from tools.convert.llm import architecture
from tools.convert.llm.architecture import Architecture
from tools.convert.llm.safetensors_file import Array, Weights

TOKENIZER = "tokenizer.json"
TOKENIZER_FILES = (TOKENIZER, "tokenizer_config.json")
CHAT = "chat.yaml"


@dataclass(frozen=True)
class Checkpoint:
    """The folder, opened: nothing is read from the weights before they are asked for."""

    folder: Path
    shape: Architecture
    weights: Weights

    def embedding(self) -> Array:
        """A row a token [vocabulary, width]."""
        return self.weights.read("model.embed_tokens.weight", self.shape.vocab_size, self.shape.hidden_size)

    def head(self) -> Array:
        """What turns the last hidden state into scores [vocabulary, width]; the embedding where they are tied."""
        if self.shape.tie_word_embeddings:
            return self.embedding()
        return self.weights.read("lm_head.weight", self.shape.vocab_size, self.shape.hidden_size)

    def norms(self) -> Iterator[tuple[str, Array]]:
        """Name and weight [width] of every norm."""
        names = [
            f"model.layers.{layer}.{which}_layernorm.weight"
            for layer in range(self.shape.num_hidden_layers)
            for which in ("input", "post_attention")
        ]
        for name in [*names, "model.norm.weight"]:
            yield name, self.weights.read(name, self.shape.hidden_size)

    def qkv(self, layer: int) -> Array:
        """The rows of the query, key and value projections, one after another."""
        shape = self.shape
        kv_width = shape.num_key_value_heads * shape.head_dim
        rows = {"q": shape.num_attention_heads * shape.head_dim, "k": kv_width, "v": kv_width}
        parts = [
            self._of_layer(layer, f"self_attn.{name}_proj", count, shape.hidden_size)
            for name, count in rows.items()
        ]
        return np.concatenate(parts)

    def attention_out(self, layer: int) -> Array:
        """The projection after attention."""
        width = self.shape.num_attention_heads * self.shape.head_dim
        return self._of_layer(layer, "self_attn.o_proj", self.shape.hidden_size, width)

    def gate_up(self, layer: int) -> Array:
        """The rows of the two projections into the feed-forward network, one after the other."""
        sizes = (self.shape.intermediate_size, self.shape.hidden_size)
        return np.concatenate([self._of_layer(layer, f"mlp.{name}_proj", *sizes) for name in ("gate", "up")])

    def down(self, layer: int) -> Array:
        """The projection out of the feed-forward network."""
        return self._of_layer(layer, "mlp.down_proj", self.shape.hidden_size, self.shape.intermediate_size)

    def _of_layer(self, layer: int, name: str, rows: int, columns: int) -> Array:
        return self.weights.read(f"model.layers.{layer}.{name}.weight", rows, columns)


def load(folder: Path) -> Checkpoint:
    """The checkpoint in a folder; ModelError when there is none, or none that can be converted."""
    shape = architecture.read(folder)
    if not (folder / TOKENIZER).is_file():
        hint = "transformers writes it: AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)"
        raise ModelError(f"there is no {TOKENIZER}", where=str(folder), hint=hint)
    return Checkpoint(folder, shape, Weights(folder))
