"""Desks at which a sound card lies: the one that is a file, and PortAudio on a virtual card that hears itself."""

from __future__ import annotations

import numpy as np

from epsilon.clock import Clock, ManualClock, MonotonicClock
from epsilon.config.board import Audio
from epsilon.devices.portaudio import PortAudioCard
from epsilon.devices.wav import WavCard
from epsilon.ring import Samples
from epsilon.stages.playback import FADE_MS
from tests import virtual_card

RATE_HZ = 16_000
LEAD_MS = 200.0


def audio(device: str, card: str, rate_hz: int = RATE_HZ) -> Audio:
    return Audio(device=device, card=card, rate_hz=rate_hz, block_ms=10.0, lead_ms=LEAD_MS)


def counting(count: int) -> Samples:
    """Samples [n] that all differ from their neighbours by the same step, but for one fall each second."""
    return (0.1 + 0.5 * (np.arange(count) % RATE_HZ) / RATE_HZ).astype(np.float32)


class WavDesk:
    """A wav card, and a hand that moves its clock where that is needed."""

    def __init__(self, clock: Clock) -> None:
        self.exact = True
        self.clock = clock
        self.card = WavCard(audio("wav", ""), clock, counting(RATE_HZ))
        self.at = 0

    def pass_time(self, frames: int) -> Samples:
        """Read so many frames of the microphone."""
        blocks = []
        for _ in range(0, frames, self.card.block_frames):
            self.at += self.card.block_frames
            if isinstance(self.clock, ManualClock):
                self.clock.advance_to(self.card.time_of(self.at))
            block = self.card.read()
            assert block is not None
            blocks.append(block)
        return np.concatenate(blocks)

    def left(self) -> Samples:
        """What left the speaker, on the time line."""
        return self.card.reply()

    def gaps(self) -> int:
        """Underruns that are the toy's fault."""
        return self.card.counts.underruns

    def cut(self) -> tuple[int, int]:
        """What the card drops, and up to which frame of the time line it had taken sound."""
        block = self.card.block_frames
        return self.card.cut(FADE_MS), -(-self.card.left() // block) * block


class LoopDesk:
    """The card's microphone hears its speaker."""

    def __init__(self, rate_hz: int) -> None:
        self.exact = False
        self.card = PortAudioCard(audio("portaudio", virtual_card.LOOP, rate_hz), MonotonicClock())
        self.heard: list[Samples] = []

    def pass_time(self, frames: int) -> Samples:
        blocks = []
        for _ in range(0, frames, self.card.block_frames):
            block = self.card.read()
            assert block is not None
            blocks.append(block)
        self.heard += blocks
        return np.concatenate(blocks)

    def left(self) -> Samples:
        self.pass_time(RATE_HZ // 10)  # what is on its way
        return np.concatenate(self.heard)

    def gaps(self) -> int:
        """Underruns that are the toy's fault: the card's own happen on a busy machine."""
        return self.card.counts.underruns - self.card._speaker.underflows

    def cut(self) -> tuple[int, int]:
        """What the card drops, and up to which frame of the time line it had taken sound."""
        speaker = self.card._speaker
        action, waits = speaker._action, speaker._card_frames
        dropped, end = self.card.cut(FADE_MS), speaker.end_frame
        return dropped, end + dropped - round((waits - action.done_frames) * RATE_HZ / self.card.rate_hz)


Desk = WavDesk | LoopDesk


def say(desk: Desk, samples: Samples) -> list[int]:
    """Write everything, as room allows; returns where each piece leaves."""
    starts = []
    while len(samples):
        room = desk.card.room()
        if room:
            starts.append(desk.card.write(samples[:room]))
            samples = samples[room:]
        desk.pass_time(desk.card.block_frames)
    return starts


def place(sound: Samples) -> slice:
    """From the first audible sample to the last."""
    loud = np.flatnonzero(np.abs(sound) > 0.05)
    assert len(loud), "nothing left the card"
    return slice(int(loud[0]), int(loud[-1]) + 1)
