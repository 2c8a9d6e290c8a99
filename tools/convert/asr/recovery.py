"""Few bits for every linear layer of a network, and adapters trained to give back what that lost.

The original teaches: the squeezed copy hears the same random input and is drawn to the original's hidden states
and cross keys and values (distillation of hidden states: Romero et al. 2015, arXiv:1412.6550).
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tools.convert.asr.adapters import Squeezed, linears, squeezed
from tools.convert.asr.groups import fitted, rounded
from tools.convert.asr.imagined import Imagination
from tools.convert.asr.subjects import Subject

_BATCH, _TOKENS = 4, 12
_LENGTHS_FRAMES = (200, 300, 400)
_CALIBRATION_SEED, _HELD_OUT_SEED = 1 << 20, 1 << 21  # steps of the training count from 0
_WARM_UP_STEPS = 20
_SAVE_S, _TELL_S = 60.0, 10.0


@dataclass(frozen=True)
class Recipe:
    """How to squeeze and how long to recover."""

    bits: int = 4
    group: int = 32
    rank: int = 8
    steps: int = 200
    rate: float = 2e-3
    calibration_batches: int = 32


@dataclass(frozen=True)
class Batch:
    """Features [B, bands, frames], tokens [B, n] that the original made of them, and which of them count."""

    mel: Tensor
    tokens: Tensor
    counts: Tensor  # [B, n], 0 after the end


@torch.no_grad()
def imagine(subject: Subject, seed: int) -> Batch:
    """Random features and what the original says to them, drawn by its probabilities; a function of the seed."""
    imagination = Imagination(subject.filters, seed)
    frames = _LENGTHS_FRAMES[seed % len(_LENGTHS_FRAMES)]
    mel = torch.from_numpy(imagination(_BATCH, frames))
    draw = torch.Generator().manual_seed(seed)
    sound = subject.sound(subject.model, mel)
    tokens = torch.tensor([subject.start] * _BATCH)
    for _ in range(_TOKENS):
        chances = subject.scores(subject.model, tokens, sound)[:, -1].float().softmax(-1)
        tokens = torch.cat([tokens, torch.multinomial(chances, 1, generator=draw)], 1)
    ended = (tokens == subject.end).cumsum(1) > 0
    return Batch(mel, tokens, (~ended).float())


@torch.no_grad()
def second_moments(subject: Subject, batches: int, tell: Callable[[str], None] = print) -> dict[str, Tensor]:
    """Mean of x xᵀ over the random input of each linear layer that is reached, by its name."""
    sums: dict[str, Tensor] = {}
    rows: dict[str, int] = {}

    def count(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def see(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            x = inputs[0].flatten(0, -2).float()
            sums[name] = sums.get(name, torch.zeros(())) + x.T @ x
            rows[name] = rows.get(name, 0) + len(x)

        return see

    made = [imagine(subject, _CALIBRATION_SEED + i) for i in range(batches)]
    layers = {layer: name for name, layer in linears(subject.model)}
    hooks = [layer.register_forward_pre_hook(count(name)) for layer, name in layers.items()]
    for batch in made:
        subject.scores(subject.model, batch.tokens, subject.sound(subject.model, batch.mel))
    for hook in hooks:
        hook.remove()
    tell(f"second moments of {len(sums)} linear layers from {batches * _BATCH} random utterances")
    return {name: total / rows[name] for name, total in sums.items()}


def squeeze(
    model: nn.Module, moments: Mapping[str, Tensor], recipe: Recipe, nearest: bool = False
) -> nn.Module:
    """A copy whose linear layers have few bits and an adapter that starts from what was lost.

    `nearest` rounds instead of fitting and leaves the adapters out. A layer that no input reached, or whose input
    is no multiple of the group, stays as it is.
    """
    result = copy.deepcopy(model).requires_grad_(False)
    places: dict[nn.Linear, list[str]] = {}
    for name, layer in linears(result):
        places.setdefault(layer, []).append(name)
    for layer, names in places.items():
        seen = next((moments[name] for name in names if name in moments), None)
        if seen is None or layer.in_features % recipe.group:
            continue
        small = _squeezed(layer, seen, recipe, nearest)
        for name in names:
            parent, _, own = name.rpartition(".")
            setattr(result.get_submodule(parent), own, small)
    return result.eval()


def _squeezed(layer: nn.Linear, moments: Tensor, recipe: Recipe, nearest: bool) -> Squeezed:
    bias = None if layer.bias is None else layer.bias.detach()
    weight = layer.weight.detach()
    if nearest:
        return Squeezed(rounded(weight, recipe.bits, recipe.group), bias, rank=0)
    codes = fitted(weight, moments, recipe.bits, recipe.group)
    small = Squeezed(codes, bias, recipe.rank)
    small.adapt(weight - codes.weight(), moments)
    return small


def without_adapters(model: nn.Module) -> nn.Module:
    """A copy that has the codes alone."""
    result = copy.deepcopy(model)
    for _, layer in squeezed(result):
        layer.drop()
    return result


@dataclass(frozen=True)
class Distance:
    """How far a copy is from the original."""

    states: Tensor  # relative squared error of its hidden states, cross keys and values
    tokens: Tensor  # divergence of the chances that it gives to the next token
    cosine: Tensor  # of its hidden states, cross keys and values and the original's


def distance(subject: Subject, student: nn.Module, batch: Batch) -> Distance:
    """0, 0 and 1 for the original itself."""
    with torch.no_grad(), _watched(subject, subject.model) as wanted:
        sound = subject.sound(subject.model, batch.mel)
        sure = subject.scores(subject.model, batch.tokens, sound).float().log_softmax(-1)
    with _watched(subject, student) as found:
        sound = subject.sound(student, batch.mel)
        guess = subject.scores(student, batch.tokens, sound).float().log_softmax(-1)
    parts = [_relative(a.float(), b.float()) for a, b in zip(found, wanted, strict=True)]
    divergence = F.kl_div(guess, sure, reduction="none", log_target=True).sum(-1)
    cosines = [F.cosine_similarity(a.flatten(), b.flatten(), 0) for a, b in zip(found, wanted, strict=True)]
    return Distance(
        torch.stack(parts).mean(),
        (divergence * batch.counts).sum() / batch.counts.sum(),
        torch.stack(cosines).mean(),
    )


def held_out_distance(subject: Subject, student: nn.Module, batches: int = 6) -> Distance:
    """Mean distance on random input that the training never draws."""
    with torch.no_grad():
        made = [distance(subject, student, imagine(subject, _HELD_OUT_SEED + i)) for i in range(batches)]
    return Distance(
        torch.stack([one.states for one in made]).mean(),
        torch.stack([one.tokens for one in made]).mean(),
        torch.stack([one.cosine for one in made]).mean(),
    )


def recover(
    subject: Subject, student: nn.Module, recipe: Recipe, saved: Path, tell: Callable[[str], None] = print
) -> None:
    """Trains the adapters in place. Goes on from `saved` if it is there, writes it now and then, removes it."""
    weights = [p for _, layer in squeezed(student) for p in (layer.down, layer.up)]
    for weight in weights:
        weight.requires_grad_(True)
    optimiser = torch.optim.Adam(weights, recipe.rate, betas=(0.9, 0.98))
    first = _restore(saved, student, optimiser, recipe)
    begun = told = kept = time.monotonic()
    for step in range(first, recipe.steps):
        for setting in optimiser.param_groups:
            setting["lr"] = recipe.rate * _share(step, recipe.steps)
        found = distance(subject, student, imagine(subject, step))
        optimiser.zero_grad()
        found.states.backward()  # to be drawn to the tokens made of random sound too did harm on speech
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        now = time.monotonic()
        if now - told > _TELL_S or step + 1 == recipe.steps:
            told, pace = now, (now - begun) / (step + 1 - first)
            tell(
                f"recovery step {step + 1} of {recipe.steps}: states {found.states.item():.4f}, tokens "
                f"{found.tokens.item():.4f}, {pace * (recipe.steps - step - 1):.0f} s left"
            )
        if now - kept > _SAVE_S:
            kept = now
            _save(saved, student, optimiser, recipe, step + 1)
    saved.unlink(missing_ok=True)


def _share(step: int, steps: int) -> float:
    """Of the learning rate: a short warm-up, then a line down to nothing."""
    return min((step + 1) / _WARM_UP_STEPS, 1 - step / steps)


def _relative(found: Tensor, wanted: Tensor) -> Tensor:
    return (found - wanted).square().mean() / wanted.square().mean()


@contextmanager
def _watched(subject: Subject, model: nn.Module) -> Iterator[list[Tensor]]:
    """The outputs of the modules that are compared, as they come."""
    seen: list[Tensor] = []

    def see(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor | tuple[Tensor, ...]) -> None:
        seen.append(output if isinstance(output, Tensor) else output[0])

    hooks = [module.register_forward_hook(see) for module in subject.watched(model)]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _save(
    saved: Path, student: nn.Module, optimiser: torch.optim.Optimizer, recipe: Recipe, step: int
) -> None:
    part = saved.with_suffix(".part")
    adapters = {name: (layer.down.data, layer.up.data) for name, layer in squeezed(student)}
    state = {"recipe": vars(recipe), "step": step, "adapters": adapters, "optimiser": optimiser.state_dict()}
    torch.save(state, part)
    part.rename(saved)


def _restore(saved: Path, student: nn.Module, optimiser: torch.optim.Optimizer, recipe: Recipe) -> int:
    """The step to go on from; a state of another recipe counts for nothing."""
    if not saved.exists():
        return 0
    state = torch.load(saved, weights_only=True)
    layers = dict(squeezed(student))
    if state["recipe"] != vars(recipe) or state["adapters"].keys() != layers.keys():
        return 0
    for name, (down, up) in state["adapters"].items():
        layers[name].down.data.copy_(down)
        layers[name].up.data.copy_(up)
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])
