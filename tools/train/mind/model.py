"""The mind's network: a Mistral-type decoder (RMSNorm, RoPE, grouped queries, SwiGLU, tied embedding)."""

import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

QUERIES = 128  # of one block of the attention


@dataclass(frozen=True)
class Shape:
    """Sizes of the network, by the names of a Hugging Face Mistral configuration."""

    vocab_size: int = 2048
    hidden_size: int = 320
    intermediate_size: int = 864
    num_hidden_layers: int = 4
    num_attention_heads: int = 5
    num_key_value_heads: int = 1
    max_position_embeddings: int = 384
    rope_theta: float = 10000.0
    rms_norm_eps: float = 1e-5

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_attention_heads

    def config(self) -> dict[str, object]:
        """The same sizes as a config.json that `transformers` would read."""
        return {
            "architectures": ["MistralForCausalLM"],
            "model_type": "mistral",
            "hidden_act": "silu",
            "tie_word_embeddings": True,
            "sliding_window": None,
            "attention_dropout": 0.0,
            "head_dim": self.head_dim,
            **asdict(self),
        }


def rope_tables(shape: Shape) -> tuple[Tensor, Tensor]:
    """Cosines and sines, each [positions, head_dim / 2]."""
    exponents = torch.arange(0, shape.head_dim, 2) / shape.head_dim
    angles = torch.outer(torch.arange(shape.max_position_embeddings).float(), shape.rope_theta**-exponents)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding, halves convention of the Mistral checkpoints (Su et al. 2021)."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class Norm(nn.Module):
    """Root-mean-square norm (Zhang and Sennrich 2019)."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x.float(), (x.shape[-1],), self.weight, self.eps)


class Attention(nn.Module):
    """Grouped-query attention written out: on CPUs its backward pass is faster than the fused call.

    Queries are taken in blocks, each with the keys up to its own end: what no query may see is hardly computed.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        kv_width = shape.num_key_value_heads * shape.head_dim
        self.q_proj = nn.Linear(shape.hidden_size, shape.hidden_size, bias=False)
        self.k_proj = nn.Linear(shape.hidden_size, kv_width, bias=False)
        self.v_proj = nn.Linear(shape.hidden_size, kv_width, bias=False)
        self.o_proj = nn.Linear(shape.hidden_size, shape.hidden_size, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        batch, length, width = x.shape
        heads, kv_heads, dim = (
            self.shape.num_attention_heads,
            self.shape.num_key_value_heads,
            self.shape.head_dim,
        )
        q = rotate(self.q_proj(x).view(batch, length, heads, dim).transpose(1, 2), cos, sin)
        k = rotate(self.k_proj(x).view(batch, length, kv_heads, dim).transpose(1, 2), cos, sin)
        v = self.v_proj(x).view(batch, length, kv_heads, dim).transpose(1, 2)
        q, k = (q * dim**-0.5).to(v.dtype), k.to(v.dtype)
        blocks = [
            attend(q[:, :, at : at + QUERIES], k[:, :, : at + QUERIES], v[:, :, : at + QUERIES], mask, at)
            for at in range(0, length, QUERIES)
        ]
        return self.o_proj(torch.cat(blocks, 2).transpose(1, 2).reshape(batch, length, width))


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, at: int) -> Tensor:
    """What the queries [batch, heads, some, dim] from place `at` on find among keys and values up to their end."""
    batch, heads, some, dim = q.shape
    kv_heads, end = k.shape[1], k.shape[2]
    # Queries of one group are stacked along time, so that keys are never repeated.
    group = heads // kv_heads
    stacked = q.reshape(batch, kv_heads, group * some, dim)
    scores = torch.matmul(stacked, k.transpose(-1, -2)).view(batch, kv_heads, group, some, end)
    weights = (scores + mask[..., at : at + some, :end]).softmax(-1)
    return torch.matmul(weights.view(batch, kv_heads, group * some, end), v).view(batch, heads, some, dim)


class FeedForward(nn.Module):
    """SwiGLU (Shazeer 2020)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.up_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.down_proj = nn.Linear(shape.intermediate_size, shape.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input_layernorm = Norm(shape.hidden_size, shape.rms_norm_eps)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = Norm(shape.hidden_size, shape.rms_norm_eps)
        self.mlp = FeedForward(shape)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class Mind(nn.Module):
    """Tokens [batch, length] to the last hidden states [batch, length, width]; `logits` gives the scores."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocab_size, shape.hidden_size)
        self.layers = nn.ModuleList([Layer(shape) for _ in range(shape.num_hidden_layers)])
        self.norm = Norm(shape.hidden_size, shape.rms_norm_eps)
        cos, sin = rope_tables(shape)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.apply(self._initialise)

    def _initialise(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, Attention | FeedForward):
            out = module.o_proj if isinstance(module, Attention) else module.down_proj
            nn.init.normal_(out.weight, std=0.02 / math.sqrt(2 * self.shape.num_hidden_layers))

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """`mask` [batch, 1, 1, length, length] is added to the scores; without it a token sees all before."""
        return self.norm(self.states(tokens, mask)[-1])

    def states(self, tokens: Tensor, mask: Tensor | None = None) -> list[Tensor]:
        """What each layer leaves, before the last norm."""
        length = tokens.shape[1]
        if mask is None:
            mask = torch.full((length, length), -1e9).triu(1)
        cos, sin = self.get_buffer("cos")[:length], self.get_buffer("sin")[:length]
        x = self.embed_tokens(tokens)
        left = []
        for layer in self.layers:
            x = layer(x, cos, sin, mask)
            left.append(x)
        return left

    def logits(self, hidden: Tensor) -> Tensor:
        return F.linear(hidden, self.embed_tokens.weight.to(hidden.dtype))
