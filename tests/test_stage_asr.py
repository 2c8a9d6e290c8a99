"""Sound to the recogniser once and in order; partials may be skipped, the final never."""

from __future__ import annotations

import numpy as np

from epsilon.clock import ManualClock
from epsilon.engines.protocols import Hypothesis
from epsilon.messages import Speech, Words
from epsilon.ring import SampleRing, Samples
from epsilon.stage import Place
from epsilon.stages.asr import Asr
from epsilon.turn import Mark
from tests.rig import place, results


class Recorder:
    """A recogniser whose words are how many frames it was given."""

    def __init__(self) -> None:
        self.given: list[list[int]] = []

    def start(self) -> list[int]:
        self.given.append([])
        return self.given[-1]

    def hear(self, hearing: list[int], samples: Samples) -> Hypothesis:
        hearing.extend(samples.astype(int).tolist())
        return Hypothesis(("so", "far"), (str(len(hearing)),))

    def finish(self, hearing: list[int]) -> Hypothesis:
        return Hypothesis(("so", "far", str(len(hearing))))


def heard(*speech: Speech) -> tuple[list[Words], Recorder, Asr]:
    ring, recorder = SampleRing(10_000), Recorder()
    stage = Asr(place(), ring, recorder)
    ring.write(np.arange(5000, dtype=np.float32))
    words = [item for part in speech for item in results(stage, [part]) if isinstance(item, Words)]
    return words, recorder, stage


def test_every_frame_is_heard_once_and_in_order() -> None:
    mark = Mark(1, 0)
    words, recorder, _ = heard(
        Speech(mark, 100, 400), Speech(mark, 100, 900, paused=True), Speech(mark, 100, 900, last=True)
    )
    assert recorder.given == [list(range(100, 900))]
    assert [item.final for item in words] == [False, False, True]
    assert words[1].settled
    assert words[-1].committed == ("so", "far", "800") and words[-1].tail == ()


def test_each_turn_is_a_new_utterance() -> None:
    _, recorder, _ = heard(Speech(Mark(1, 0), 0, 50, last=True), Speech(Mark(2, 0), 300, 350, last=True))
    assert recorder.given == [list(range(50)), list(range(300, 350))]


def test_a_partial_that_a_newer_one_overtook_is_skipped_and_the_final_never_is() -> None:
    ring, recorder = SampleRing(10_000), Recorder()
    stage = Asr(place(), ring, recorder)
    ring.write(np.zeros(5000, np.float32))
    mark = Mark(1, 0)
    words = results(stage, [Speech(mark, 0, 100), Speech(mark, 0, 200), Speech(mark, 0, 300, last=True)])
    assert [type(item).__name__ for item in words] == ["Words"]
    assert stage.counts.skipped == 2
    assert len(recorder.given[0]) == 300


def test_a_slow_recogniser_is_given_time_between_two_partials() -> None:
    """The hop is 20 ms here, a pass costs 30 ms: every third partial is heard, and the pause and the final."""
    clock, ring = ManualClock(), SampleRing(10_000)

    class Slow(Recorder):
        def hear(self, hearing: list[int], samples: Samples) -> Hypothesis:
            clock.advance_to(clock.now() + 0.030)
            return super().hear(hearing, samples)

    recorder, rig = Slow(), place()
    stage = Asr(Place(rig.seat, rig.turn, clock), ring, recorder)
    ring.write(np.zeros(9000, np.float32))
    mark, heard_until = Mark(1, 0), list[int]()
    for hop in range(1, 10):
        clock.advance_to(max(clock.now(), hop * 0.020))
        for item in results(stage, [Speech(mark, 0, hop * 320)]):
            assert isinstance(item, Words)
            heard_until.append(hop)
    assert heard_until == [1, 4, 7]
    assert stage.counts.skipped == 6
    paused = Speech(mark, 0, 3200, paused=True)
    assert len(results(stage, [paused, Speech(mark, 0, 3520, last=True)])) == 1  # overtaken by the final
    assert len(recorder.given[0]) == 3520
