"""The decoder as TVM compiles it: the ten functions that mlc_llm calls, and two of ours that store a cache."""

from __future__ import annotations

from typing import Any

from tvm import relax, tirx
from tvm.relax.frontend import nn
from tvm.relax.frontend.nn import Tensor, op, spec
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache, RopeMode, TIRPagedKVCache
from tvm.target import Target

from tools.convert.llm.architecture import Architecture
from tools.convert.llm.mlc.kernels import Activations
from tools.convert.llm.mlc.layers import Embedding, Linear, Norm, chosen_rows, gated, last_row, product
from tools.convert.llm.mlc.rotation import turn_back

COLDEST = 1e-5  # a temperature below it means: the likeliest token


class Attention(nn.Module):
    """Grouped-query attention over the paged cache, which rotates queries and keys itself."""

    def __init__(self, shape: Architecture, target: Target, activations: Activations) -> None:
        super().__init__()
        self.shape = shape
        heads, kv_heads, dim = shape.num_attention_heads, shape.num_key_value_heads, shape.head_dim
        self.qkv_proj = Linear(shape.hidden_size, (heads + 2 * kv_heads) * dim, target, activations)
        self.o_proj = Linear(heads * dim, shape.hidden_size, target, activations)

    def forward(self, x: Tensor, cache: PagedKVCache, layer: int) -> Tensor:
        batch, count, _ = x.shape
        heads, dim = self.shape.num_attention_heads, self.shape.head_dim
        rows = (batch, count, heads + 2 * self.shape.num_key_value_heads, dim)
        qkv = op.reshape(self.qkv_proj(x), rows)
        mixed = cache.attention_with_fused_qkv(layer, qkv, heads, sm_scale=dim**-0.5)
        return self.o_proj(op.reshape(mixed, (batch, count, heads * dim)))


class FeedForward(nn.Module):
    """SwiGLU (Shazeer 2020); one product for both projections into it."""

    def __init__(self, shape: Architecture, target: Target, activations: Activations) -> None:
        super().__init__()
        self.target = target
        self.gate_up_proj = Linear(shape.hidden_size, 2 * shape.intermediate_size, target, activations)
        self.down_proj = Linear(shape.intermediate_size, shape.hidden_size, target, activations)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(gated(self.gate_up_proj(x), self.target))


class Layer(nn.Module):
    """Attention and feed-forward network, each behind a norm and beside a short cut."""

    def __init__(self, shape: Architecture, target: Target, activations: Activations) -> None:
        super().__init__()
        self.self_attn = Attention(shape, target, activations)
        self.mlp = FeedForward(shape, target, activations)
        self.input_layernorm = Norm(shape, target)
        self.post_attention_layernorm = Norm(shape, target)

    def forward(self, x: Tensor, cache: PagedKVCache, layer: int) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cache, layer)
        return x + self.mlp(self.post_attention_layernorm(x))


class Trunk(nn.Module):
    """Embedded tokens [b, n, width] to their last hidden states."""

    def __init__(self, shape: Architecture, target: Target, activations: Activations) -> None:
        super().__init__()
        self.embed_tokens = Embedding(shape)
        layers = [Layer(shape, target, activations) for _ in range(shape.num_hidden_layers)]
        self.layers = nn.ModuleList(layers)
        self.norm = Norm(shape, target)

    def forward(self, x: Tensor, cache: PagedKVCache) -> Tensor:
        for index, layer in enumerate(self.layers):
            x = layer(x, cache, index)
        return self.norm(x)


