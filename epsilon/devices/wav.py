"""The card that is a file: a microphone that plays a recording, a speaker that keeps what left it.

No thread: where the sound is follows from the clock alone, so lock-step and real time share every line.
Like a card with a callback it takes samples a block at a time and lets them leave a block later.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from epsilon.audio_files import read_audio
from epsilon.clock import Clock
from epsilon.config.board import Audio
from epsilon.devices import CardCounts
from epsilon.devices.edge import Edge, after_silence
from epsilon.dsp.fade import fade_out
from epsilon.errors import DeviceError
from epsilon.ring import SampleRing, Samples

RATE_HZ = 16_000
REFERENCE_FRAMES = 4 * RATE_HZ
GROWTH_FRAMES = 10 * RATE_HZ


class WavCard:
    """Plays `recording` [n] into the toy, then silence until `finish`."""

    hears_itself = gone = False

    def __init__(self, audio: Audio, clock: Clock, recording: Samples) -> None:
        self.block_frames, self.lead_frames = audio.block_frames, audio.lead_frames
        self.recording, self.clock = recording, clock
        self.reference = SampleRing(REFERENCE_FRAMES)
        self.counts = CardCounts()
        self._speaker: Samples = np.zeros(len(recording) + GROWTH_FRAMES, np.float32)
        self._forgotten = 0  # frames before the speaker's first: `take` has given them away
        self._written = 0  # the end of what was written, on the time line
        self._edge = Edge(RATE_HZ)
        self._in_reply = self._wrote_in_reply = False
        self._read_frames = 0
        self._start_s = 0.0
        self._finished = False

    def start(self) -> None:
        """Frame 0 is now."""
        self._start_s = self.clock.now()

    def stop(self) -> None:
        """No more blocks."""
        self._finished = True

    finish = stop

    def play(self, recording: Samples) -> None:
        """Go on with another recording [n] from the next block on."""
        before = np.zeros(self._read_frames, np.float32)
        before[: len(self.recording)] = self.recording[: self._read_frames]
        self.recording = np.concatenate((before, recording))

    @property
    def input_ended(self) -> bool:
        """True when the recording has been read to its end."""
        return self._read_frames >= len(self.recording)

    def reply(self) -> Samples:
        """All that left or will leave the speaker, on the recording's time line and at least as long."""
        return self._place(0, max(len(self.recording), self._written)).copy()

    def take(self) -> Samples:
        """What has left the speaker since the last `take`, [n]; the card forgets it. For who listens for hours."""
        taken = self._place(self._forgotten, self._read_frames).copy()
        self._speaker, self._forgotten = self._speaker[len(taken) :].copy(), self._read_frames
        return taken

    def read(self) -> Samples | None:
        end = self._read_frames + self.block_frames
        if not self._finished:
            self.clock.sleep_until(self.time_of(end))
        if self._finished:
            return None
        block: Samples = np.zeros(self.block_frames, np.float32)
        found = self._said(self._read_frames, end)
        block[: len(found)] = found
        self.reference.write(self._place(self._read_frames, end))
        self._read_frames = end
        return block

    def _said(self, start: int, end: int) -> Samples:
        """What of the recording lies there; less than asked for behind its end."""
        return self.recording[start:end]

    def write(self, samples: Samples) -> int:
        if not self._goes_on():
            self.counts.underruns += self._wrote_in_reply
            samples = after_silence(samples, RATE_HZ) if len(self._edge) else samples
            self._edge.clear()
            self._written = max(self._written, self._next_frame())
        self._wrote_in_reply = self._in_reply
        start = self._written
        if self._in_reply:
            before, samples = self._edge.extend(samples)
            self._place(start - len(before), start)[:] = before
        self._written = start + len(samples)
        self._place(start, self._written)[:] = samples
        return start

    def room(self) -> int:
        return max(0, self.lead_frames - max(0, self._written - self._next_frame()))

    def pending(self) -> int:
        return max(0, self._written - self.left())

    def left(self) -> int:
        return int((self.clock.now() - self._start_s) * RATE_HZ + 1e-6)

    def cut(self, fade_ms: float) -> int:
        start = min(self._next_frame(), self._written)
        end = min(start + round(fade_ms * RATE_HZ / 1000), self._written)
        dropped = self._written - end
        self._place(start, end)[:] = fade_out(self._place(start, end))
        self._place(end, self._written)[:] = 0.0
        self._written = end
        self._edge.clear()
        self.end_reply()
        return dropped

    def begin_phrase(self) -> None:
        self._in_reply, self._wrote_in_reply = True, False

    def end_reply(self) -> None:
        if self._goes_on():
            self._place(self._written - len(self._edge), self._written)[:] = self._edge.made
        self._edge.clear()
        self._in_reply = self._wrote_in_reply = False

    def time_of(self, frame: int) -> float:
        return self._start_s + frame / RATE_HZ

    def _next_frame(self) -> int:
        """Where a sample written now leaves: the block that is being handed over has been taken already."""
        return (-(-self.left() // self.block_frames) + 1) * self.block_frames

    def _goes_on(self) -> bool:
        """True while a sample written now joins the ones before it, none of whose faded end has been taken yet."""
        return self._written - len(self._edge) >= self._next_frame()

    def _place(self, start: int, end: int) -> Samples:
        """The speaker's samples from one frame of the time line to another, to be read or written."""
        first, last = start - self._forgotten, end - self._forgotten
        if last > len(self._speaker):
            grown = np.zeros(last + GROWTH_FRAMES, np.float32)
            grown[: len(self._speaker)] = self._speaker
            self._speaker = grown
        return self._speaker[first:last]


def rescan() -> None:
    """A file is where it was."""


def load(audio: Audio, clock: Clock) -> WavCard:
    """The card of a board that says `device: wav, card: FILE`."""
    if audio.rate_hz != RATE_HZ:
        raise DeviceError(f"a wav card runs at {RATE_HZ} Hz, the board says {audio.rate_hz} Hz")
    return WavCard(audio, clock, read_audio(Path(audio.card)))
