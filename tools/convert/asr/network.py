"""Whisper as the two torch modules that become graphs: an encoder that emits the decoder's cross keys and
values, and a decoder that scores any number of tokens in one pass with its cache outside.

They hold the very parameters of the transformers model that they are made from (Radford et al. 2022 for the
network). Every matrix product with weights is a torch.nn.Linear, so that they can be found and replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

MASKED = -1e9  # finite: infinity becomes "not a number" in half precision arithmetic


@dataclass(frozen=True)
class Suppression:
    """Which tokens never come, which do not come first, and which one says that nobody speaks."""

    always: tuple[int, ...] = ()
    at_start: tuple[int, ...] = ()
    no_speech: int | None = None


class Attention(nn.Module):
    """Scaled dot-product attention in pieces. A cross-attention's key and value live in the encoder."""

    def __init__(self, source: Any) -> None:
        super().__init__()
        self.heads, self.width = int(source.num_heads), int(source.head_dim)
        self.query, self.key, self.value = source.q_proj, source.k_proj, source.v_proj
        self.out = source.out_proj

    def split(self, x: Tensor) -> Tensor:
        """[1, n, D] → [1, heads, n, width]."""
        return x.view(1, -1, self.heads, self.width).transpose(1, 2)

    def weigh(self, x: Tensor, keys: Tensor, mask: Tensor | None = None) -> Tensor:
        """How much each of n rows attends to each key: [1, heads, n, keys]."""
        query = self.split(self.query(x)) * self.width**-0.5
        scores = torch.matmul(query, keys.transpose(2, 3))
        return torch.softmax(scores if mask is None else scores + mask, -1)

    def mix(self, weights: Tensor, values: Tensor) -> Tensor:
        """[1, n, D] from the values that the weights pick."""
        mixed = torch.matmul(weights, values).transpose(1, 2)
        return self.out(mixed.reshape(1, -1, self.heads * self.width))


class Feed(nn.Module):
    """The two layers that follow attention, with their norm."""

    def __init__(self, source: Any) -> None:
        super().__init__()
        self.norm, self.wide, self.narrow = source.final_layer_norm, source.fc1, source.fc2

    def forward(self, x: Tensor) -> Tensor:
        """[1, n, D] → [1, n, D], the input added."""
        return x + self.narrow(functional.gelu(self.wide(self.norm(x))))


class EncoderLayer(nn.Module):
    """Self-attention over all the sound, then the feed."""

    def __init__(self, source: Any) -> None:
        super().__init__()
        self.norm = source.self_attn_layer_norm
        self.own, self.feed = Attention(source.self_attn), Feed(source)

    def forward(self, x: Tensor) -> Tensor:
        """[1, T, D] → [1, T, D]."""
        own = self.norm(x)
        keys, values = self.own.split(self.own.key(own)), self.own.split(self.own.value(own))
        return self.feed(x + self.own.mix(self.own.weigh(own, keys), values))


