"""Who may interrupt a reply, and how soon: python -m tools.bench.turns.interrupting [--count 40] [--echo]

Each trial is a toy of its own, in lock-step, that is asked something and disturbed at a random moment of its reply. The
user is the pocket voice and the sounds are made by arithmetic: nobody real was recorded.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from tools.bench import count, print_table
from tools.scenarios import Scenario, Step
from tools.scenarios.performance import RATE_HZ, Event, Failed, Performance

WORDS = "words"
KINDS = (WORDS, "cough", "laugh", "clap", "hum", "television", "nothing")
VOICES = ("low", "middle", "bright")
QUESTIONS = ("Tell me a story about a bear.", "Do you talk to the moon every night?")
INTERRUPTIONS = (
    "No, tell me about the moon.",
    "Stop talking now.",
    "What is your name?",
    "I saw a dog and it was brown.",
    "Can you sing a song?",
)
SOUNDS_MS = {"cough": 600.0, "laugh": 1500.0, "clap": 300.0}
REPLY_MS = 4_000.0  # so long an answer may take to begin
MOMENT_S = (0.1, 1.5)  # after its first audible sample
PATIENCE_FRAMES = RATE_HZ  # a reply that ends by itself sooner than this could not be interrupted
LONGEST_FRAMES = 20 * RATE_HZ  # of what is left of a reply
DRAWS = 4  # for a trial; a reply may be over before its moment


@dataclass(frozen=True)
class Trial:
    """What a disturbance did to a reply."""

    kind: str
    down_ms: (
        float | None
    )  # from its first audible sample to silence; None where the toy did not hold its breath
    ended: bool
    resumed: bool
    gaps_ms: tuple[
        float, ...
    ]  # beyond the pauses of the phrases themselves, each where the next came too late

    @property
    def wrong_stop(self) -> bool:
        """The reply was ended by what was no word."""
        return self.ended and self.kind != WORDS

    @property
    def missed(self) -> bool:
        """Words did not end the reply."""
        return not self.ended and self.kind == WORDS


def trials(number: int, seed: int, echo: bool, kinds: Sequence[str] = KINDS) -> Iterator[Trial]:
    """So many trials, the kinds in turn. One whose replies were over too early, or never began, is left out."""
    random = Random(seed)
    for place in range(number):
        for _ in range(DRAWS):
            trial = disturbed(kinds[place % len(kinds)], random, echo)
            if trial is not None:
                yield trial
                break


def disturbed(kind: str, random: Random, echo: bool) -> Trial | None:
    """One reply, disturbed once; None where it was over before it could be."""
    voice = random.choice(VOICES)
    moment, step = random.uniform(*MOMENT_S), disturbance(kind, voice, random)
    stage = Performance(Scenario(Path(), about=f"interrupted by {kind}", steps=(), echo=echo))
    stage.pass_time(RATE_HZ // 5)
    stage.do(Step(say=random.choice(QUESTIONS), voice=voice), 0)
    try:
        stage.expect(Step(expect="reply", within_ms=REPLY_MS), 0)
    except Failed:
        return None
    begun = next(event.at for event in stage.events if event.what in ("answer", "opener"))
    stage.pass_time(max(0, begun + round(moment * RATE_HZ) - stage.frame))
    if any(event.what in ("heard", "cut") for event in stage.events):
        return None
    stage.begun_at, stage.met = stage.frame, len(stage.events)  # where nothing sounds too
    stage.do(step, random.randrange(1_000_000))
    end = _end(stage)
    if end is not None and end.what == "heard" and end.at < stage.begun_at + PATIENCE_FRAMES:
        return None
    return _judged(kind, stage, end)


def disturbance(kind: str, voice: str, random: Random) -> Step:
    """What is played over the reply."""
    match kind:
        case "words":
            return Step(say=random.choice(INTERRUPTIONS), voice=voice)
        case "hum":
            return Step(say="Hm.", voice=voice)
        case "television":
            return Step(sound=kind, lasting_ms=2_500.0, level_db=-26.0)
        case "nothing":
            return Step(pause_ms=2_500.0)
    return Step(sound=kind, lasting_ms=SOUNDS_MS[kind])


def _end(stage: Performance) -> Event | None:
    """The end of the disturbed reply, waited for."""
    deadline = stage.frame + LONGEST_FRAMES
    while True:
        after = stage.events[stage.met :]
        end = next((event for event in after if event.what in ("heard", "cut")), None)
        if end is not None or stage.frame >= deadline:
            return end
        stage.pass_time(stage.card.block_frames)


def _judged(kind: str, stage: Performance, end: Event | None) -> Trial:
    """Only what happened from the disturbance to the end of the reply counts."""
    after = stage.events[stage.met :]
    during = after[: after.index(end)] if end is not None else after
    down = next((event.at for event in during if event.what == "ducks"), None)
    return Trial(
        kind,
        None if down is None else (down - stage.begun_at) * 1000 / RATE_HZ,
        end is not None and end.what == "cut",
        any(event.what == "resumes" for event in during),
        tuple(gap for record in stage.toy.journal.turns for gap in record.gaps_ms),
    )


def report(found: Sequence[Trial]) -> None:
    """A line a kind, and the gaps of all replies."""
    rows: list[list[object]] = []
    for kind in KINDS:
        ones = [trial for trial in found if trial.kind == kind]
        downs = [trial.down_ms for trial in ones if trial.down_ms is not None]
        sooner = [round(statistics.median(downs)), round(_p95(downs))] if downs else ["-", "-"]
        marks = [
            sum(trial.ended for trial in ones),
            sum(trial.wrong_stop for trial in ones),
            sum(trial.missed for trial in ones),
            sum(trial.resumed for trial in ones),
        ]
        rows.append([kind, len(ones), len(downs), *sooner, *marks])
    head = ("", "trials", "sound down", "median ms", "p95 ms", "ended", "wrong stops", "missed", "resumed")
    print_table(head, rows)
    gaps = [gap for trial in found for gap in trial.gaps_ms]
    beside = f"p95 {_p95(gaps):.0f} ms, max {max(gaps):.0f} ms" if gaps else "none"
    print(f"excess gaps between phrases: {len(gaps)} in {len(found)} conversations: {beside}")


def _p95(values: Sequence[float]) -> float:
    return float(np.percentile(values, 95))


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=count, default=40, help="trials (default: 40)")
    parser.add_argument("--seed", type=int, default=6, help="of the moments, voices and sounds")
    parser.add_argument("--echo", action="store_true", help="the microphone hears the speaker, at -6 dB")
    options = parser.parse_args()
    found = list(trials(options.count, options.seed, options.echo))
    where = "over its own echo at -6 dB" if options.echo else "without echo"
    print(f"{len(found)} of {options.count} trials, {where}; voices and sounds are synthetic")
    report(found)


if __name__ == "__main__":
    main()
