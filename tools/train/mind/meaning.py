"""What a turn means, predicted beside its words: a head for training alone, which the exported mind does not have.

The label of a turn (`talk.Turn.label`) is predicted where the toy's mark stands behind the user's words, from what the
middle layers leave there; and again at the first words of the reply: what was understood must be read from the mark by
them, or the reply goes its own way. Wordings far apart that mean the same have the same label: a denser signal than
the words of the reply.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tools.train.mind.loss import weighted_cross_entropy
from tools.train.mind.tokens import MEANINGS, SPECIAL

Parts = dict[str, tuple[Tensor, Tensor]]
ECHOES = 6  # words of a reply that must still know what it answers


def echoes(tokens: Tensor, dialogues: Tensor, meanings: Tensor) -> Tensor:
    """The meanings [b, t] once more, at the first words of each reply instead of at the mark before it."""
    goes_on = (dialogues[:, 1:] == dialogues[:, :-1]) & (tokens[:, 1:] >= len(SPECIAL))
    echoed, carried = torch.zeros_like(meanings), meanings
    for _ in range(ECHOES):
        carried = F.pad(carried[:, :-1] * goes_on, (1, 0))
        echoed = echoed + carried
    return echoed


class Meaning(nn.Module):
    """States [n, width] to scores of the labels; no bias, as the mind's own products."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(MEANINGS, width) * 0.02)

    def pick(self, left: list[Tensor], meanings: Tensor, echoed: Tensor) -> Parts:
        """States and labels: of the marks as the two layers before the last leave them, and of the first words."""
        marks, words = meanings > 0, echoed > 0
        parts = {
            "early": (left[-3:][0], marks),
            "marks": (left[-2:][0], marks),
            "words": (left[-2:][0], words),
        }
        labels = {"early": meanings, "marks": meanings, "words": echoed}
        return {name: (_normed(x[places]), labels[name][places]) for name, (x, places) in parts.items()}

    def loss(self, parts: Parts) -> Tensor:
        """Mean nats per label."""
        states, labels = (torch.cat(found) for found in zip(*parts.values(), strict=True))
        if not len(labels):
            return states.sum()
        return weighted_cross_entropy(states, self.table, labels, torch.ones(len(labels)))

    def right(self, parts: Parts) -> dict[str, int]:
        """How many labels of each part are told right."""
        return {
            name: int(((states @ self.table.t()).argmax(-1) == labels).sum())
            for name, (states, labels) in parts.items()
        }


def _normed(states: Tensor) -> Tensor:
    return F.rms_norm(states.float(), (states.shape[-1],))
