"""A linear layer in few bits with a low-rank adapter beside it: y = Q x + B (A x) + bias.

The adapter starts as the best low-rank copy of what quantisation lost, weighted by the second moments of the
layer's input (LQER: Zhang et al. 2024, arXiv:2402.02446; exact solution: QERA, Zhang et al. 2024,
arXiv:2410.06040; LoftQ: Li et al. 2023, arXiv:2310.08659, has it without the weighting), and is trained afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tools.convert.asr.groups import Grouped
from tools.convert.asr.nbits import packed, product

_DAMPING = 0.05


class Squeezed(nn.Module):
    """A linear layer [K → N] whose weights are codes; only the adapter can be trained."""

    def __init__(self, grouped: Grouped, bias: Tensor | None, rank: int) -> None:
        super().__init__()
        rows, columns = grouped.codes.shape
        self.sizes = (rows, columns, grouped.bits, grouped.group)
        for name, tensor in zip(("codes", "scales", "zeros"), packed(grouped), strict=True):
            self.register_buffer(name, tensor)
        self.register_buffer("weight", grouped.weight(), persistent=False)
        self.register_buffer("bias", bias, persistent=False)
        self.rank = min(rank, rows, columns)
        self.down = nn.Parameter(torch.zeros(columns, self.rank))  # Aᵀ
        self.up = nn.Parameter(torch.zeros(self.rank, rows))  # Bᵀ

    def forward(self, x: Tensor) -> Tensor:
        """[..., K] → [..., N]."""
        if torch.onnx.is_in_onnx_export():
            codes, scales, zeros = (self.get_buffer(name) for name in ("codes", "scales", "zeros"))
            y = product(x, codes, scales, zeros, self.sizes)
            y = y if self.bias is None else y + self.bias
        else:
            y = F.linear(x, self.get_buffer("weight"), self.bias)
        return y if self.rank == 0 else y + torch.matmul(torch.matmul(x, self.down), self.up)

    @torch.no_grad()
    def adapt(self, lost: Tensor, moments: Tensor) -> None:
        """Start the adapter as the best copy of `lost` [N, K] for input of these second moments [K, K]."""
        values, vectors = torch.linalg.eigh(moments)
        weights = (values.clamp(min=0) + _DAMPING * values.mean() + 1e-8).sqrt()
        left, sizes, right = torch.linalg.svd(lost @ (vectors * weights), full_matrices=False)
        strength = sizes[: self.rank].sqrt()
        self.up.copy_((left[:, : self.rank] * strength).T)
        self.down.copy_((vectors / weights) @ (right[: self.rank].T * strength))

    def drop(self) -> None:
        """Go on without the adapter."""
        self.rank = 0


def linears(model: nn.Module) -> Iterator[tuple[str, nn.Linear]]:
    """Names of all linear layers, and the layers; one that has several names comes as often."""
    for name, module in model.named_modules(remove_duplicate=False):
        if isinstance(module, nn.Linear):
            yield name, module


def squeezed(model: nn.Module) -> Iterator[tuple[str, Squeezed]]:
    """Names of all squeezed layers, and the layers."""
    for name, module in model.named_modules():
        if isinstance(module, Squeezed):
            yield name, module