class Encoder(nn.Module):
    """mel [1, bands, 2T] → cross keys and values [layers, 1, heads, T, width] of every decoder layer."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        source = model.model.encoder
        self.conv1, self.conv2 = source.conv1, source.conv2
        self.positions = source.embed_positions.weight
        self.layers = nn.ModuleList(EncoderLayer(layer) for layer in source.layers)
        self.norm = source.layer_norm
        self.crosses = nn.ModuleList(Attention(layer.encoder_attn) for layer in model.model.decoder.layers)
        self.context: int | None = None  # T when it is fixed for the export

    def hidden(self, mel: Tensor) -> Tensor:
        """What the encoder makes of the sound: [1, T, D]."""
        x = functional.gelu(self.conv1(mel))
        x = functional.gelu(self.conv2(x)).transpose(1, 2)
        x = x + self.positions[: self.context or x.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        sound = self.hidden(mel)
        keys = [cross.split(cross.key(sound)) for cross in self.crosses]
        return torch.stack(keys), torch.stack([cross.split(cross.value(sound)) for cross in self.crosses])


class DecoderLayer(nn.Module):
    """Attention to the tokens before, to the sound, then the feed."""

    def __init__(self, source: Any) -> None:
        super().__init__()
        self.norm, self.cross_norm = source.self_attn_layer_norm, source.encoder_attn_layer_norm
        self.own, self.cross = Attention(source.self_attn), Attention(source.encoder_attn)
        del self.cross.key, self.cross.value  # the encoder's graph has them
        self.feed = Feed(source)

    def forward(
        self, x: Tensor, past: tuple[Tensor, Tensor], sound: tuple[Tensor, Tensor], mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """x [1, n, D] → x, grown keys and values, and the weights of its attention to the sound."""
        own = self.norm(x)
        keys = torch.cat([past[0], self.own.split(self.own.key(own))], 2)
        values = torch.cat([past[1], self.own.split(self.own.value(own))], 2)
        x = x + self.own.mix(self.own.weigh(own, keys, mask), values)
        weights = self.cross.weigh(self.cross_norm(x), sound[0])
        return self.feed(x + self.cross.mix(weights, sound[1])), keys, values, weights


class Decoder(nn.Module):
    """x [1, n, D] after a past of P → ids and logprobs [1, n], caches of P + n, frames and no_speech [1, n].

    `logprobs` are over the tokens that may come; `no_speech` is over all, as openai-whisper has it. `frames`
    is where the mean attention of the `alignment` heads, (layer, head), is greatest; the last output,
    `no_speech`, is there when the checkpoint has such a token.
    """

    def __init__(
        self, model: Any, suppression: Suppression, alignment: tuple[tuple[int, int], ...], mark_start: bool
    ) -> None:
        super().__init__()
        source = model.model.decoder
        self.layers = nn.ModuleList(DecoderLayer(layer) for layer in source.layers)
        self.norm, self.head = source.layer_norm, model.proj_out
        self.suppression, self.alignment, self.mark_start = suppression, alignment, mark_start
        self.input_names = ["x", "past_k", "past_v", "cross_k", "cross_v"] + ["first"] * mark_start
        self.output_names = ["ids", "logprobs", "new_k", "new_v", "frames"]
        self.output_names += ["no_speech"] * (suppression.no_speech is not None)

    def forward(
        self,
        x: Tensor,
        past_k: Tensor,
        past_v: Tensor,
        cross_k: Tensor,
        cross_v: Tensor,
        first: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """See the class; `first` [1] is the row at which the tokens that do not come first are ruled out."""
        past, count = past_k.shape[3], x.shape[1]
        columns, rows = torch.arange(past + count)[None], torch.arange(count)[:, None] + past
        mask = (columns > rows).to(x.dtype) * MASKED
        keys, values, attended = [], [], {}
        for i, layer in enumerate(self.layers):
            own, sound = (past_k[i], past_v[i]), (cross_k[i], cross_v[i])
            x, key, value, attended[i] = layer(x, own, sound, mask)
            keys.append(key)
            values.append(value)
        heads = [attended[layer][:, head] for layer, head in self.alignment]
        frames = torch.stack(heads).mean(0).argmax(-1)
        ids, logprobs, *no_speech = self.choose(self.head(self.norm(x)), first)
        return ids, logprobs, torch.stack(keys), torch.stack(values), frames, *no_speech

    def choose(self, scores: Tensor, first: Tensor | None) -> list[Tensor]:
        """Best ids, their log probabilities and that of the no-speech token, from scores [1, n, V].

        Only the few columns of tokens that are ruled out are looked at twice: n * V numbers are many.
        """
        always, at_start = self.suppression.always, self.suppression.at_start if self.mark_start else ()
        silent = None if self.suppression.no_speech is None else scores[:, :, self.suppression.no_speech]
        ruled_out: list[Tensor] = []
        if always or at_start:
            columns = torch.tensor([*always, *at_start])
            before = scores[:, :, columns]
            share = torch.cat([torch.ones(scores.shape[1], len(always)), self._start(scores, first)], 1)
            after = torch.where(share > 0, torch.full_like(before, MASKED), before)
            scores = scores.scatter(2, columns.expand(before.shape), after)
            ruled_out = [torch.where(share > 0, before, torch.full_like(before, MASKED))]
        logprobs = torch.log_softmax(scores, -1).amax(-1)
        chosen = [scores.argmax(-1), logprobs]
        if silent is not None:
            total = scores.amax(-1) - logprobs
            chosen.append(silent - _sum_of_logs(torch.cat([total[:, :, None], *ruled_out], 2)))
        return chosen

    def _start(self, scores: Tensor, first: Tensor | None) -> Tensor:
        """One at the first row and zero elsewhere, for each token that does not come first."""
        count = scores.shape[1]
        if first is None or not self.mark_start:
            return torch.zeros(count, 0)
        row = (torch.arange(count) == first).to(scores.dtype)
        return row[:, None].expand(count, len(self.suppression.at_start))


def _sum_of_logs(x: Tensor) -> Tensor:
    """log(sum(exp(x))) over the last axis; OpenVINO 2026.4 reads ONNX's operator for it wrongly."""
    most = x.amax(-1, keepdim=True)
    return most[:, :, 0] + torch.log(torch.exp(x - most).sum(-1))
