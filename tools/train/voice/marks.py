"""To every symbol the marks around it, so that the first sound of a phrase knows how its clause and sentence end."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

import torch
from torch import Tensor, nn

from epsilon.engines.tts.symbols import PAD, PUNCTUATION, TOKENS

SENTENCE_ENDS = (".", "?", "!", PAD)  # a phrase that is cut off has no mark before its closing pad
CLAUSE_ENDS = (*PUNCTUATION, PAD)


class Marks(nn.Module):
    """Adds up a vector for the mark that closes a symbol's clause, and one for each mark of its sentence.

    A convolution sees a few symbols, and a recurrent layer has to carry the mark from the end of a phrase to its
    beginning; here it is a product of two small matrices. The number of commas in a sentence, which makes a list
    of it, is in the sum.
    """

    def __init__(self, symbols: int, width: int) -> None:
        super().__init__()
        self.clause = nn.Embedding(symbols, width)
        self.sentence = nn.Embedding(symbols, width)
        for table in (self.clause, self.sentence):
            nn.init.normal_(table.weight, std=0.1)
        self.register_buffer("ends_clause", _are(CLAUSE_ENDS, symbols), persistent=False)
        self.register_buffer("ends_sentence", _are(SENTENCE_ENDS, symbols), persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        """[batch, tokens] -> [batch, tokens, width]."""
        marks = cast(Tensor, self.ends_clause)[ids]
        clause = _together(marks) * marks.unsqueeze(1)
        sentence = _together(cast(Tensor, self.ends_sentence)[ids]) * marks.unsqueeze(1)
        return torch.matmul(clause, self.clause(ids)) + torch.matmul(sentence, self.sentence(ids))


def _are(these: Collection[str], symbols: int) -> Tensor:
    """1 for each symbol that is one of these, [symbols]."""
    known = TOKENS[:symbols]
    return torch.tensor([float(token in these) for token in known] + [0.0] * (symbols - len(known)))


def _together(ends: Tensor) -> Tensor:
    """[batch, tokens], 1 where a stretch ends -> [batch, tokens, tokens], 1 for two symbols of one stretch."""
    stretch = torch.cumsum(ends, 1) - ends
    return (stretch.unsqueeze(2) == stretch.unsqueeze(1)).to(ends.dtype)
