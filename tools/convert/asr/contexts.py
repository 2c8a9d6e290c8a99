"""Which lengths of sound an encoder can be run at: shorter than its 30 s is cheaper, but not always safe.

Some checkpoints repeat themselves or miss words when the encoder sees less than it was trained on, so the
shortest length is measured: words at each length against words at the longest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from epsilon.dsp.mel import SAMPLE_RATE_HZ
from tools.convert.asr.greedy import Greedy
from tools.convert.asr.sound import Clip

STEPS_PER_SECOND = 50  # encoder frames
PADDING_S = 0.5
TOKENS_PER_SECOND, SPARE_TOKENS = 8, 8


@dataclass(frozen=True)
class Trial:
    """What came out at one length: how many clips fitted, and how many had other words than at the longest."""

    context: int
    clips: int
    different: int


def offered(seconds: Sequence[float], longest: int) -> list[int]:
    """The lengths in encoder frames that the checkpoint has positions for, its longest when none is."""
    lengths = [round(STEPS_PER_SECOND * one) for one in seconds]
    return [length for length in lengths if length <= longest] or [longest]


def words(text: str) -> list[str]:
    """Words without case and punctuation, which may differ harmlessly."""
    return re.findall(r"[\w']+", text.lower())


def measure(
    ears: Greedy,
    spell: Callable[[list[int]], str],
    clips: Sequence[Clip],
    contexts: Sequence[int],
    longest: int,
    tell: Callable[[str], None],
) -> list[Trial]:
    """Words of the clips at each length against those at `longest`; tells of each length as it is done."""

    def heard(clip: Clip, context: int) -> list[str]:
        steps = int(clip.seconds * TOKENS_PER_SECOND) + SPARE_TOKENS
        return words(spell(ears.hear(clip.sound, context, steps)))

    def fits(clip: Clip, context: int) -> bool:
        return clip.seconds + PADDING_S <= context / STEPS_PER_SECOND

    known = {clip.name: heard(clip, longest) for clip in clips if fits(clip, max(contexts))}
    trials = []
    for context in contexts:
        fitting = [clip for clip in clips if fits(clip, context)]
        different = sum(heard(clip, context) != known[clip.name] for clip in fitting)
        trials.append(Trial(context, len(fitting), different))
        seconds = context / STEPS_PER_SECOND
        tell(f"  context {seconds:g} s: {len(fitting) - different} of {len(fitting)} clips as at the longest")
    return trials


def smallest_safe(trials: Sequence[Trial]) -> int:
    """The smallest context from which on no clip differs; a length that no clip fits into proves nothing.

    When even the longest differs it is the longest all the same: there is nothing better to choose.
    """
    safe = trials[-1].context
    for trial in reversed(trials):
        if trial.different or not trial.clips:
            break
        safe = trial.context
    return safe


def samples(context: int) -> int:
    """Frames of sound that fill a context."""
    return context * SAMPLE_RATE_HZ // STEPS_PER_SECOND
