"""Fits what joins sound, words and silence, and where the toy decides: `python -m tools.train.endpoint.fuse`.

Run it again whenever the ears, the mind or the network have changed; it takes a few minutes and no torch. It writes
model.yaml beside the graph, then prints the scores on turns of voices that nothing was trained on.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
import yaml
from numpy.typing import NDArray

from epsilon.engines.endpoint.fusion import FITTED_MS, NAMES, Fusion, clues
from epsilon.engines.endpoint.gru import stretched_ms
from epsilon.engines.endpoint.silence import SilenceRule
from epsilon.engines.protocols import Patience
from tools.train.endpoint import data
from tools.train.endpoint.data import Example
from tools.train.endpoint.listening import Mind, StandIn, heard_words, thoughts
from tools.train.endpoint.policy import (
    LONGEST_MS,
    MISSED_MS,
    Moment,
    Moments,
    Score,
    at,
    curve,
    moments,
    score,
)

MOST_CUT_INS = 0.0525  # of the development turns: 5 %, with half a turn to spare
OF_SOUND = ("bias", "sound", "silence")
OF_WORDS = ("bias", "silence", "worded", "wanting", "judged", "finished", "few")
_RIDGE = 1.0
_LEVELS: NDArray[np.float64] = 1 / (1 + np.exp(-np.linspace(-5, 7, 121)))
_TIMERS: NDArray[np.float64] = np.linspace(0.016, 0.16, 46)  # silences in tens of seconds
_HEAD = "# The pocket end-of-turn model; `fusion` weighs the clues of epsilon/engines/endpoint/fusion.py.\n"


class Limits(NamedTuple):
    """From `sure` on it is over; from `unsure` on if the silence rule says so."""

    sure: float
    unsure: float


def fuse(
    turns: Path, out: Path, stand_in: bool = False, ears: str = "pocket/ears", mind: str = "pocket/mind"
) -> None:
    """Fit, write and score."""
    judge = StandIn() if stand_in else Mind(mind)
    session = onnxruntime.InferenceSession(str(out / "endpoint.onnx"), providers=["CPUExecutionProvider"])
    develop, kept = (gather(turns, kind, session, judge, ears) for kind in ("develop", "kept"))
    weights = fit(develop, NAMES)
    write(out, session, weights)
    by = "counts of word pairs in the mind's place" if stand_in else mind
    print(f"fitted on {len(develop)} turns of voices trained on; words by {ears}, finished thoughts by {by}")
    report(develop, kept, weights)


def gather(turns: Path, kind: str, session: object, judge: Mind | StandIn, ears: str) -> list[Moments]:
    """The turns of one kind as the policies see them."""
    found = []
    for path in sorted(turns.glob(f"{kind}-???.json")):
        examples = data.read(turns, path.stem)
        for example, words in zip(examples, heard_words(turns, path.stem, examples, ears), strict=True):
            found.append(moments(example, run(session, example), thoughts(words, judge)))
    return found


def run(session: onnxruntime.InferenceSession, example: Example) -> NDArray[np.float32]:
    """The network's log odds at every window."""
    shape = next(node.shape for node in session.get_inputs() if node.name == "state")
    state, found = np.zeros(shape, np.float32), []
    for row in example.rows.astype(np.float32):
        over, state = session.run(["over", "next"], {"row": row[None], "state": state})
        found.append(over[0, 0])
    return np.array(found, np.float32)


def fit(turns: Sequence[Moments], names: Collection[str]) -> dict[str, float]:
    """Weights of these clues by Newton's method with a ridge; all others weigh nothing."""
    rows = [m for turn in turns for m in turn]
    x = np.array([[clues(m.sound, m.silence_ms, m.thought)[name] for name in names] for m in rows])
    y, weights = np.array([m.over for m in rows], float), np.zeros(len(names))
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (y - p) - _RIDGE * weights
        bend = (x * (p * (1 - p))[:, None]).T @ x + _RIDGE * np.eye(len(names))
        weights = weights + np.linalg.solve(bend, slope)
    return dict.fromkeys(NAMES, 0.0) | dict(zip(names, map(float, weights), strict=True))


def choose(turns: Sequence[Moments], weights: dict[str, float]) -> Limits:
    """The limits with the least dead air among those that cut in seldom enough."""
    rule, likely = SilenceRule(Patience(FITTED_MS, LONGEST_MS)), likelihood(weights)

    def row(moment: Moment) -> tuple[float, bool, float]:
        by_rule = moment.silence_ms >= rule.wait_ms(moment.silence_ms, moment.thought)
        return 1.0 if moment.silence_ms >= LONGEST_MS else likely(moment), by_rule, moment.dead_air_ms

    tables = [np.array([row(moment) for moment in turn]) for turn in turns]
    best, least_ms = Limits(1.0, 1.0), np.inf
    for sure in _LEVELS[30:]:
        for unsure in _LEVELS[20::4]:
            if unsure > sure:
                break
            dead_ms = np.array([_decided(table, Limits(sure, unsure)) for table in tables])
            mean_ms = dead_ms[dead_ms >= 0].mean()
            if (dead_ms < 0).mean() <= MOST_CUT_INS and mean_ms < least_ms:
                best, least_ms = Limits(float(sure), float(unsure)), mean_ms
    return best


