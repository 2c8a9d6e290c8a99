"""The speaker's end: a native ring that rtmixer's callback empties, fed ahead, faded in place when cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from epsilon.devices.edge import Edge, after_silence
from epsilon.devices.portaudio.microphone import power_of_two
from epsilon.dsp.fade import fade_out
from epsilon.dsp.resample import StreamResampler
from epsilon.errors import DeviceError
from epsilon.ring import Samples

RATE_HZ = 16_000
RING_S = 1.0
REMEMBERED_FRAMES = 16 * RATE_HZ  # longer than the microphone's ring and the lead together
LATEST_FRAMES = RATE_HZ // 4  # no stretch begins so late


@dataclass(slots=True)
class Stretch:
    """Sound that plays without a gap: the frame at which it should begin, and how much later it does.

    The card's callbacks come a block at a time, so it may begin a block later than expected.
    """

    start: int
    late_frames: int | None = None


class Speaker:
    """Plays stretches of sound: one ends when its ring runs dry or is cut; the next has a ring of its own.

    A ring is never flushed under the callback: a cut one plays out its zeros beside the next stretch.
    Positions are frames of the microphone's time line at 16 kHz.
    """

    def __init__(self, mixer: Any, new_ring: Any, rate_hz: int, block: int, name: str) -> None:
        self._name = name
        self._mixer, self._new_ring, self._rate_hz, self._block = mixer, new_ring, rate_hz, block
        self._resampler = StreamResampler(RATE_HZ, rate_hz) if rate_hz != RATE_HZ else None
        self._remembered: Samples = np.zeros(REMEMBERED_FRAMES, np.float32)
        self._action: Any = None
        self._edge = Edge(rate_hz)
        self._underflows = 0
        self._stretch = Stretch(0)
        self._late_frames = self._asked_to = 0
        self.end_frame = 0  # where what was written ends

    @property
    def underflows(self) -> int:
        """How often the card itself ran dry while a stretch played."""
        action = self._action  # asked by the thread that reads the microphone: it may end meanwhile
        return self._underflows + (action.stats.output_underflows if action is not None else 0)

    def start(self) -> None:
        """Open; silence leaves."""
        self._mixer.start()

    def stop(self) -> None:
        """Close at once."""
        self._mixer.close()

    def begin(self, frame: int) -> None:
        """A new stretch, whose first sample will leave at `frame`."""
        self._end_action()
        self._sound = np.zeros(power_of_two(self._rate_hz * RING_S), np.float32)
        self._ring = self._new_ring(4, buffer=self._sound)
        self._earlier_frames = self._card_frames = 0
        self._stretch = Stretch(frame)
        self.end_frame = frame
        if self._resampler is not None:
            self._resampler.reset()

    def write(self, samples: Samples, more: bool) -> int:
        """Add to the stretch; returns the frame at which the first of them leaves. With `more` its end is kept safe."""
        if len(self._edge) and not self.joins():
            samples = after_silence(samples, RATE_HZ)
            self._edge.clear()
        start = self.end_frame
        self.end_frame += len(samples)
        self._remember(start, samples)
        made = samples if self._resampler is None else self._resampler.push(samples)
        before, made = self._edge.extend(made) if more else (self._edge.made, made)
        self._hand_over(made, before)
        return start

    def finish(self) -> None:
        """Nothing follows in this stretch: it ends as it was made, with what the resampler holds back."""
        if self.joins():
            rest = np.zeros(0, np.float32) if self._resampler is None else self._resampler.finish()
            self._hand_over(rest, self._edge.made)
        self._edge.clear()

    def joins(self) -> bool:
        """True while what is written now joins the sound before it: the callback can have none of the faded end."""
        return self.keep_going() and self._taken() + self._block <= self._card_frames - len(self._edge)

    def keep_going(self) -> bool:
        """True while the stretch plays. One that dried up as it was written to is taken up again."""
        if self._action is None:
            return False
        if self._action in self._mixer.actions:
            return True
        if not self._ring.read_available:
            return False
        self._earlier_frames += self._action.done_frames
        self._end_action()
        self._action = self._mixer.play_ringbuffer(self._ring)
        return True

    def waiting_frames(self) -> int:
        """Frames written that the card has not taken; DeviceError when it has stopped taking any."""
        if not self._mixer.active:
            raise DeviceError("the speaker has stopped", self._name, "is it plugged in?")
        return round(self._ring.read_available * RATE_HZ / self._rate_hz)

    def cut(self, fade_frames: int) -> int:
        """Fade out beyond what the callback takes next, silence the rest; returns the frames dropped."""
        start = min(self._taken() + self._block, self._card_frames)
        end = min(start + round(fade_frames * self._rate_hz / RATE_HZ), self._card_frames)
        size = len(self._sound)
        fading, silent = np.arange(start, end) % size, np.arange(end, self._card_frames) % size
        self._sound[fading] = fade_out(self._sound[fading])
        self._sound[silent] = 0.0
        self._edge.clear()
        dropped = round((self._card_frames - end) * RATE_HZ / self._rate_hz)
        self._end_action()
        self._forget(self.end_frame - dropped, dropped)
        self.end_frame -= dropped
        return dropped

    def observe(self, elapsed_frames: int) -> None:
        """Find how late the stretch is; `elapsed_frames` of the time line had passed when the card took its last block.

        It is said right after each block of the microphone. In between the count of the speaker's blocks runs a
        block ahead or not, so the least of what was seen is right.
        """
        action, stretch = self._action, self._stretch
        if action is None or not action.done_frames:
            return
        late_frames = elapsed_frames - self._played_frames(action) - stretch.start
        if self._action is action and 0 <= late_frames < LATEST_FRAMES:
            known = stretch.late_frames
            stretch.late_frames = late_frames if known is None else min(known, late_frames)

    def played(self, start: int, end: int) -> Samples:
        """What left from frame `start` to `end`, each asked for once and in order."""
        stretch = self._stretch
        if end > stretch.start and stretch.late_frames is not None:
            self._late_frames = stretch.late_frames
        start, end = start - self._late_frames, end - self._late_frames
        if min(start, self._asked_to) >= self.end_frame:  # nothing was written there: of an idle toy always
            self._asked_to = end
            return np.zeros(end - start, np.float32)
        places = np.arange(start, end) % REMEMBERED_FRAMES
        found = self._remembered[places]
        self._remembered[np.arange(min(start, self._asked_to), end) % REMEMBERED_FRAMES] = 0.0
        self._asked_to = end
        return found

    def _taken(self) -> int:
        """Frames of the stretch that the callback has."""
        return self._earlier_frames + int(self._action.done_frames)

    def _played_frames(self, action: Any) -> int:
        """The same on the time line."""
        return round((self._earlier_frames + int(action.done_frames)) * RATE_HZ / self._rate_hz)

    def _hand_over(self, samples: Samples, before: Samples) -> None:
        """Write at the card's rate; the last frames in the ring become `before`: there they were faded."""
        end = self._card_frames
        taken = self._ring.write(np.ascontiguousarray(samples, np.float32))
        assert taken == len(samples), f"{len(samples) - taken} frames beyond the speaker's ring"
        self._sound[np.arange(end - len(before), end) % len(self._sound)] = before
        self._card_frames += taken
        if self._action is None:
            self._action = self._mixer.play_ringbuffer(self._ring)
        else:
            self.keep_going()

    def _end_action(self) -> None:
        if self._action is not None:
            self._underflows += self._action.stats.output_underflows
        self._action = None

    def _remember(self, start: int, samples: Samples) -> None:
        self._remembered[np.arange(start, start + len(samples)) % REMEMBERED_FRAMES] = samples

    def _forget(self, start: int, count: int) -> None:
        self._remembered[np.arange(start, start + count) % REMEMBERED_FRAMES] = 0.0
