"""Fits what joins sound, words and silence, and where the toy decides: `python -m tools.train.endpoint.fuse`.

Run it again whenever the ears, the mind or a network have changed; it takes a few minutes and no torch. It writes
model.yaml beside the graph, then prints the scores on turns of voices that nothing was trained on or chosen by.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import yaml
from numpy.typing import NDArray

from epsilon.engines.endpoint import wording
from epsilon.engines.endpoint.fusion import NAMES, Fusion, clues
from epsilon.engines.endpoint.gru import Limit
from epsilon.engines.endpoint.wording import Wording
from tools.train.endpoint.data import Example
from tools.train.endpoint.listening import Mind, StandIn, heard_turns, marked, thoughts
from tools.train.endpoint.policy import Moment, Moments, Score, Thoughts, at, curve, moments

MOST_CUT_INS = 0.055  # of the development turns, by decisions: in the toy about one in ten stays silent
OF_SOUND = ("bias", "sound", "steady", "silence", "rarity", "voice", "pauses")
OF_WORDS = tuple(name for name in NAMES if name not in ("sound", "steady", "words_sound", "asks_sound"))
_RIDGE = 1.0
_EARLY_MS, _LATE_WEIGHT = 450.0, 0.25  # what comes later seldom decides
_LEVELS: NDArray[np.float64] = np.linspace(-4, 7, 111)
_FALLS = np.linspace(-1, 2, 16)
_TIMERS: NDArray[np.float64] = np.linspace(0.016, 0.16, 46)  # silences in tens of seconds
_HEAD = "# The pocket end-of-turn model; `fusion` weighs the clues of epsilon/engines/endpoint/fusion.py.\n"


def fuse(
    turns: Path, out: Path, stand_in: bool = False, ears: str = "pocket/ears", mind: str = "pocket/mind"
) -> None:
    """Fit, choose, write and score."""
    judge = StandIn() if stand_in else Mind(mind)
    session = onnxruntime.InferenceSession(str(out / "endpoint.onnx"), providers=["CPUExecutionProvider"])
    words = wording.read(out)
    develop = gather(turns, "develop", session, words, judge, ears, disturbed=True)
    kept = gather(turns, "kept", session, words, judge, ears)
    weights = fit(develop, NAMES)
    limit = choose(develop, weights)
    write(out, session, weights, limit)
    by = "counts of word pairs in the mind's place" if stand_in else mind
    print(f"fitted on {len(develop)} turns of development voices; words by {ears}, finished thoughts by {by}")
    report(develop, kept, weights, limit)


def gather(
    turns: Path,
    kind: str,
    session: onnxruntime.InferenceSession,
    words: Wording,
    judge: Mind | StandIn,
    ears: str,
    disturbed: bool = False,
) -> list[Moments]:
    """The turns of one kind as the policies see them; `disturbed`: the ears hear them about as badly as strangers."""
    return [
        moments(example, run(session, example), read(heard, words, judge))
        for example, heard in heard_turns(turns, kind, ears, disturbed)
    ]


def read(heard: Sequence[Sequence[str]], words: Wording, judge: Mind | StandIn) -> list[Thoughts]:
    """What is made of the words at each pause of a turn."""
    return [
        Thoughts(thought, words.log_odds(said))
        for thought, said in zip(thoughts(heard, judge), marked(heard), strict=True)
    ]


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
    every = [clues(m.found) for m in rows]
    x = np.array([[found[name] for name in names] for found in every])
    y, weights = np.array([m.over for m in rows], float), np.zeros(len(names))
    matter = np.array([1.0 if m.found.silence_ms <= _EARLY_MS else _LATE_WEIGHT for m in rows])
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (matter * (y - p)) - _RIDGE * weights
        bend = (x * (matter * p * (1 - p))[:, None]).T @ x + _RIDGE * np.eye(len(names))
        weights = weights + np.linalg.solve(bend, slope)
    return dict.fromkeys(NAMES, 0.0) | dict(zip(names, map(float, weights), strict=True))


def choose(turns: Sequence[Moments], weights: dict[str, float], most: float = MOST_CUT_INS) -> Limit:
    """The limit with the least dead air among those that cut in seldom enough."""
    best, least_ms = Limit(float(_LEVELS[-1]), 0.0), np.inf
    for fall in _FALLS:
        scores = curve(turns, _LEVELS, above(weights, Limit(0.0, float(fall))))
        for level, found in zip(_LEVELS, scores, strict=True):
            if found.cut_in <= most and found.mean_ms < least_ms:
                best, least_ms = Limit(round(float(level), 2), round(float(fall), 2)), found.mean_ms
    return best


def above(weights: dict[str, float], limit: Limit) -> Callable[[Moment], float]:
    """By how much the log odds are above a limit."""
    fusion = Fusion(weights)
    return lambda moment: fusion.odds(moment.found) - limit.after(moment.found.silence_ms)


def write(out: Path, session: onnxruntime.InferenceSession, weights: dict[str, float], limit: Limit) -> None:
    """Writes model.yaml."""
    layers, width = next(node.shape for node in session.get_inputs() if node.name == "state")
    facts = {"layers": layers, "width": width, "limit": limit.odds, "fall": limit.fall}
    facts |= {"fusion": {name: round(weights[name], 4) for name in NAMES}}
    (out / "model.yaml").write_text(_HEAD + yaml.safe_dump(facts, sort_keys=False))


def report(
    develop: Sequence[Moments], kept: Sequence[Moments], weights: dict[str, float], limit: Limit
) -> None:
    """Prints the table on the held-out voices, each policy at its own best level, then what ships."""
    policies: dict[str, Callable[[Moment], float]] = {
        "silence timer": lambda moment: moment.found.silence_ms / 10_000,
        "sound": above(fit(develop, OF_SOUND), Limit(0.0, 0.0)),
        "words": above(fit(develop, OF_WORDS), Limit(0.0, 0.0)),
        "all": above(weights, Limit(0.0, limit.fall)),
    }
    print(f"{len(kept)} turns of held-out voices; dead air in ms, mean / median / p95")
    for name, by in policies.items():
        scores = curve(kept, _TIMERS if name == "silence timer" else _LEVELS, by)
        print(f"  {name:14} at 5 %: {_shown(at(scores, 0.05))}   at 10 %: {_shown(at(scores, 0.10))}")
    for kind, turns in (("development", develop), ("held-out", kept)):
        found = curve(turns, np.zeros(1), above(weights, limit))[0]
        print(f"  as it ships, {kind}: {found.cut_in:.1%} cut in, {_shown(found)}")


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
