"""Which of the machine's sound cards a board means, and at what rate it runs."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from epsilon.errors import DeviceError, nearest

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Devices:
    """PortAudio's numbers of a microphone and a speaker, which are often one card."""

    name: str
    input: int
    output: int


def libraries() -> tuple[ModuleType, ModuleType]:
    """sounddevice and rtmixer, loaded only when a card is wanted: a recording needs neither."""
    try:
        return importlib.import_module("sounddevice"), importlib.import_module("rtmixer")
    except OSError as refusal:
        raise DeviceError(
            f"PortAudio cannot be loaded: {refusal}", hint="on Debian and Ubuntu: apt install libportaudio2"
        ) from refusal


def find_card(name: str) -> Devices:
    """The card whose name contains `name`, without regard to case; 'default' is the system's choice."""
    sounddevice, _ = libraries()
    found: list[dict[str, Any]] = list(sounddevice.query_devices())
    if name == DEFAULT:
        chosen = tuple(sounddevice.default.device)
    else:
        chosen = (_number(found, name, "max_input_channels"), _number(found, name, "max_output_channels"))
    for number, what in zip(chosen, ("microphone", "speaker"), strict=True):
        if not 0 <= number < len(found):
            raise DeviceError(f"no {what} '{name}' among the sound cards{_listed(found, name)}")
    return Devices(name, chosen[0], chosen[1])


def choose_rate(devices: Devices, wished_hz: int) -> int:
    """The wished rate if both ends take it, else the speaker's own."""
    sounddevice, _ = libraries()
    try:
        sounddevice.check_input_settings(devices.input, channels=1, samplerate=wished_hz)
        sounddevice.check_output_settings(devices.output, channels=1, samplerate=wished_hz)
    except sounddevice.PortAudioError:
        return round(sounddevice.query_devices(devices.output)["default_samplerate"])
    return wished_hz


def _number(found: list[dict[str, Any]], name: str, channels: str) -> int:
    for number, device in enumerate(found):
        if device[channels] and name.casefold() in device["name"].casefold():
            return number
    return -1


def _listed(found: list[dict[str, Any]], name: str) -> str:
    if not found:
        return "; there are none: is a card plugged in, and may this user open it (group audio)?"
    return nearest(name, {device["name"] for device in found} | {DEFAULT})
