"""Compares a converted model with transformers: `python -m tools.convert.llm.parity`.

The reference is the checkpoint with every matrix replaced by what its int4 weights stand for, so that what is left
is rounding in between. Without a folder a network with RANDOM weights is made, 24 layers of width 512.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from epsilon.errors import EpsilonError, ModelError
from epsilon.realtime import Seat
from epsilon.runtimes import mlc
from tools.convert.llm import Options, convert, random_checkpoint
from tools.convert.llm.architecture import read_json
from tools.convert.llm.mlc.quantise import dequantise, quantise
from tools.convert.llm.safetensors_file import Array

BUILD = Path("build/parity")
PROMPT_TOKENS = 96
PIECES = (1, 7, 32, 1, 55)  # how the prompt is cut


@dataclass(frozen=True)
class Parity:
    """What came out."""

    largest: float  # difference of a logit, over all steps
    spread: float  # standard deviation of the reference's logits
    steps: int
    equal: int  # greedy tokens from the first on that the reference would have said as well

    def line(self) -> str:
        """The figures in words."""
        return (
            f"max |Δlogit| {self.largest:.1e} (logits spread {self.spread:.2f}), "
            f"greedy tokens equal {self.equal}/{self.steps}"
        )


def compare(folder: Path, decoder: Any, steps: int, seed: int = 1) -> Parity:
    """Greedy decoding by the decoder, each step's logits beside the reference's for the same tokens."""
    vocabulary = int(read_json(folder / "config.json")["vocab_size"])
    ids = [int(one) for one in np.random.default_rng(seed).integers(0, vocabulary, PROMPT_TOKENS)]
    found, said = _decode(decoder, ids, steps)
    wanted = reference(folder, ids + said[:-1])[len(ids) - 1 :]
    same = wanted.argmax(-1) == np.array(said)
    equal = len(said) if same.all() else int(same.argmin())
    return Parity(float(np.abs(found - wanted).max()), float(wanted.std()), steps, equal)


def reference(folder: Path, ids: list[int]) -> Array:
    """transformers' logits [ids, vocabulary] with the int4 weights as floats."""
    try:
        import torch
        from transformers import AutoModelForCausalLM
        from transformers.utils import logging
    except ModuleNotFoundError as missing:
        raise ModelError(f"comparing needs the package {missing.name}", hint="make convert") from missing
    logging.disable_progress_bar()
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    with torch.no_grad():
        for parameter in network.parameters():  # a tied matrix comes once
            if parameter.ndim == 2:
                parameter.copy_(torch.from_numpy(dequantise(*quantise(parameter.numpy()))))
        logits: Array = network(torch.tensor([ids])).logits[0].numpy()
    return logits


def _decode(decoder: Any, ids: list[int], steps: int) -> tuple[Array, list[int]]:
    """The logits of each step and the likeliest token there; the prompt goes in pieces."""
    cache, start = decoder.new(), 0
    for size in PIECES:
        logits = decoder.run(cache, ids[start : start + size])
        start += size
    found, said = [logits], [int(logits.argmax())]
    while len(said) < steps:
        logits = decoder.run(cache, said[-1:])
        found.append(logits)
        said.append(int(logits.argmax()))
    return np.stack(found), said


def main(arguments: list[str] | None = None) -> int:
    """Prints a line for each kind of activations."""
    parser = argparse.ArgumentParser(prog="python -m tools.convert.llm.parity", description=__doc__)
    parser.add_argument(
        "folder", type=Path, nargs="?", help="a Hugging Face folder (default: random weights)"
    )
    parser.add_argument("--layers", type=int, default=24, help="of the random network (default: 24)")
    parser.add_argument("--steps", type=int, default=200, help="tokens to decode (default: 200)")
    given = parser.parse_args(arguments)
    folder = given.folder or BUILD / f"random-{given.layers}"
    try:
        if not given.folder:
            random_checkpoint.write(folder, replace(random_checkpoint.Sizes(), layers=given.layers))
            print(f"{folder}: RANDOM weights, {given.layers} layers of width 512")
        for activations in ("fp32", "int8"):
            options = Options(activations=activations)
            model = convert(folder, BUILD / f"{folder.name}-{activations}", options, say=lambda line: None)
            decoder = mlc.load_decoder(model, Seat())
            print(f"{activations}: {compare(folder, decoder, given.steps).line()}", flush=True)
    except EpsilonError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
