"""What a turn means, predicted beside its words: a head for training alone, which the exported mind does not have.

The label of a turn (`talk.Turn.label`) is predicted where the toy's mark stands behind the user's words, from the
state before the last layer: the words of the reply read that place in their last layer, so what was understood must be
there by then. Wordings far apart that mean the same get the same label: a denser signal than the words of the reply.
"""

import torch
from torch import Tensor, nn

from tools.train.mind.loss import weighted_cross_entropy
from tools.train.mind.tokens import MEANINGS


class Meaning(nn.Module):
    """States [n, width] to scores of the labels; no bias, as the mind's own products."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(MEANINGS, width) * 0.02)

    def loss(self, states: Tensor, meant: Tensor) -> Tensor:
        """Mean nats per labelled turn."""
        return weighted_cross_entropy(states, self.table, meant, torch.ones(len(meant)))

    def right(self, states: Tensor, meant: Tensor) -> int:
        """How many turns are understood."""
        return int(((states @ self.table.t()).argmax(-1) == meant).sum())
