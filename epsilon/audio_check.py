"""The self-check of speaker and microphone: a glide and a hum are played, and what comes back is measured.

Nothing of it is kept but the figures.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from epsilon.clock import Clock
from epsilon.config.board import Board
from epsilon.devices import Card, open_card
from epsilon.duplex import NO_CANCELLER, Acoustics, Duplex, choose
from epsilon.engines.protocols import EchoCanceller
from epsilon.errors import DeviceError
from epsilon.parts import load_engine
from epsilon.ring import Samples

PLEASE = "How well does the toy hear itself? Eight seconds of quiet, please."
RATE_HZ = 16_000
QUIET_S = 0.5  # before the glide: the noise of room and microphone
GLIDE_S, GLIDE_HZ = 0.9, (250.0, 5000.0)
RING_S = 0.7  # behind the glide: the room, and an echo that comes late
HUM_S = 4.5
SETTLED_S = 2.0  # the end of the hum, by when a canceller has settled
PEAK = 0.12  # quiet: -18 dB of full scale
EDGE_S = 0.05
EARLIEST_MS, LATEST_MS = -200.0, 600.0  # where the echo is looked for
DIRECT_MS = 30.0  # a wall may send back more than comes straight, and later by this
DIRECT_FRAMES = 8  # the width of the peak that a sound that comes straight makes
CLEAR = 8.0  # a likeness so many times the usual one is no chance
FULL_SCALE = 0.985
FAINTEST_DB = -120.0
NOTHING_DB = 99.0  # return loss of an echo that is not there


class Take(NamedTuple):
    """What left the card and what its microphone heard, on one time line."""

    left: Samples
    heard: Samples


def check(board: Board, clock: Clock) -> Acoustics:
    """Open the board's card, measure it and close it again; whoever plays meanwhile spoils it."""
    canceller: EchoCanceller = load_engine(board, "capture")
    card = open_card(board.audio, clock)
    card.start()
    try:
        return measure(card, canceller, board.stages["capture"].engine or NO_CANCELLER)
    finally:
        card.stop()


def measure(card: Card, canceller: EchoCanceller, name: str) -> Acoustics:
    """Play and listen on a started card that nobody else uses, for seven seconds."""
    take = perform(card, tune())
    noise_db = level_db(take.heard[: frames(QUIET_S / 2)])
    delay = delay_frames(Take(*(sound[: frames(QUIET_S + GLIDE_S + RING_S)] for sound in take)))
    found = Acoustics(Duplex.HALF.value, name, 0.0, noise_db, FAINTEST_DB, NOTHING_DB, 0.0, 0.0)
    if delay is not None:
        echo_db = _echo_db(take, delay)
        canceller.expect(_ms(delay))
        clean = cancelled(canceller, take, card.block_frames)
        found = replace(
            found,
            delay_ms=_ms(delay),
            echo_db=echo_db,
            return_loss_db=min(NOTHING_DB, level_db(_settled(take.left)) - echo_db),
            enhancement_db=level_db(_settled(take.heard)) - level_db(_settled(clean)),
            clipped_percent=100 * float(np.mean(np.abs(take.heard) >= FULL_SCALE)),
        )
    return replace(found, duplex=choose(found).value)


def tune() -> Samples:
    """What is played, [n] at 16 kHz: silence, a rising glide, silence, and a hum that moves as a voice does."""
    return np.concatenate([glide_alone(), _hum()])


def glide_alone() -> Samples:
    """The first part of it, [n]: silence, the glide, silence."""
    return np.concatenate([_silence(QUIET_S), _glide(), _silence(RING_S)])


def delay_frames(take: Take) -> int | None:
    """By how many frames the glide comes later in the microphone, by matched filter; None when it is not there."""
    earliest, latest = frames(EARLIEST_MS / 1000), frames(LATEST_MS / 1000)
    size = 1 << (2 * len(take.left) + latest - earliest).bit_length()
    spectra = [np.fft.rfft(sound, size) for sound in take]
    likeness = np.abs(np.fft.irfft(spectra[1] * np.conj(spectra[0]), size))
    likeness = likeness[np.arange(earliest, latest)]
    peak = int(np.argmax(likeness))
    highest = float(likeness[peak])
    if highest == 0.0 or highest <= CLEAR * float(np.median(likeness)):
        return None
    first = max(0, peak - frames(DIRECT_MS / 1000))
    direct = first + int(np.argmax(likeness[first : peak + 1] >= highest / 2))
    return earliest + direct + int(np.argmax(likeness[direct : direct + DIRECT_FRAMES]))