class DecoderModule(nn.Module):
    """What the library exports; every method is a function of it, see `exports`."""

    def __init__(self, shape: Architecture, chunk: int, target: Target, activations: Activations) -> None:
        super().__init__()
        self.shape, self.chunk = shape, chunk
        self.target, self.activations = target, activations
        self.model = Trunk(shape, target, activations)
        if not shape.tie_word_embeddings:
            self.lm_head = Linear(shape.hidden_size, shape.vocab_size, target, activations)

    def embed(self, input_ids: Tensor) -> Tensor:
        """ids [n] -> [n, width]."""
        return self.model.embed_tokens(input_ids)

    def prefill(self, input_embed: Tensor, paged_kv_cache: PagedKVCache) -> Any:
        """One sequence's tokens [1, n, width] -> scores [1, 1, vocabulary] of the last."""
        hidden = self.model(input_embed, paged_kv_cache)
        return self._scores(last_row(hidden)), paged_kv_cache

    def decode(self, input_embed: Tensor, paged_kv_cache: PagedKVCache) -> Any:
        """One sequence's next token [1, 1, width] -> scores [1, 1, vocabulary]."""
        return self._scores(self.model(input_embed, paged_kv_cache)), paged_kv_cache

    def batch_prefill(
        self, input_embeds: Tensor, logit_positions: Tensor, paged_kv_cache: PagedKVCache
    ) -> Any:
        """Several sequences' tokens in a row -> scores [1, b, vocabulary] at the positions named."""
        hidden = self.model(input_embeds, paged_kv_cache)
        return self._scores(chosen_rows(hidden, logit_positions)), paged_kv_cache

    def batch_decode(self, input_embeds: Tensor, paged_kv_cache: PagedKVCache) -> Any:
        """The next token of several sequences [b, 1, width] -> scores [b, 1, vocabulary]."""
        return self._scores(self.model(input_embeds, paged_kv_cache)), paged_kv_cache

    def batch_verify(self, input_embeds: Tensor, paged_kv_cache: PagedKVCache) -> Any:
        """Tokens [1, n, width] -> scores of every one [1, n, vocabulary]."""
        return self._scores(self.model(input_embeds, paged_kv_cache)), paged_kv_cache

    def softmax_with_temperature(self, logits: Tensor, temperature: Tensor) -> Tensor:
        """Scores [b, 1, vocabulary] to probabilities; temperature 0 puts all of it on the likeliest."""
        coldest = op.full(temperature.shape, COLDEST, "float32")
        heat = op.reshape(op.maximum(temperature, coldest), (logits.shape[0], 1, 1))
        return op.softmax(logits / heat, axis=-1)

    def restore(self, remembered: Tensor, paged_kv_cache: PagedKVCache) -> Any:
        """Append keys and values [layers, n, 2 kv heads, head_dim] to the cache, keys not yet rotated.

        The cache offers nothing that appends alone: each layer attends as well, with what the layer before gave
        as queries, and what comes out is of no use. All products with weights are left out.
        """
        shape, count = self.shape, remembered.shape[1]
        heads, kv_heads, dim = shape.num_attention_heads, shape.num_key_value_heads, shape.head_dim
        queries = op.zeros((1, count, heads, dim), "float32")
        for layer, rows in enumerate(op.chunk(remembered, shape.num_hidden_layers, dim=0)):
            rows = op.reshape(rows, (1, count, 2 * kv_heads, dim))
            qkv = op.concat([queries, rows], dim=2)
            queries = paged_kv_cache.attention_with_fused_qkv(layer, qkv, heads, sm_scale=dim**-0.5)
        return queries, paged_kv_cache

    def turn_back(self, keys: Tensor) -> Tensor:
        """Keys [layers, n, kv heads, head_dim] out of a cache, positions from 0 on, as they were before rotation."""
        return turn_back(keys, self.shape)

    def create_tir_paged_kv_cache(
        self,
        max_batch_size: tirx.Var,
        max_total_seq_len: tirx.Var,
        prefill_chunk_size: tirx.Var,
        page_size: tirx.Var,
        support_sliding_window: tirx.Var,
    ) -> PagedKVCache:
        """An empty cache for several sequences."""
        shape = self.shape
        return TIRPagedKVCache(
            attn_kind="mha",
            max_batch_size=max_batch_size,
            max_total_seq_len=max_total_seq_len,
            prefill_chunk_size=prefill_chunk_size,
            page_size=page_size,
            support_sliding_window=support_sliding_window,
            layer_partition=relax.ShapeExpr([0, shape.num_hidden_layers]),
            num_hidden_layers=shape.num_hidden_layers,
            num_attention_heads=shape.num_attention_heads,
            num_key_value_heads=shape.num_key_value_heads,
            qk_head_dim=shape.head_dim,
            v_head_dim=shape.head_dim,
            mla_original_qk_head_dim=0,
            mla_original_v_head_dim=0,
            rope_mode=RopeMode.NORMAL,
            rope_scale=1,
            rope_theta=int(shape.rope_theta),
            rope_scaling=dict(shape.rope_scaling),
            rope_ext_factors=relax.prim_value(0),
            rotary_dim=shape.head_dim,
            enable_disaggregation=False,
            dtype="float32",
            target=self.target,
        )

    def exports(self) -> Any:
        """What goes in and out of every function, as the compiler wants it."""
        shape = self.shape
        width, kv_heads = shape.hidden_size, shape.num_key_value_heads
        cache = spec.Object(object_type=PagedKVCache)

        def tensor(*sizes: int | str, kind: str = "float32") -> Any:
            return spec.Tensor(list(sizes), kind)

        def function(weights: bool = True, **inputs: Any) -> dict[str, Any]:
            return inputs | {"$": {"param_mode": "packed" if weights else "none", "effect_mode": "none"}}

        sizes = (
            "max_batch_size",
            "max_total_seq_len",
            "prefill_chunk_size",
            "page_size",
            "support_sliding_window",
        )
        positions = tensor("batch_size", kind="int32")
        several = tensor(1, "seq_len", width)
        stored = tensor(shape.num_hidden_layers, "seq_len", 2 * kv_heads, shape.head_dim)
        keys = tensor(shape.num_hidden_layers, "seq_len", kv_heads, shape.head_dim)
        scores = tensor("batch_size", 1, "vocab_size")
        functions = {
            "embed": function(input_ids=tensor("seq_len", kind="int32")),
            "prefill": function(input_embed=several, paged_kv_cache=cache),
            "decode": function(input_embed=tensor(1, 1, width), paged_kv_cache=cache),
            "batch_prefill": function(input_embeds=several, logit_positions=positions, paged_kv_cache=cache),
            "batch_decode": function(input_embeds=tensor("batch_size", 1, width), paged_kv_cache=cache),
            "batch_verify": function(input_embeds=several, paged_kv_cache=cache),
            "softmax_with_temperature": function(
                weights=False, logits=scores, temperature=tensor("batch_size")
            ),
            "create_tir_paged_kv_cache": function(weights=False, **dict.fromkeys(sizes, int)),
            "restore": function(weights=False, remembered=stored, paged_kv_cache=cache),
            "turn_back": function(weights=False, keys=keys),
        }
        return spec.ModuleSpec.from_raw(functions, self)

    def _scores(self, hidden: Tensor) -> Tensor:
        if not self.shape.tie_word_embeddings:
            return self.lm_head(hidden)
        table = self.model.embed_tokens
        return product(hidden, table.q_weight, table.q_scale, self.target, self.activations)
