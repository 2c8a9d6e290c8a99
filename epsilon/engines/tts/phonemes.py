"""Text to the symbols a voice reads: ARPAbet phonemes with stress, spaces, punctuation, a pad at both ends."""

from __future__ import annotations

from collections.abc import Sequence

from epsilon.engines.protocols import Spelt
from epsilon.engines.tts.heteronyms import meant
from epsilon.engines.tts.pronunciation import Sounds, pronounce
from epsilon.engines.tts.symbols import PAD, SPACE, VOWELS
from epsilon.engines.tts.tunes import falling
from epsilon.engines.wording import Said, say

__all__ = ["convert", "pronounce", "spell"]

_UNTRAINED = {"OY0": "OY1", "UH0": "UH1"}  # the teacher never says these unstressed
_STOP, _OPEN = ".", ","


def convert(text: str, more: bool = False) -> list[str]:
    """The symbols of `spell`."""
    return list(spell(text, more).symbols)


def spell(text: str, more: bool = False, marks_alone: bool = False) -> Spelt:
    """Symbols (of `symbols.TOKENS`) for `text`, a pad at both ends; nothing to say gives none.

    Any text is accepted. Numbers, times, money and abbreviations are read as people say them, unknown words by their
    letters. With `more` the sentence goes on in the next phrase: a comma at the end stays one and nothing is put
    there, so that the voice stays up. Without it the voice falls: what has no mark, or only a comma, gets a full stop.
    With `marks_alone` a question that falls gets one too (see tunes.py), for a voice that knows nothing of words.

    Of each symbol it is said to which word of `text.split()` it belongs; what lies between two words (a space, a
    mark) belongs to the later one, so that a word ends with its last sound. Raises ModelError if the dictionary
    package is not installed.
    """
    said = [word for word in say(text) if word.word.strip("'")]
    if not said:
        return Spelt()
    said = falling(said) if marks_alone else said
    sounds = [_trained(heard) for heard in _pronounced(said)]
    symbols, words = [PAD], [said[0].place]
    for place, word in enumerate(said):
        if place:
            between = said[place - 1].mark or SPACE
            symbols.append(between)
            words.append(word.place)
        symbols += sounds[place]
        words += [word.place] * len(sounds[place])
    end = _end(said[-1].mark, more)
    symbols += [*end, PAD]
    words += [said[-1].place] * (len(end) + 1)
    return Spelt(tuple(symbols), tuple(words))


def _end(mark: str, more: bool) -> Sequence[str]:
    """The mark at the end of a phrase, if any."""
    if not more and mark in ("", _OPEN):
        return (_STOP,)
    return (mark,) if mark else ()


def _pronounced(said: Sequence[Said]) -> list[Sounds]:
    """The sounds of each word, as its neighbours make it sound."""
    plain = [word.word.lower() for word in said]
    sounds = []
    for at, word in enumerate(said):
        chosen = meant(plain, at) if word.word.islower() else None
        sounds.append(tuple(chosen.split()) if chosen else pronounce(word.word))
    for at, written in enumerate(plain):
        following = sounds[at + 1][0] if at + 1 < len(said) and not said[at].mark else ""
        begins = at == 0 or said[at - 1].mark != ""
        sounds[at] = _weak(written, following, begins) or sounds[at]
    return sounds


def _weak(word: str, following: str, begins: bool) -> Sounds | None:
    """`the` and `to` before another word of their clause (thee apple, t' the shop), `and` where it begins one."""
    vowel = following[:-1] in VOWELS
    if word == "the":
        return ("DH", "IY0" if vowel else "AH0")
    if word == "and" and begins:
        return ("AE1", "N", "D")
    if word == "to" and following:
        return ("T", "UW0" if vowel else "AH0")
    return None


def _trained(sounds: Sounds) -> list[str]:
    """Dictionary phonemes as the voice knows them: two degrees of stress instead of three."""
    known = []
    for sound in sounds:
        if sound[:2] in VOWELS:
            sound = sound[:2] + ("0" if sound[2:] in ("", "0") else "1")
        known.append(_UNTRAINED.get(sound, sound))
    return known
