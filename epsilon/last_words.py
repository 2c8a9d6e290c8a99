"""What the toy says when something in it broke: a stored sound, so that no engine is needed to say it."""

from __future__ import annotations

from epsilon.audio_files import read_audio, write_wav
from epsilon.clock import Clock
from epsilon.config.character import Character
from epsilon.devices import Card
from epsilon.engines.protocols import SAMPLE_RATE_HZ
from epsilon.ring import Samples
from epsilon.stages.playback import FADE_MS

TROUBLE = (
    "trouble.wav"  # in the character's folder; `python -m tools.lines` records it in the character's voice
)


def trouble_line(character: Character) -> Samples:
    """The character's line for trouble, samples [n]; read at start: later the disk may be broken."""
    return read_audio(character.path.parent / TROUBLE)


def store_trouble_line(character: Character, samples: Samples) -> None:
    """Put the line where `trouble_line` finds it."""
    write_wav(character.path.parent / TROUBLE, samples)


def play(samples: Samples, card: Card, clock: Clock) -> None:
    """Say it on the card, instead of whatever it is playing, and return when it has left."""
    card.cut(FADE_MS)
    while len(samples):
        taken = min(card.room(), len(samples))
        if taken:
            card.write(samples[:taken])
        samples = samples[taken:]
        clock.sleep_until(clock.now() + card.block_frames / SAMPLE_RATE_HZ)
    clock.sleep_until(clock.now() + card.pending() / SAMPLE_RATE_HZ)