def cancelled(canceller: EchoCanceller, take: Take, block: int) -> Samples:
    """What the canceller leaves of the microphone, [n]."""
    starts = range(0, len(take.heard), block)
    return np.concatenate(
        [canceller.cancel(take.heard[at : at + block], take.left[at : at + block]) for at in starts]
    )


def level_db(sound: Samples) -> float:
    """The level [n] in decibels of full scale."""
    return _decibels(_power(sound))


def perform(card: Card, sound: Samples) -> Take:
    """Play samples [n] on a started card that nobody else uses, and listen until QUIET_S after their end."""
    left, heard = [], []
    wanted = len(sound) + frames(QUIET_S)
    card.begin_phrase()
    while wanted > 0:
        if len(sound) and (room := card.room()):
            card.write(sound[:room])
            sound = sound[room:]
            if not len(sound):
                card.end_reply()
        block = card.read()
        if block is None:
            raise DeviceError("the card was closed while it was measured")
        played = card.reference.copy(card.reference.written - len(block), len(block))
        assert played is not None, "the reference ring is shorter than a block"
        left.append(played)
        heard.append(block)
        wanted -= len(block)
    return Take(np.concatenate(left), np.concatenate(heard))


def _echo_db(take: Take, delay: int) -> float:
    """The level of the echo of the hum, less what the noise adds to it."""
    noise = _power(take.heard[: frames(QUIET_S / 2)])
    both = _power(_settled(take.heard))
    return _decibels(max(both - noise, _straight_part(take, delay)))


def _straight_part(take: Take, delay: int) -> float:
    """The power of what comes straight, which stands out of any noise."""
    left, heard = (_settled(sound) for sound in (np.roll(take.left, delay), take.heard))
    power = _power(left)
    gain = float(np.mean(np.float64(left) * heard)) / max(power, 1e-12)
    return gain * gain * power


def _settled(sound: Samples) -> Samples:
    """The part of a take in which the hum sounds and a canceller has settled."""
    return sound[-frames(SETTLED_S + 2 * QUIET_S) : -frames(2 * QUIET_S)]


def _glide() -> Samples:
    time = np.arange(frames(GLIDE_S)) / GLIDE_S / RATE_HZ
    low, high = GLIDE_HZ
    octaves = np.log(high / low)
    phase = 2 * np.pi * low * GLIDE_S * (np.exp(octaves * time) - 1) / octaves
    return _edged(PEAK * np.sin(phase))


def _hum() -> Samples:
    """A buzz through two moving formants, four syllables a second: as a voice to a canceller, but no word."""
    time = np.arange(frames(HUM_S)) / RATE_HZ
    pitch_hz = 190 + 25 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    formants_hz = (600 + 250 * np.sin(2 * np.pi * 1.1 * time), 1700 + 600 * np.sin(2 * np.pi * 0.6 * time))
    hum = np.zeros_like(time)
    for harmonic in range(1, 20):
        gains = [1 / (1 + ((harmonic * pitch_hz - hz) / 150) ** 2) for hz in formants_hz]
        hum += sum(gains, np.zeros_like(time)) * np.sin(harmonic * phase) / np.sqrt(harmonic)
    syllables = 0.65 + 0.35 * np.sin(2 * np.pi * 4 * time)
    return _edged(2 * PEAK * hum * syllables / np.abs(hum).max())


def _edged(sound: npt.NDArray[np.float64]) -> Samples:
    """Begins and ends softly."""
    edge = np.sin(np.linspace(0, np.pi / 2, frames(EDGE_S))) ** 2
    sound[: len(edge)] *= edge
    sound[-len(edge) :] *= edge[::-1]
    return sound.astype(np.float32)


def _silence(duration_s: float) -> Samples:
    return np.zeros(frames(duration_s), np.float32)


def _power(sound: Samples) -> float:
    return float(np.mean(np.square(sound, dtype=np.float64)))


def _decibels(power: float) -> float:
    return max(FAINTEST_DB, 10 * float(np.log10(power + 1e-12)))


def frames(duration_s: float) -> int:
    """So many seconds in frames."""
    return round(duration_s * RATE_HZ)


def _ms(frames: int) -> float:
    return frames * 1000 / RATE_HZ
