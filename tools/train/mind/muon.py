"""Muon: momentum whose update of a matrix is made orthogonal; in the type that the CPU multiplies fastest."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from tools.train.mind.precision import fast_type

# Coefficients of the quintic iteration (Jordan et al. 2024, "Muon"): five rounds bring the singular values near 1.
A, B, C = 3.4445, -4.7750, 2.0315
ROUNDS = 5


def orthogonal(matrix: Tensor) -> Tensor:
    """The matrix [rows, columns] with all its singular values near 1 (Newton-Schulz)."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.t() if tall else matrix
    x = (x / (x.norm() + 1e-7)).to(fast_type()).contiguous()
    for _ in range(ROUNDS):
        gram = x @ x.t()
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=B, alpha=C), x, beta=A)
    x = x.to(matrix.dtype)
    return x.t() if tall else x


class Muon(torch.optim.Optimizer):
    """As torch.optim.Muon, which multiplies in bfloat16 on every CPU: twenty times slower where there is only AVX2."""

    def __init__(
        self, matrices: Iterable[Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """One update of every matrix that has a gradient."""
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if not state:
                    state["momentum"] = torch.zeros_like(matrix)
                state["momentum"].lerp_(matrix.grad, 1 - group["momentum"])
                update = orthogonal(matrix.grad.lerp(state["momentum"], group["momentum"]))
                # A tall matrix takes larger steps, so that each output changes as much as in a square one.
                size = max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(update, alpha=-group["lr"] * size)
