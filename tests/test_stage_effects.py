"""The effects stage: a chain's delay costs no silence, its tail is heard, a new turn starts it afresh."""

from __future__ import annotations

import numpy as np

from epsilon.clock import ManualClock
from epsilon.effects import pitch, radio, room
from epsilon.engines.protocols import Effect
from epsilon.messages import Sound
from epsilon.realtime import Seat
from epsilon.ring import Samples
from epsilon.stage import Place
from epsilon.stages.effects import Effects
from epsilon.turn import Turn

RATE_HZ = 16_000


def delayed_chain() -> list[Effect]:
    return [
        pitch.load(pitch.Options(formants=2), RATE_HZ),
        radio.load(radio.Options(), RATE_HZ),
        room.load(room.Options(), RATE_HZ),
    ]


def voice() -> Samples:
    return np.random.default_rng(1).uniform(-0.5, 0.5, 8000).astype(np.float32)


def replies(chain: list[Effect], texts: int = 1) -> list[list[Samples]]:
    """The chunks of replies that are all the same sound in chunks of 3200 frames."""
    turn = Turn()
    stage = Effects(Place(Seat(), turn, ManualClock()), chain)
    said = []
    for _ in range(texts):
        mark, chunks = turn.next(), []
        for at in range(0, 8000, 3200):
            last = at + 3200 >= 8000
            for heard in stage.work(Sound(mark, 0, "Oh.", voice()[at : at + 3200], last, last)):
                assert isinstance(heard, Sound)
                chunks.append(heard.samples)
        said.append(chunks)
    return said


def test_without_effects_nothing_changes() -> None:
    np.testing.assert_array_equal(np.concatenate(replies([])[0]), voice())


def test_a_reply_begins_at_once_and_ends_with_the_tail() -> None:
    chain = delayed_chain()
    delay_frames = sum(effect.delay_frames for effect in chain)
    chunks = replies(chain)[0]
    assert len(chunks[0]) == 3200 - delay_frames and len(chunks[1]) == 3200
    assert np.abs(chunks[0][:160]).max() > 0.01  # the first frames are voice, not the chain's silence
    whole = np.concatenate(chunks)
    assert len(whole) == 8000 - delay_frames + sum(effect.tail_frames for effect in chain)
    assert np.abs(whole[8000:8400]).max() > 0.001 > np.abs(whole[-20:]).max()


def test_a_reply_does_not_hear_the_one_before() -> None:
    first, second = replies(delayed_chain(), texts=2)
    np.testing.assert_array_equal(np.concatenate(first), np.concatenate(second))


def test_what_is_too_loud_bends() -> None:
    loud = room.load(room.Options(mix=0), RATE_HZ)
    stage = Effects(Place(Seat(), turn := Turn(), ManualClock()), [loud])
    (heard,) = stage.work(Sound(turn.next(), 0, "Oh.", np.ones(100, np.float32), True, False))
    assert isinstance(heard, Sound)
    assert 0.8 < np.abs(heard.samples).max() < 1
