"""A card that is unplugged and plugged in again: time goes on, and so does the conversation."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from epsilon.clock import ManualClock, MonotonicClock
from epsilon.devices import Card
from epsilon.devices.lasting import LastingCard, open_lasting
from epsilon.devices.wav import WavCard
from epsilon.emulation.plug import NOTICED_S, Plug
from epsilon.errors import DeviceError
from epsilon.ring import Samples
from tests import virtual_card
from tests.desks import RATE_HZ, audio, counting

BLOCK = 160


class Table:
    """A wav card behind a plug that is out from 1 s to 3 s, in lock-step."""

    def __init__(self, out_s: float = 1.0, in_s: float = 3.0) -> None:
        self.clock = ManualClock()
        self.wav = WavCard(audio("wav", ""), self.clock, counting(6 * RATE_HZ))
        plug = partial(Plug, self.wav, self.clock, lambda now_s: not out_s <= now_s < in_s)
        self.card = LastingCard(plug(), plug, self.clock)
        self.card.start()
        self.frames = 0

    def pass_time(self, seconds: float) -> Samples:
        blocks = []
        for _ in range(round(seconds * RATE_HZ / BLOCK)):
            self.frames += BLOCK
            self.clock.advance_to(self.wav.time_of(self.frames))
            block = self.card.read()
            assert block is not None and len(block) == BLOCK
            blocks.append(block)
        return np.concatenate(blocks)


def test_the_line_of_time_has_silence_where_there_was_no_card() -> None:
    table = Table()
    heard = table.pass_time(6)
    loud = np.flatnonzero(heard)
    assert loud[loud < 2 * RATE_HZ][-1] == RATE_HZ - 1 - BLOCK
    back = loud[loud > 2 * RATE_HZ][0]
    assert 3 * RATE_HZ <= back <= 3.5 * RATE_HZ + BLOCK
    np.testing.assert_array_equal(heard[back:], counting(6 * RATE_HZ)[back:])
    assert table.card.reference.written == table.frames
    assert table.card.left() == table.frames
    assert table.card.time_of(table.frames) == pytest.approx(6.0)


def test_it_is_gone_as_long_as_it_is_gone() -> None:
    table = Table()
    table.pass_time(1.4)
    assert not table.card.gone  # nobody can know yet
    table.pass_time(NOTICED_S)
    assert table.card.gone and (table.card.room(), table.card.pending(), table.card.cut(10)) == (0, 0, 0)
    assert table.card.time_of(0) == pytest.approx(0)
    table.pass_time(2)
    assert not table.card.gone and table.card.room() == table.card.lead_frames


def test_what_is_said_after_it_is_back_leaves_where_promised() -> None:
    table = Table()
    table.pass_time(4)
    table.card.begin_phrase()
    start = table.card.write(counting(BLOCK))
    table.card.end_reply()
    table.pass_time(1)
    left = table.wav.reply()
    np.testing.assert_array_equal(left[start : start + BLOCK], counting(BLOCK))


def test_one_that_is_never_unplugged_is_the_card_itself() -> None:
    table = Table(out_s=80, in_s=81)
    table.card.begin_phrase()
    start = table.card.write(counting(BLOCK))
    table.card.end_reply()
    np.testing.assert_array_equal(table.pass_time(1), counting(RATE_HZ))
    np.testing.assert_array_equal(table.wav.reply()[start : start + BLOCK], counting(BLOCK))
    reference = table.card.reference.copy(start, BLOCK)
    assert reference is not None
    np.testing.assert_array_equal(reference, counting(BLOCK))


class Speechless(WavCard):
    """Its speaker has stopped; the microphone goes on."""

    def room(self) -> int:
        raise DeviceError("the speaker has stopped", "speechless")


def test_a_speaker_that_fails_alone_is_opened_anew_with_the_microphone() -> None:
    clock = ManualClock()
    cards: list[Card] = [kind(audio("wav", ""), clock, counting(RATE_HZ)) for kind in (Speechless, WavCard)]
    card = LastingCard(cards[0], lambda: cards[1], clock)
    card.start()
    assert card.room() == 0 and not card.gone
    for block in range(1, 60):
        clock.advance_to(block * BLOCK / RATE_HZ)
        card.read()
    assert not card.gone and card.room() == card.lead_frames


def test_a_card_that_never_was_there_is_an_error_at_start() -> None:
    with pytest.raises(DeviceError, match="no microphone"):
        Table(out_s=0)


def test_a_speaker_that_was_the_old_cards_does_not_cost_the_new_one(caplog: pytest.LogCaptureFixture) -> None:
    """The thread that writes may ask the old card for room while the one that reads gives it up."""
    table = Table()
    table.pass_time(2)
    table.card._mute = DeviceError("the speaker has stopped", "the old one")
    table.pass_time(2)
    assert not table.card.gone and caplog.text.count("waiting until it is back") == 1


def test_a_card_that_comes_back_while_it_is_stopped_is_closed() -> None:
    table = Table()
    stopped: list[bool] = []

    class Late(WavCard):
        def start(self) -> None:
            table.card.stop()  # by another thread, just now

        def stop(self) -> None:
            stopped.append(True)

    table.pass_time(2)
    table.card._open_anew = lambda: Late(audio("wav", ""), table.clock, counting(RATE_HZ))
    table.clock.advance_to(table.clock.now() + 1)
    table.card.read()
    assert stopped


def test_stop_ends_it_also_while_it_is_gone() -> None:
    table = Table()
    table.pass_time(2)
    table.card.stop()
    assert table.card.gone and table.card.read() is None


@pytest.mark.card
@pytest.mark.slow
def test_a_real_card_goes_and_comes_back(tmp_path: Path) -> None:
    if lacking := virtual_card.missing():
        assert not os.environ.get("CI"), lacking
        pytest.skip(lacking)
    with virtual_card.virtual_card(tmp_path) as sound:
        clock, settings = MonotonicClock(), audio("portaudio", virtual_card.LOOP)
        card = open_lasting(settings, clock)
        card.start()
        began_s = time.monotonic()
        _read_until(card, 0.5)
        sound.unplug()
        _read_until(card, 4.0)
        assert card.gone
        assert card.left() / RATE_HZ == pytest.approx(time.monotonic() - began_s, abs=0.3)
        sound.start()
        while card.gone:
            card.read()
        heard = card.left()
        card.begin_phrase()
        card.write(np.full(RATE_HZ // 10, 0.3, np.float32))
        card.end_reply()
        blocks = [card.read() for _ in range(100)]
        loud = np.concatenate([block for block in blocks if block is not None])
        assert np.abs(loud).max() == pytest.approx(0.3, abs=0.02) and card.left() > heard
        card.stop()


def _read_until(card: LastingCard, seconds: float) -> None:
    while card.left() < seconds * RATE_HZ:
        card.read()
