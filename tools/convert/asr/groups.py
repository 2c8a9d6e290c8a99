"""Weights in 2 to 4 bits: every `group` neighbours of a row share a scale and a zero point.

Two ways from float32. `rounded` takes the range of each group and rounds to nearest. `fitted` searches the
range of each group for the least weighted error and feeds the error of each column into the columns that are
still to come, so that the layer's output and not its weights come out right: GPTQ (Frantar et al. 2022,
arXiv:2210.17323). The second moments of the layer's input that it needs come from random input here.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_SHRINKS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)  # parts of a group's range that are tried
_DAMPING = 0.05  # of the mean second moment: random input shows some directions less than speech does


@dataclass(frozen=True)
class Grouped:
    """A matrix [N, K] as codes [N, K] of `bits`, scales and zero points [N, K / group]."""

    codes: Tensor  # uint8
    scales: Tensor  # float32 that float16 holds exactly
    zeros: Tensor  # uint8
    bits: int

    @property
    def group(self) -> int:
        """Columns that share a scale."""
        return self.codes.shape[1] // self.scales.shape[1]

    def weight(self) -> Tensor:
        """What the codes stand for, float32 [N, K]."""
        return _spread(self.codes.float(), self.scales, self.zeros.float())


def rounded(weight: Tensor, bits: int, group: int) -> Grouped:
    """Each weight [N, K] rounded to the nearest of 2^bits levels over the range of its group."""
    low, high = _range(weight.unflatten(1, (-1, group)))
    scales, zeros = _levels(low, high, bits)
    return Grouped(_codes(weight, scales, zeros, bits), scales, zeros.to(torch.uint8), bits)


def fitted(weight: Tensor, moments: Tensor, bits: int, group: int) -> Grouped:
    """As few errors as possible in weight · x, where `moments` [K, K] is the mean of x xᵀ."""
    count = weight.shape[1]
    damped = moments + torch.eye(count) * (_DAMPING * moments.diagonal().mean() + 1e-8)
    # Row i of the inverse's Cholesky factor says how the later columns make up for an error in column i.
    factor = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(damped)), upper=True)
    left, parts = weight.clone(), []
    for first in range(0, count, group):
        chosen = slice(first, first + group)
        scales, zeros = _searched(left[:, chosen], damped.diagonal()[chosen], bits)
        codes, errors = _fed_forward(left[:, chosen], factor[chosen, chosen], scales, zeros, bits)
        left[:, first + group :] -= errors @ factor[chosen, first + group :]
        parts.append((codes, scales, zeros))
    codes, scales, zeros = (torch.cat(part, 1) for part in zip(*parts, strict=True))
    return Grouped(codes, scales, zeros.to(torch.uint8), bits)


def _fed_forward(
    block: Tensor, factor: Tensor, scales: Tensor, zeros: Tensor, bits: int
) -> tuple[Tensor, Tensor]:
    """Codes of one group [N, group] and what each column's error weighs on the columns after the group."""
    left, codes, errors = block.clone(), torch.empty_like(block, dtype=torch.uint8), torch.empty_like(block)
    for i in range(block.shape[1]):
        column = left[:, i : i + 1]
        codes[:, i : i + 1] = _codes(column, scales, zeros, bits)
        error = (column - _spread(codes[:, i : i + 1].float(), scales, zeros)) / factor[i, i]
        left[:, i:] -= error * factor[i, i:]
        errors[:, i : i + 1] = error
    return codes, errors


def _searched(block: Tensor, importance: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Scales and zero points [N, 1] of one group [N, group] with the least error weighted by `importance`."""
    low, high = _range(block[:, None])
    best = torch.full_like(low, torch.inf)
    scales, zeros = _levels(low, high, bits)
    for below in _SHRINKS:
        for above in _SHRINKS:
            tried = _levels(low * below, high * above, bits)
            found = _spread(_codes(block, *tried, bits).float(), *tried)
            error = ((block - found).square() * importance).sum(1, keepdim=True)
            scales, zeros = (
                torch.where(error < best, a, b) for a, b in zip(tried, (scales, zeros), strict=True)
            )
            best = torch.minimum(best, error)
    return scales, zeros


def _range(blocks: Tensor) -> tuple[Tensor, Tensor]:
    """[N, G, group] → lowest and highest [N, G], zero among them."""
    return blocks.amin(2).clamp(max=0), blocks.amax(2).clamp(min=0)


def _levels(low: Tensor, high: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Scales and zero points of 2^bits levels from `low` to `high`."""
    top = 2**bits - 1
    scales = ((high - low) / top).clamp(min=1e-5).half().float()
    return scales, (-low / scales).round().clamp(0, top)


def _codes(weight: Tensor, scales: Tensor, zeros: Tensor, bits: int) -> Tensor:
    blocks = weight.unflatten(1, (scales.shape[1], -1))
    codes = (blocks / scales[..., None] + zeros[..., None]).round().clamp(0, 2**bits - 1)
    return codes.flatten(1).to(torch.uint8)


def _spread(codes: Tensor, scales: Tensor, zeros: Tensor) -> Tensor:
    blocks = codes.unflatten(1, (scales.shape[1], -1))
    return ((blocks - zeros[..., None]) * scales[..., None]).flatten(1)
