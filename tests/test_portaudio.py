"""PortAudio at its edges: a card that opens by half, or refuses in the middle, is closed again and said."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from epsilon.clock import ManualClock
from epsilon.devices import portaudio
from epsilon.devices.portaudio import PortAudioCard, cards
from epsilon.errors import DeviceError
from tests.desks import audio


class Refusal(Exception):
    """What stands for sounddevice.PortAudioError."""


class Stream:
    """A recorder or mixer that gives nothing; `starts` may refuse."""

    latency, active = 0.01, True

    def __init__(self, starts: Callable[[], None]) -> None:
        self.start, self.closed = starts, False
        self.actions: list[object] = []

    def record_ringbuffer(self, ring: object) -> Any:
        return SimpleNamespace(done_frames=0, stats=SimpleNamespace(input_overflows=0))

    def close(self) -> None:
        self.closed = True


class Silent:
    """A ring that never holds anything."""

    read_available = 0

    def __init__(self, size: int, buffer: np.ndarray) -> None: ...


class Library:
    """sounddevice and rtmixer with one card; `refuse` names the calls that fail."""

    PortAudioError = Refusal
    default = SimpleNamespace(device=(0, 0))
    RingBuffer = Silent

    def __init__(self, *refuse: str) -> None:
        self.refuse, self.streams, self._initialized = set(refuse), list[Stream](), 1

    def ask(self, what: str) -> None:
        if what in self.refuse:
            raise Refusal(what)

    def query_devices(self, number: int | None = None) -> Any:
        return [{"name": "toy", "max_input_channels": 1, "max_output_channels": 1}]

    def check_input_settings(self, *given: object, **named: object) -> None: ...

    check_output_settings = check_input_settings

    def _stream(self, what: str) -> Stream:
        self.ask(what)
        self.streams.append(Stream(lambda: self.ask(f"start {what}")))
        return self.streams[-1]

    def Recorder(self, **settings: object) -> Stream:
        return self._stream("recorder")

    def Mixer(self, **settings: object) -> Stream:
        return self._stream("mixer")

    def _terminate(self) -> None:
        if not self._initialized:
            raise Refusal("not initialized")
        self._initialized -= 1

    def _initialize(self) -> None:
        self.ask("initialize")
        self._initialized += 1


@pytest.fixture
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library(*getattr(request, "param", ()))
    for module in (portaudio, cards):
        monkeypatch.setattr(module, "libraries", lambda: (made, made))
    return made


class Hasty(ManualClock):
    """Whoever sleeps wakes at once, at that time."""

    def sleep_until(self, time_s: float) -> None:
        self.advance_to(time_s)


def card() -> PortAudioCard:
    return PortAudioCard(audio("portaudio", "default"), Hasty())


@pytest.mark.parametrize(
    "library", [["recorder"], ["mixer"], ["start mixer"], ["start recorder"], []], indirect=True
)
def test_a_card_that_does_not_open_is_closed_again_and_said(library: Library) -> None:
    """A native callback must not run on while Python forgets what it writes to."""
    made = card()
    with pytest.raises(DeviceError, match=r"does not open|gave no sound"):
        made.start()
    assert all(stream.closed for stream in library.streams)
    made.stop()


def test_after_a_search_that_failed_the_next_one_searches(library: Library) -> None:
    library.refuse = {"initialize"}
    for _ in range(2):
        with pytest.raises(DeviceError, match="initialize"):
            portaudio.rescan()
    library.refuse = set()
    portaudio.rescan()
    assert library._initialized == 1
