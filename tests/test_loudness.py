"""Everything that a shipped character says leaves equally loud: replies, recorded openers, the line for trouble.

Loudness is ITU-R BS.1770's (epsilon/dsp/level.py), with the character's effects on. A reply is within 1.5 dB of
SPEECH_LUFS and so is what was recorded; single phrases of a few words differ by more than that, as people's do: an
exclamation is louder than an aside.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from epsilon.config import folders
from epsilon.config.board import load_board
from epsilon.config.character import Character, load_character
from epsilon.dsp.level import SPEECH_LUFS, loudness
from epsilon.last_words import trouble_line
from epsilon.messages import Message, Sound, Token
from epsilon.opener_clips import read_clips
from epsilon.ring import Samples
from epsilon.stages.effects import Effects
from epsilon.stages.phrases import Phrases
from epsilon.stages.tts import Tts
from epsilon.toy import load_effects, load_engine
from epsilon.turn import Mark
from tests.rig import place

RATE_HZ = 16_000
REPLY_DB, PHRASE_DB = 1.5, 3.0
REPLIES = (
    "Every puddle is a tiny sea, with a whole sky in it. Would you like to look?",
    "I keep seven spoons in a drawer, and nobody touches them. Nobody at all, not even on a Tuesday.",
    "Once there was a tree that wanted to walk! It took one step, and then it was tired for a hundred years.",
    "Hm, let me think. Soup, bread, a warm blanket and somebody who listens.",
)


@pytest.fixture(scope="module", params=folders.character_names())
def speaker(request: pytest.FixtureRequest) -> Speaker:
    return Speaker(load_character(request.param))


class Speaker:
    """A character's way from text to the card."""

    def __init__(self, character: Character) -> None:
        self.character = character
        self.phrases = Phrases(place(), character.voice.moods)
        self.tts = Tts(place(), load_engine(load_board("host"), "tts"), character.voice)
        self.effects = Effects(place(), load_effects(character))
        self.turn = 0

    def says(self, text: str, clip: Samples | None = None) -> list[Samples]:
        """The phrases of a reply, as they leave."""
        self.turn += 1
        found: dict[int, list[Samples]] = {}
        for sound in self._sounds(Token(Mark(self.turn, 0), text, last=clip is None, clip=clip)):
            found.setdefault(sound.index, []).append(sound.samples)
        return [np.concatenate(pieces) for pieces in found.values()]

    def _sounds(self, token: Token) -> Iterator[Sound]:
        for phrase in self.phrases.work(token):
            for chunk in self.tts.work(phrase):
                yield from map(sound_of, self.effects.work(chunk))


def sound_of(message: Message) -> Sound:
    assert isinstance(message, Sound)
    return message


@pytest.mark.parametrize("text", REPLIES, ids=lambda text: text.split()[0])
def test_every_reply_is_as_loud_as_any_other(speaker: Speaker, text: str) -> None:
    phrases = speaker.says(text)
    reply = np.concatenate(phrases)
    assert loudness(reply, RATE_HZ) == pytest.approx(SPEECH_LUFS, abs=REPLY_DB)
    for phrase in phrases:
        if np.abs(phrase).max(initial=0) > 0.01:
            assert loudness(phrase, RATE_HZ) == pytest.approx(loudness(reply, RATE_HZ), abs=PHRASE_DB)
    assert np.abs(reply).max() < 1, "it clips"


def test_what_is_recorded_is_as_loud_as_what_is_spoken(speaker: Speaker) -> None:
    recorded = {
        text: np.concatenate(speaker.says(text, clip)) for text, clip in read_clips(speaker.character).items()
    }
    recorded["trouble"] = trouble_line(speaker.character)
    for text, samples in recorded.items():
        assert loudness(samples, RATE_HZ) == pytest.approx(SPEECH_LUFS, abs=REPLY_DB), text
        assert np.abs(samples).max() < 1, f"{text} clips"
