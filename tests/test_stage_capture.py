"""Capture: every block of the card reaches the microphone ring, one at a time or, while all is calm, a few together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from epsilon.clock import ManualClock
from epsilon.devices.wav import WavCard
from epsilon.engines.echo.none import NoCancellation
from epsilon.ring import Bell, SampleRing
from epsilon.stages.capture import REST_S, Capture
from tests.desks import audio
from tests.rig import place

RATE_HZ = 16_000
REST_BLOCKS = round(REST_S / 0.01)  # of 10 ms


class Rig:
    """A capture stage on a card whose time the test moves."""

    def __init__(self, calm: bool) -> None:
        self.clock = ManualClock()
        where = replace(place(), clock=self.clock)
        self.sound = np.arange(RATE_HZ, dtype=np.float32)
        self.card = WavCard(audio("wav", ""), self.clock, self.sound)
        self.microphone, self.reader_bell = SampleRing(RATE_HZ), Bell()
        self.microphone.reader(self.reader_bell)
        self.capture = Capture(where, self.card, self.microphone, NoCancellation())
        self.calm = calm
        self.capture.calm = lambda: self.calm
        self.card.start()
        self.passed = 0

    def pass_blocks(self, count: int) -> None:
        self.passed += count
        self.clock.advance_to(self.card.time_of(self.passed * self.card.block_frames))

    def settle(self) -> None:
        """One block, as the first of a start."""
        self.pass_blocks(1)
        self.capture.step()


def test_where_all_is_not_calm_it_goes_on_from_block_to_block() -> None:
    rig = Rig(calm=False)
    for block in range(1, 9):
        rig.pass_blocks(1)
        assert rig.capture.step(), "it does not lie down"
        assert rig.microphone.written == block * rig.card.block_frames


def test_while_all_is_calm_it_sleeps_and_takes_together_what_came() -> None:
    rig = Rig(calm=True)
    rig.settle()
    due_s = rig.capture.due()
    assert due_s == pytest.approx(rig.clock.now() + REST_S)
    rig.pass_blocks(REST_BLOCKS)
    blocks = 0
    rig.reader_bell.wait(0)
    while rig.capture.step():
        blocks += 1
        assert not rig.reader_bell.wait(0), "who listens is woken once"
    assert rig.reader_bell.wait(0)
    assert blocks + 1 == REST_BLOCKS, "all that came, and it waits for none"
    assert rig.microphone.written == (1 + REST_BLOCKS) * rig.card.block_frames
    found = rig.microphone.copy(0, rig.microphone.written)
    assert found is not None
    np.testing.assert_array_equal(found, rig.sound[: len(found)])


def test_when_the_calm_ends_in_a_rest_it_stays_up() -> None:
    rig = Rig(calm=True)
    rig.settle()
    rig.calm = False
    for _ in range(20):
        rig.pass_blocks(1)
        assert rig.capture.step()


def test_a_card_that_has_ended_asks_for_nothing_more() -> None:
    rig = Rig(calm=True)
    rig.card.stop()
    assert not rig.capture.step() and rig.capture.due() is None
