"""ARPAbet to the IPA that Kokoro reads, as misaki writes American English (stress before the vowel, A I O W Y).

The ids and the spelling are those of hexgrad's Kokoro-82M and misaki (Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from epsilon.engines.protocols import Spelt
from epsilon.engines.tts.symbols import PAD, PUNCTUATION, SPACE

# What the voice knows, from the id of the first of each row on.
_ROWS: dict[int, str] = {
    0: PAD,
    1: ";:,.!?",
    9: '—…"()“” \u0303ʣʥʦʨᵝꭧAI',
    31: "O",
    33: "Q",
    35: "ST",
    39: "W",
    41: "Yᵊabcdef",
    50: "hijklmnopqrstuvwxyzɑɐɒæ",
    75: "βɔɕç",
    80: "ɖðʤə",
    85: "ɚɛɜ",
    90: "ɟ",
    92: "ɡ",
    99: "ɥ",
    101: "ɨɪʝ",
    110: "ɯɰŋɳɲɴø",
    118: "ɸθœ",
    123: "ɹ",
    125: "ɾɻ",
    128: "ʁɽʂʃʈʧ",
    135: "ʊʋ",
    138: "ʌɣɤ",
    142: "χʎ",
    147: "ʒʔ",
    156: "ˈˌː",
    162: "ʰ",
    164: "ʲ",
    169: "↓",
    171: "→↗↘",
    177: "ᵻ",
}
IDS: dict[str, int] = {
    symbol: first + place for first, row in _ROWS.items() for place, symbol in enumerate(row)
}
"""The id of each of Kokoro's symbols."""

_VOWELS = dict(
    zip(
        "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split(),
        "ɑ æ ʌ ɔ W I ɛ ɜɹ A ɪ i O Y ʊ u".split(),
        strict=True,
    )
)
_UNSTRESSED = _VOWELS | {"AH": "ə", "ER": "əɹ"}
_CONSONANTS = dict(
    zip(
        "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split(),
        "b ʧ d ð f ɡ h ʤ k l m n ŋ p ɹ s ʃ t θ v w j z ʒ".split(),
        strict=True,
    )
)
_LIGHT = frozenset(
    (
        "am and are as at be been by can could for from get got had has have he her hers his if in is it its my of or "
        "she than that the their there these they this those through to was we were will with would ya you your"
    ).split()
)
_QUOTES = ",.?!;:\"()“”’'"
_STRESSES = {"1": "ˈ", "2": "ˌ"}


def from_arpabet(spelt: Spelt, text: str) -> Spelt:
    """The same phrase in Kokoro's symbols, each with its word of `text`; what Kokoro cannot say is left out."""
    symbols: list[str] = []
    words: list[int] = []
    written = [word.strip(_QUOTES).lower() for word in text.split()]
    for place, sounds in enumerate(_in_ipa(spelt.symbols)):
        word = spelt.words[place]
        known = [symbol for symbol in _lightly(sounds, written[word]) if symbol in IDS]
        if symbols and symbols[-1] in PUNCTUATION and _is_sound(spelt.symbols[place]):
            known.insert(0, SPACE)
        symbols += known
        words += [word] * len(known)
    return Spelt(tuple(symbols), tuple(words))


def _lightly(sounds: str, word: str) -> str:
    """Without stress in the small words that carry none; the article's own vowel."""
    if word in ("a", "an"):
        return sounds.replace("ə", "ɐ")
    return sounds.lstrip("ˈˌ") if word in _LIGHT else sounds


def _in_ipa(symbols: Sequence[str]) -> Iterator[str]:
    """What each symbol becomes; some become nothing, because the one before has swallowed them."""
    for place, symbol in enumerate(symbols):
        before, after, then = (_at(symbols, place + step) for step in (-1, 1, 2))
        if symbol == "T" and _glottal(before, after, then):
            yield "ʔ"
        elif symbol == "T" and _flapped(before, after):
            yield "ɾ"
        elif symbol == "AH0" and before == "T" and _glottal(_at(symbols, place - 2), symbol, after):
            yield ""
        elif symbol == "AH0" and after == "L" and not _is_sound(then):
            yield "ᵊ"
        else:
            yield _plain(symbol)


def _plain(symbol: str) -> str:
    """A symbol by itself; marks stay what they are."""
    vowel, stress = symbol[:2], symbol[2:]
    if symbol in _CONSONANTS:
        return _CONSONANTS[symbol]
    if vowel in _VOWELS:
        return _STRESSES[stress] + _VOWELS[vowel] if stress in _STRESSES else _UNSTRESSED[vowel]
    return symbol


def _flapped(before: str, after: str) -> bool:
    """The t of 'water' and 'party': after a vowel or r, before an unstressed vowel."""
    return (_is_vowel(before) or before == "R") and _is_vowel(after) and after[2:] not in _STRESSES


def _glottal(before: str, after: str, then: str) -> bool:
    """The t of 'button', of which the vowel is not heard."""
    return _is_vowel(before) and after == "AH0" and then == "N"


def _at(symbols: Sequence[str], place: int) -> str:
    """The symbol there; outside the phrase there are spaces."""
    return symbols[place] if 0 <= place < len(symbols) else SPACE


def _is_vowel(symbol: str) -> bool:
    return symbol[:2] in _VOWELS and symbol not in _CONSONANTS


def _is_sound(symbol: str) -> bool:
    return symbol in _CONSONANTS or _is_vowel(symbol)
