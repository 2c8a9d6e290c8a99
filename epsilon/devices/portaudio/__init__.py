"""A sound card through PortAudio, with rtmixer's callback: native code and native rings, both ways.

Nothing between the card and the rings needs Python: while another thread holds the interpreter, the
microphone goes on filling its ring and the speaker goes on emptying its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from epsilon.clock import Clock
from epsilon.config.board import Audio
from epsilon.devices import CardCounts
from epsilon.devices.portaudio.cards import Devices, choose_rate, find_card, libraries
from epsilon.devices.portaudio.microphone import Microphone
from epsilon.devices.portaudio.speaker import Speaker
from epsilon.errors import DeviceError
from epsilon.ring import SampleRing, Samples

RATE_HZ = 16_000
REFERENCE_FRAMES = 8 * RATE_HZ
LATENCY_S = 0.03  # asked of the card, each way


class PortAudioCard:
    """One microphone and one speaker, mono, 16 kHz to the toy at whatever rate the card has."""

    hears_itself, gone = True, False  # one that goes raises, see epsilon.devices.lasting

    def __init__(self, audio: Audio, clock: Clock) -> None:
        self.clock = clock
        self.block_frames = round(RATE_HZ * audio.block_ms / 1000)
        self.lead_frames = round(RATE_HZ * audio.lead_ms / 1000)
        self.reference = SampleRing(REFERENCE_FRAMES)
        self.counts = CardCounts()
        self.devices: Devices = find_card(audio.card)
        self.rate_hz = choose_rate(self.devices, audio.rate_hz)
        self._open = self._in_reply = self._wrote_in_reply = False
        self._read_frames = self._gaps = 0

    def start(self) -> None:
        _, rtmixer = libraries()
        block = round(self.rate_hz * self.block_frames / RATE_HZ)
        settings = {"channels": 1, "samplerate": self.rate_hz, "blocksize": block, "latency": LATENCY_S}
        name = self.devices.name
        with _refusals("the card does not open", name), contextlib.ExitStack() as opened:
            recorder = rtmixer.Recorder(device=self.devices.input, **settings)
            opened.callback(recorder.close)  # or its callback would write to what Python has given away
            mixer = rtmixer.Mixer(device=self.devices.output, **settings)
            opened.callback(mixer.close)
            self._speaker = Speaker(mixer, rtmixer.RingBuffer, self.rate_hz, block, name)
            self._microphone = Microphone(recorder, rtmixer.RingBuffer, self.rate_hz, self.clock, name)
            self._round_trip_frames = round((recorder.latency + mixer.latency) * RATE_HZ) - self.block_frames
            self._speaker.start()
            self._microphone.start()
            opened.pop_all()
            self._open = True

    def stop(self) -> None:
        if self._open:
            self._microphone.stop()
            self._speaker.stop()

    def read(self) -> Samples | None:
        block = self._microphone.read(self.block_frames)
        if block is not None:
            self._speaker.observe(self._microphone.recorded + self._round_trip_frames)
            end = self._read_frames + self.block_frames
            self.reference.write(self._speaker.played(self._read_frames, end))
            self._read_frames = end
            self._count()
        return block

    def write(self, samples: Samples) -> int:
        self._gaps += self._wrote_in_reply and not self._speaker.joins()
        self._wrote_in_reply = self._in_reply
        if not self._speaker.keep_going():
            self._speaker.begin(self._microphone.recorded + self._round_trip_frames)
        self._count()
        return self._speaker.write(samples, more=self._in_reply)

    def room(self) -> int:
        return (
            max(0, self.lead_frames - self._speaker.waiting_frames())
            if self._speaker.keep_going()
            else self.lead_frames
        )

    def pending(self) -> int:
        self._speaker.keep_going()
        return max(0, self._speaker.end_frame - self.left())

    def left(self) -> int:
        return self._microphone.now_frame()

    def cut(self, fade_ms: float) -> int:
        dropped = self._speaker.cut(round(fade_ms * RATE_HZ / 1000)) if self._speaker.keep_going() else 0
        self._in_reply = self._wrote_in_reply = False
        return dropped

    def begin_phrase(self) -> None:
        self._in_reply, self._wrote_in_reply = True, False

    def end_reply(self) -> None:
        if self._wrote_in_reply:
            self._speaker.finish()
        self._in_reply = self._wrote_in_reply = False

    def time_of(self, frame: int) -> float:
        return self._microphone.time_of(frame)

    def _count(self) -> None:
        """Gaps in phrases count whether Python was late with the next sound or the card ran dry itself."""
        self.counts.overruns = self._microphone.overruns
        self.counts.underruns = self._gaps + self._speaker.underflows


@contextlib.contextmanager
def _refusals(what: str, name: str = "") -> Iterator[None]:
    """What PortAudio refuses, as DeviceError."""
    sounddevice, _ = libraries()
    try:
        yield
    except sounddevice.PortAudioError as refusal:
        raise DeviceError(f"{what}: {refusal}", name) from refusal


def rescan() -> None:
    """Look for cards anew: PortAudio's list is made when it starts. No card may be open."""
    sounddevice, _ = libraries()
    with _refusals("cards cannot be looked for"):
        if sounddevice._initialized:  # not after a search that failed
            sounddevice._terminate()
        sounddevice._initialize()


def load(audio: Audio, clock: Clock) -> PortAudioCard:
    """The card of a board that says `device: portaudio, card: NAME`."""
    return PortAudioCard(audio, clock)