def _decided(table: NDArray[np.float64], limits: Limits) -> float:
    """The dead air of one turn, whose rows are: how likely, whether the rule says so, dead air if decided there."""
    if len(table) == 0:
        return MISSED_MS
    likely, by_rule, dead_ms = table.T
    hits = np.flatnonzero((likely >= limits.sure) | ((likely >= limits.unsure) & (by_rule > 0)))
    return float(dead_ms[hits[0]]) if len(hits) else MISSED_MS


def likelihood(weights: dict[str, float]) -> Callable[[Moment], float]:
    """The probability by these weights."""
    fusion = Fusion(weights)
    return lambda moment: fusion.over(moment.sound, moment.silence_ms, moment.thought)


def write(out: Path, session: onnxruntime.InferenceSession, weights: dict[str, float]) -> None:
    """Writes model.yaml."""
    layers, width = next(node.shape for node in session.get_inputs() if node.name == "state")
    facts = {"layers": layers, "width": width}
    facts["fusion"] = {name: round(weights[name], 4) for name in NAMES}
    (out / "model.yaml").write_text(_HEAD + yaml.safe_dump(facts, sort_keys=False))


def report(develop: Sequence[Moments], kept: Sequence[Moments], weights: dict[str, float]) -> None:
    """Prints the table on the held-out voices, each policy at its own best level, then what ships.

    Between them, what the fusion would decide alone at limits chosen on the development turns.
    """
    policies: dict[str, Callable[[Moment], float]] = {
        "silence timer": lambda moment: moment.silence_ms / 10_000,
        "sound": likelihood(fit(develop, OF_SOUND)),
        "words": likelihood(fit(develop, OF_WORDS)),
        "all": likelihood(weights),
    }
    print(f"{len(kept)} turns of held-out voices; dead air in ms, mean / median / p95")
    for name, by in policies.items():
        levels = _TIMERS if name == "silence timer" else _LEVELS
        scores = curve(kept, levels, by)
        print(f"  {name:14} at 5 %: {_shown(at(scores, 0.05))}   at 10 %: {_shown(at(scores, 0.10))}")
    limits = choose(develop, weights)
    for kind, turns in (("development", develop), ("held-out", kept)):
        found = limited_score(turns, weights, limits)
        print(f"  by the fusion's limits, {kind}: {found.cut_in:.1%} cut in, {_shown(found)}")
        for usual_ms in (500.0, 600.0, 700.0):
            found = shipped_score(turns, usual_ms)
            print(
                f"  as it ships, silence: {usual_ms:.0f} ms, {kind}: {found.cut_in:.1%} cut in, {_shown(found)}"
            )


def limited_score(turns: Sequence[Moments], weights: dict[str, float], limits: Limits) -> Score:
    """With limits of the fusion, and the rule between them."""
    rule, likely = SilenceRule(Patience(FITTED_MS, LONGEST_MS)), likelihood(weights)

    def level(moment: Moment) -> float:
        by_rule = moment.silence_ms >= rule.wait_ms(moment.silence_ms, moment.thought)
        sure = likely(moment)
        return float(sure >= limits.sure or (sure >= limits.unsure and by_rule))

    return curve(turns, np.array([1.0]), level)[0]


def shipped_score(turns: Sequence[Moments], usual_ms: float) -> Score:
    """As the toy decides on a board with that `turn: {silence: …}`, by the engine's own code."""
    rule = SilenceRule(Patience(usual_ms, LONGEST_MS))
    return score(turns, lambda sound, ms, thought: ms >= stretched_ms(rule, sound, ms, thought))


def _shown(score: Score) -> str:
    return f"{score.mean_ms:4.0f} / {score.median_ms:4.0f} / {score.p95_ms:4.0f}"


def main() -> None:
    """Reads the options and fits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=Path, default=Path("build/train/endpoint/turns"))
    parser.add_argument("--out", type=Path, default=Path("models/pocket/endpoint"))
    parser.add_argument("--ears", default="pocket/ears")
    parser.add_argument("--mind", default="pocket/mind")
    parser.add_argument("--stand-in", action="store_true", help="counts of word pairs instead of the mind")
    options = parser.parse_args()
    fuse(options.turns, options.out, options.stand_in, options.ears, options.mind)


if __name__ == "__main__":
    main()
