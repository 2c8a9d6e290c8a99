"""Durations in samples of the microphone, which has 16 kHz, and in the windows that a voice detector judges."""

from __future__ import annotations

from epsilon.engines.protocols import SAMPLE_RATE_HZ

WINDOW_FRAMES = 512  # what the voice detector judges at once: 32 ms


def frames(duration_ms: float) -> int:
    """A duration in frames."""
    return round(duration_ms * SAMPLE_RATE_HZ / 1000)


def windows(duration_ms: float) -> int:
    """A duration in frames, rounded up to whole windows."""
    return -(-frames(duration_ms) // WINDOW_FRAMES) * WINDOW_FRAMES


def ms(count: int) -> float:
    """Frames as a duration."""
    return count * 1000 / SAMPLE_RATE_HZ
