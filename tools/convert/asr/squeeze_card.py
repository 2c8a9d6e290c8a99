"""What a squeezed recogniser is worth: word error rates of every stage through the toy's engine, time, the card."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from epsilon.errors import ModelError
from tools.convert.asr.graph import Graph
from tools.convert.asr.recovery import Distance, Recipe
from tools.convert.asr.squeezed_graphs import random_feeds
from tools.evaluate.ears import Score, hear, in_noise, in_silence, load_engine
from tools.train.speech import shards
from tools.train.speech.shards import Utterance

_ROUNDS = 15
_JOBS = {
    "encoder, 4 s of sound": ("encoder", {"frames": 400}),
    "decoder, a draft of 12 tokens": ("decoder", {"new": 12, "past": 0, "sound": 100}),
    "decoder, one token": ("decoder", {"new": 1, "past": 8, "sound": 100}),
}


@dataclass
class Stage:
    """One form of the recogniser and what was measured of it."""

    name: str
    distance: Distance | None = None  # from the original on random input that was not trained on
    size: int = 0  # bytes of its folder
    errors: dict[str, Score] = field(default_factory=dict)


def real_speech(folder: Path, count: int) -> dict[str, list[Utterance]]:
    """The sets of a folder of shards, `count` utterances of each, and one of them in noise.

    ModelError when the folder holds none.
    """
    sets = {path.stem: shards.read(path)[:count] for path in sorted(folder.glob("*.json"))}
    if not sets:
        raise ModelError(
            "there are no shards of speech", where=str(folder), hint="tools.train.speech makes them"
        )
    sets = {name: [in_silence(utterance) for utterance in spoken] for name, spoken in sets.items()}
    clean = "seen_voices" if "seen_voices" in sets else next(iter(sets))
    return {**sets, "noise": in_noise(sets[clean])}


def listen(folder: Path, speech: Mapping[str, list[Utterance]]) -> dict[str, Score]:
    """Word errors of a model folder on each set."""
    engine, scores = load_engine(folder), {}
    for name, spoken in speech.items():
        scores[name] = Score()
        for utterance in spoken:
            scores[name].add(utterance.sentence, _plain(hear(engine, utterance.samples, 0)))
    return scores


def _plain(text: str) -> str:
    """Without case and punctuation, as the sentences of the sets are."""
    return " ".join(re.sub(r"[^a-z0-9' ]", " ", text.lower()).split())


def time_ratios(folder: Path, other: Path) -> dict[str, tuple[float, float]]:
    """CPU milliseconds of the first and its ratio to the other, medians of turns taken one after the other."""
    ratios = {}
    for job, (name, lengths) in _JOBS.items():
        graphs = [Graph(place / f"{name}.onnx") for place in (folder, other)]
        feeds = random_feeds(graphs[0], lengths)
        turns = [[_milliseconds(graph, feeds) for graph in graphs] for _ in range(_ROUNDS + 1)][1:]
        ratios[job] = (
            statistics.median(first for first, _ in turns),
            statistics.median(first / second for first, second in turns),
        )
    return ratios


def _milliseconds(graph: Graph, feeds: dict) -> float:
    begun, runs = time.process_time(), 0
    while runs < 3 or time.process_time() - begun < 0.02:
        graph(feeds)
        runs += 1
    return 1000 * (time.process_time() - begun) / runs


def write_card(
    folder: Path,
    source: str,
    recipe: Recipe,
    stages: list[Stage],
    ratios: dict[str, tuple[float, float]],
    random: bool,
) -> str:
    """Writes card.md and returns its tables as text; `random` says that the weights mean nothing."""
    figures = {
        "made_from": source,
        **{key: getattr(recipe, key) for key in ("bits", "group", "rank", "steps")},
        "bytes": {stage.name: stage.size for stage in stages},
        "word_error_rate_percent": {
            stage.name: {key: _rate(score) for key, score in stage.errors.items()} for stage in stages
        },
        "time_against_int8": {job: round(ratio, 2) for job, (_, ratio) in ratios.items()},
    }
    tables = "\n\n".join([*([_RANDOM] if random else []), _table(stages), _times(ratios)])
    header = yaml.safe_dump(figures, sort_keys=False, default_flow_style=False, width=110)
    (folder / "card.md").write_text(f"---\n{header}---\n{_TEXT.format(**vars(recipe))}\n{tables}\n")
    return tables


_TEXT = """# Squeezed to {bits} bits

Weights of linear layers in {bits} bits, a scale for every {group} of them, and an adapter of rank {rank} beside each
layer. The adapters were trained {steps} steps on random input to match the original; no recording and no text took
part. `rounded` is plain rounding to nearest, `fitted` is GPTQ, still without adapters, `recovered` has
them and is what the files hold. Word error rates are of these files in the toy's engine.
`states` and `cosine` compare hidden states, cross keys and values with the original's (relative squared error, cosine),
`tokens` the chances of the next token (divergence), all on random input that was not trained on.
"""


_RANDOM = "**The weights are random**: it recognises nothing, so there is no word error rate."


def _table(stages: list[Stage]) -> str:
    sets = list(stages[0].errors)
    rows = [["form", "MB", "states", "tokens", "cosine", *(f"{name}, WER %" for name in sets)]]
    for stage in stages:
        found = stage.distance
        distances = (
            [f"{found.states:.4f}", f"{found.tokens:.4f}", f"{found.cosine:.5f}"] if found else [""] * 3
        )
        rates = [f"{_rate(stage.errors[name]):.1f}" if name in stage.errors else "" for name in sets]
        rows.append([stage.name, f"{stage.size / 1e6:.1f}", *distances, *rates])
    return _markdown(rows)


def _times(ratios: dict[str, tuple[float, float]]) -> str:
    rows = [["CPU time, one thread", "ms", "of the int8 form's"]]
    rows += [[job, f"{ms:.2f}", f"{ratio:.2f} ×"] for job, (ms, ratio) in ratios.items()]
    return _markdown(rows)


def _markdown(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def _rate(score: Score) -> float:
    return round(100 * score.errors / max(1, score.words), 2)
