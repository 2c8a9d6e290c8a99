"""One suite for every sound card: the file that plays and keeps, and PortAudio on a virtual card."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from epsilon.audio_check import Take, delay_frames
from epsilon.clock import ManualClock, MonotonicClock
from epsilon.devices.portaudio import PortAudioCard
from epsilon.devices.portaudio.cards import find_card
from epsilon.devices.wav import load
from epsilon.errors import AudioFileError, DeviceError
from epsilon.stages.playback import FADE_MS
from tests import virtual_card
from tests.desks import LEAD_MS, RATE_HZ, Desk, LoopDesk, WavDesk, audio, counting, place, say
from tests.sounds import noise

FADE_FRAMES = round(FADE_MS * RATE_HZ / 1000)
LATENCY_WANDERS = RATE_HZ // 20  # that of a sound server beside other programs


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[virtual_card.VirtualCard]:
    if lacking := virtual_card.missing():
        assert not os.environ.get("CI"), lacking
        pytest.skip(lacking)
    with virtual_card.virtual_card(tmp_path_factory.mktemp("card")) as card:
        yield card


@pytest.fixture(
    params=[
        "wav, lock-step",
        "wav, real time",
        pytest.param("portaudio", marks=pytest.mark.card),
        pytest.param("portaudio, 48 kHz", marks=pytest.mark.card),
    ]
)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    made: Desk
    if request.param.startswith("portaudio"):
        request.getfixturevalue("sound")
        made = LoopDesk(48_000 if "48" in request.param else RATE_HZ)
    else:
        made = WavDesk(ManualClock() if "lock-step" in request.param else MonotonicClock())
    made.card.start()
    yield made
    made.card.stop()


def test_time_passes_with_the_blocks(desk: Desk) -> None:
    began_s = time.monotonic()
    before = desk.card.left()
    heard = desk.pass_time(RATE_HZ // 2)
    assert heard.dtype == np.float32 and len(heard) == RATE_HZ // 2
    assert desk.card.left() - before == pytest.approx(RATE_HZ // 2, abs=RATE_HZ // 20)
    assert desk.card.time_of(RATE_HZ) - desk.card.time_of(0) == pytest.approx(1.0)
    if not isinstance(getattr(desk, "clock", None), ManualClock):
        assert time.monotonic() - began_s == pytest.approx(0.5, abs=0.1)


def test_what_is_said_leaves_whole_where_promised(desk: Desk) -> None:
    said = counting(RATE_HZ // 2)
    desk.card.begin_phrase()
    starts = say(desk, said)
    desk.card.end_reply()
    desk.pass_time(RATE_HZ // 2)
    assert desk.card.pending() == 0
    left = desk.left()
    found = place(left)
    tolerance = 0 if desk.exact else LATENCY_WANDERS
    assert found.start == pytest.approx(starts[0], abs=tolerance)
    assert found.stop - found.start == pytest.approx(len(said), abs=0 if desk.exact else 40)
    inner = left[found.start + 40 : found.start + len(said) - 40]
    assert np.abs(np.diff(inner) - 0.5 / RATE_HZ).max() < 1e-3, "a sample is missing or changed"
    assert desk.card.counts.underruns == desk.card.counts.overruns == 0


def test_the_reference_is_what_left(desk: Desk) -> None:
    desk.card.begin_phrase()
    starts = say(desk, counting(RATE_HZ // 4))
    desk.card.end_reply()
    desk.pass_time(RATE_HZ // 2)
    reference = desk.card.reference.copy(0, desk.card.reference.written)
    assert reference is not None
    found = place(reference)
    assert found.stop - found.start == RATE_HZ // 4
    late = found.start - starts[0]  # a callback comes a block at a time
    assert late == 0 if desk.exact else 0 <= late <= 4 * desk.card.block_frames
    np.testing.assert_array_equal(reference[found], counting(RATE_HZ // 4))


def test_no_more_than_the_lead_waits(desk: Desk) -> None:
    lead = desk.card.lead_frames
    assert desk.card.room() == lead == round(LEAD_MS * RATE_HZ / 1000)
    desk.card.write(counting(lead))
    assert desk.card.room() <= desk.card.block_frames * 4
    assert desk.card.pending() >= lead * 3 // 4
    desk.pass_time(lead * 2)
    assert desk.card.room() == lead
    assert desk.card.pending() == 0


def test_a_cut_fades_and_tells_what_was_dropped(desk: Desk) -> None:
    said = counting(desk.card.lead_frames)
    desk.card.begin_phrase()
    start = desk.card.write(said)
    desk.pass_time(RATE_HZ // 20)
    at = desk.card.left()
    dropped = desk.card.cut(FADE_MS)
    assert 0 < dropped < len(said)
    assert desk.card.cut(FADE_MS) == 0
    desk.pass_time(RATE_HZ // 4)
    left = desk.left()
    found = place(left)
    assert found.stop - found.start == pytest.approx(len(said) - dropped, abs=FADE_FRAMES)
    assert found.stop <= max(at, start) + RATE_HZ * 15 // 100, "sound must be gone within 150 ms"
    assert desk.card.counts.underruns == 0


def test_after_a_cut_at_most_20_ms_of_sound_leave_and_they_fall_evenly(desk: Desk) -> None:
    said = 0.4 + counting(desk.card.lead_frames)
    desk.card.begin_phrase()
    start = desk.card.write(said)
    desk.pass_time(RATE_HZ // 20)
    dropped, taken_at = desk.cut()
    assert 0 < start + len(said) - dropped - taken_at <= RATE_HZ * 20 // 1000
    desk.pass_time(RATE_HZ // 4)
    left = desk.left()
    found = place(left)
    assert found.stop - found.start == pytest.approx(len(said) - dropped, abs=80)
    steps = np.diff(left[found.start + 40 : found.stop + 400])
    assert np.abs(steps).max() < 0.01, "a click"
    assert steps[-400 - FADE_FRAMES // 2 :].max() < 1e-3, "it must only get quieter"


def test_running_dry_does_not_click(desk: Desk) -> None:
    said = 0.4 + counting(RATE_HZ // 10)
    desk.card.begin_phrase()
    for _ in range(2):
        desk.card.write(said)
        desk.pass_time(RATE_HZ // 4)
    desk.card.write(said)
    desk.card.end_reply()
    desk.pass_time(RATE_HZ // 4)
    left = desk.left()
    found = place(left)
    assert desk.gaps() == 2
    assert np.count_nonzero(np.abs(left[found]) < 1e-3) > RATE_HZ // 10, "there were no gaps"
    inner = left[found.start + 40 : found.stop - 40]  # it begins and ends as it was made
    assert np.abs(np.diff(inner)).max() < 0.02, "a click"


def test_silence_before_a_phrase_is_no_underrun(desk: Desk) -> None:
    for _ in range(2):
        desk.card.begin_phrase()
        desk.card.write(counting(1600))
        desk.pass_time(RATE_HZ // 4)
    assert desk.gaps() == 0


def test_after_a_cut_the_next_reply_is_whole(desk: Desk) -> None:
    desk.card.begin_phrase()
    desk.card.write(counting(desk.card.lead_frames))
    desk.pass_time(RATE_HZ // 20)
    desk.card.cut(FADE_MS)
    desk.pass_time(RATE_HZ // 20)
    desk.card.begin_phrase()
    start = desk.card.write(0.5 + counting(RATE_HZ // 10))
    desk.card.end_reply()
    desk.pass_time(RATE_HZ // 2)
    loud = np.flatnonzero(desk.left() > 0.55)
    assert len(loud) == pytest.approx(RATE_HZ // 10, abs=40)
    assert loud[0] == pytest.approx(start, abs=0 if desk.exact else LATENCY_WANDERS)
    assert desk.card.counts.underruns == 0


def test_a_gap_counts_inside_a_reply_only(desk: Desk) -> None:
    desk.card.begin_phrase()
    for _ in range(3):
        desk.card.write(counting(800))
        desk.pass_time(RATE_HZ // 5)
    assert desk.gaps() == 2
    desk.card.end_reply()
    desk.card.begin_phrase()
    desk.card.write(counting(800))
    desk.card.end_reply()
    desk.pass_time(RATE_HZ // 5)
    assert desk.gaps() == 2


def test_stop_ends_a_read(desk: Desk) -> None:
    if isinstance(getattr(desk, "clock", None), ManualClock):
        desk.card.stop()
        assert desk.card.read() is None
        return
    ended = threading.Event()

    def read() -> None:
        while desk.card.read() is not None:
            pass
        ended.set()

    reader = threading.Thread(target=read)
    reader.start()
    time.sleep(0.1)
    desk.card.stop()
    assert ended.wait(1.0)
    reader.join()


def test_a_recording_is_heard_to_its_last_sample_and_then_silence() -> None:
    desk = WavDesk(ManualClock())
    desk.card.start()
    heard = desk.pass_time(RATE_HZ + 3200)
    np.testing.assert_array_equal(heard[:RATE_HZ], counting(RATE_HZ))
    assert desk.card.input_ended and not heard[RATE_HZ:].any()


def test_what_left_a_file_can_be_taken_from_it_bit_by_bit() -> None:
    kept, taken = WavDesk(ManualClock()), WavDesk(ManualClock())
    pieces = []
    for desk in (kept, taken):
        desk.card.start()
        desk.card.begin_phrase()
        for _ in range(5):
            say(desk, counting(1000))
            desk.pass_time(4800)
            if desk is taken:
                pieces.append(desk.card.take())
    left, whole = np.concatenate(pieces), kept.left()
    np.testing.assert_array_equal(left[: len(whole)], whole)
    assert len(left) == taken.at and not left[len(whole) :].any()
    assert len(desk.card.take()) == 0


@pytest.mark.card
@pytest.mark.parametrize("rate_hz", [RATE_HZ, 48_000])
def test_the_reference_keeps_step_with_the_speaker_from_reply_to_reply(
    sound: virtual_card.VirtualCard, rate_hz: int
) -> None:
    """An echo canceller has learnt the way from one to the other: it must not change by a block of the card."""
    desk = LoopDesk(rate_hz)
    desk.card.start()
    begun = []
    for reply in range(8):
        desk.pass_time(RATE_HZ // 4)
        time.sleep(reply * 0.0025)  # a reply begins anywhere between two blocks
        desk.card.begin_phrase()
        begun.append(desk.card.write(noise(0.15, rms=0.1, seed=reply)))
        desk.card.end_reply()
    heard = desk.left()
    reference = desk.card.reference.copy(0, len(heard))
    desk.card.stop()
    assert reference is not None
    pieces = [slice(at - RATE_HZ // 10, at + RATE_HZ // 5) for at in begun]
    delays = [delay_frames(Take(reference[piece], heard[piece])) for piece in pieces]
    usual = statistics.mode(delays)
    assert usual is not None
    assert sum(delay == usual for delay in delays) >= 7, f"{delays}; a busy sound server may slip once"


@pytest.mark.card
def test_what_is_played_to_the_microphone_arrives_whole(sound: virtual_card.VirtualCard) -> None:
    card = PortAudioCard(audio("portaudio", virtual_card.CARD), MonotonicClock())
    card.start()
    playing = sound.play(counting(RATE_HZ))
    heard = np.concatenate([block for _ in range(250) if (block := card.read()) is not None])
    playing.wait(5)
    card.stop()
    found = place(heard)
    np.testing.assert_array_equal(heard[found], counting(RATE_HZ))
    assert card.counts.overruns == 0


@pytest.mark.card
@pytest.mark.slow
def test_four_seconds_asleep_lose_nothing_and_six_are_counted(sound: virtual_card.VirtualCard) -> None:
    card = PortAudioCard(audio("portaudio", virtual_card.CARD), MonotonicClock())
    card.start()
    for asleep_s, overruns in ((3.9, 0), (6.0, 1)):
        time.sleep(asleep_s)
        for _ in range(500):
            card.read()
        assert card.counts.overruns == overruns
    card.stop()


@pytest.mark.card
def test_an_unknown_card_is_named_with_its_neighbours(sound: virtual_card.VirtualCard) -> None:
    with pytest.raises(DeviceError, match=r"no microphone 'epsilon_virtuel' .*did you mean epsilon_virtual"):
        find_card("epsilon_virtuel")


@pytest.mark.card
@pytest.mark.slow
def test_a_card_that_goes_away_is_an_error(sound: virtual_card.VirtualCard, tmp_path: Path) -> None:
    with virtual_card.virtual_card(tmp_path / "card") as other:
        card = PortAudioCard(audio("portaudio", virtual_card.CARD), MonotonicClock())
        card.start()
        card.read()
        card.write(counting(800))
        other.stop()
        with pytest.raises(DeviceError, match="the microphone gave no sound for 2 s"):
            while card.read() is not None:
                pass
        card.write(counting(800))
        with pytest.raises(DeviceError, match="the speaker has stopped"):
            card.room()
        card.stop()
    os.environ.update(sound.environment)
    virtual_card.look_again()


def test_a_wav_card_without_its_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="no such file"):
        load(audio("wav", str(tmp_path / "in.wav")), ManualClock())
