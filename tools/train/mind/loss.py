"""Weighted cross entropy whose gradient is computed on the way: no second array of scores is needed."""

from typing import Any

import torch
from torch import Tensor

from tools.train.mind.precision import fast_type

# Gradients of single scores are tiny: lifted before they are rounded to bfloat16, and lowered again behind the product.
LIFT = 4096.0


class WeightedCrossEntropy(torch.autograd.Function):
    """hidden [n, width], table [vocabulary, width], targets [n], weights [n] that sum to 1 -> scalar loss."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, table: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        kind = fast_type()
        hidden, table = hidden.to(kind), table.to(kind)
        scores = (hidden @ table.t()).float()
        scores -= scores.max(-1, keepdim=True).values
        picked = scores.gather(1, targets[:, None]).squeeze(1)
        scores.exp_()
        total = scores.sum(-1, keepdim=True)
        loss = ((total.squeeze(1).log() - picked) * weights).sum()
        scores *= (weights / total.squeeze(1) * LIFT)[:, None]
        scores.scatter_add_(1, targets[:, None], -weights[:, None] * LIFT)
        lifted = scores.to(kind)
        ctx.save_for_backward((lifted @ table).float() / LIFT, (lifted.t() @ hidden).float() / LIFT)
        return loss

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        to_hidden, to_table = ctx.saved_tensors
        return to_hidden * gradients[0], to_table * gradients[0], None, None


def weighted_cross_entropy(hidden: Tensor, table: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Mean over the weights; positions of weight 0 must be left out by the caller."""
    loss: Tensor = WeightedCrossEntropy.apply(hidden, table, targets, weights / weights.sum())
    return loss
