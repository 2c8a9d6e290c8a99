"""Trains the network that reads the words: `python -m tools.train.endpoint.wording`. It writes words.npz."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from epsilon.engines.endpoint.wording import UNKNOWN, WORDS
from tools.train.endpoint.said import Reader, Said, of_ears, of_scripts
from tools.train.endpoint.training import told_apart
from tools.turns.worlds import World

_EARS_SHARE = 0.4  # of what is learned from is as the ears wrote it
_WORST_OF_SCRIPTS = 0.4  # so much of the words is misread at most
_WORST_OF_EARS = 0.2  # what the ears wrote has mistakes enough
_BATCH = 256
SCRIPTS, STEPS = 100_000, 4_000
_PEAK_RATE = 3e-3


class Sizes(NamedTuple):
    """Of the network."""

    word: int = 48
    state: int = 96


class Words(nn.Module):
    """places [B, n], counts [B] → logits [B] that nothing follows."""

    def __init__(self, vocabulary: int, sizes: Sizes) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary + 1, sizes.word)
        self.layer = nn.GRU(sizes.word, sizes.state, batch_first=True)
        self.answer = nn.Linear(sizes.state, 1)
        self.drop = nn.Dropout(0.2)

    def forward(self, places: Tensor, counts: Tensor) -> Tensor:
        """See the class."""
        states, _ = self.layer(self.drop(self.embedding(places)))
        last = states[torch.arange(len(places)), counts - 1]
        answers: Tensor = self.answer(self.drop(last))[:, 0]
        return answers


def train(
    turns: Path, out: Path, ears: str, scripts: int = SCRIPTS, steps: int = STEPS, seed: int = 1
) -> None:
    """Learn, and say how well ends are told from pauses on the development turns."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    clean = list(of_scripts(scripts, World.TRAINING))
    heard = [*of_ears(turns, ears, False), *of_ears(turns, ears, True)]
    reader = Reader(clean)
    model = Words(len(reader.vocabulary), Sizes())
    optimizer = torch.optim.AdamW(model.parameters(), lr=_PEAK_RATE, weight_decay=0.01)
    from_ears = round(_BATCH * _EARS_SHARE) if heard else 0
    for step in range(steps):
        rate = (
            _PEAK_RATE * min(1.0, (step + 1) / 100) * (0.01 + 0.495 * (1 + math.cos(math.pi * step / steps)))
        )
        for group in optimizer.param_groups:
            group["lr"] = rate
        some = [
            (clean[place], _WORST_OF_SCRIPTS) for place in rng.integers(len(clean), size=_BATCH - from_ears)
        ]
        some += [(heard[place], _WORST_OF_EARS) for place in rng.integers(len(heard), size=from_ears)]
        read = [reader.misread(said.words, worst, rng) or [UNKNOWN] for said, worst in some]
        wanted = torch.tensor([float(said.over) for said, _ in some])
        loss = F.binary_cross_entropy_with_logits(model(*padded(read)), wanted)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    model.eval()
    print(
        f"{len(clean)} readings of scripts, {len(heard)} of ears, {len(reader.vocabulary)} words; told apart:"
    )
    print(f"  scripts {judged(model, reader, list(of_scripts(2000, World.DEVELOPMENT))):.3f}")
    print(f"  by the ears {judged(model, reader, list(of_ears(turns, ears, False, 'develop'))):.3f}")
    np.savez_compressed(out / WORDS, **exported(model, reader))  # type: ignore[arg-type]


def padded(read: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Places [B, n] and how many of them count."""
    counts = [len(places) for places in read]
    places = np.zeros((len(read), max(counts)), np.int64)
    for row, found in zip(places, read, strict=True):
        row[: len(found)] = found
    return torch.from_numpy(places), torch.tensor(counts)


def judged(model: Words, reader: Reader, found: Sequence[Said]) -> float:
    """How often an end has higher log odds than a pause."""
    odds = list[tuple[float, bool]]()
    for start in range(0, len(found), 500):
        some = found[start : start + 500]
        with torch.no_grad():
            answers = model(*padded([reader.places(said.words) or [UNKNOWN] for said in some]))
        odds += [(float(answer), said.over) for answer, said in zip(answers, some, strict=True)]
    return told_apart(odds)


def exported(model: Words, reader: Reader) -> dict[str, np.ndarray]:
    """The arrays of epsilon.engines.endpoint.wording, in half precision."""
    layer = model.layer
    weights = {
        "embedding": model.embedding.weight,
        "of_input": layer.weight_ih_l0,
        "of_state": layer.weight_hh_l0,
        "input_bias": layer.bias_ih_l0,
        "state_bias": layer.bias_hh_l0,
        "answer": model.answer.weight[0],
        "answer_bias": model.answer.bias[0],
    }
    arrays = {name: np.asarray(weight.detach().numpy(), np.float16) for name, weight in weights.items()}
    return {"vocabulary": np.frombuffer("\n".join(reader.vocabulary).encode(), np.uint8)} | arrays


def main() -> None:
    """Reads the options and trains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=Path, default=Path("build/train/endpoint/turns"))
    parser.add_argument("--out", type=Path, default=Path("models/pocket/endpoint"))
    parser.add_argument("--ears", default="pocket/ears")
    parser.add_argument("--scripts", type=int, default=SCRIPTS)
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    train(options.turns, options.out, options.ears, options.scripts, options.steps)


if __name__ == "__main__":
    main()
