"""Text to the symbols a voice reads: ARPAbet phonemes with stress, spaces, punctuation, a pad at both ends."""

from functools import cache

from epsilon.engines.protocols import Spelt
from epsilon.engines.tts.lexicon import Lexicon
from epsilon.engines.tts.symbols import PAD, PUNCTUATION, SPACE, TOKENS, VOWELS
from epsilon.engines.wording import spoken

# Words whose first entry in the dictionary is the rarer one in talk, and sounds that no dictionary lists.
_OWN: dict[str, str] = {
    "read": "R IY1 D",
    "live": "L IH1 V",
    "lives": "L IH1 V Z",
    "use": "Y UW1 Z",
    "close": "K L OW1 S",
    "wind": "W IH1 N D",
    "tear": "T IH1 R",
    "hm": "HH AH1 M",
    "hmm": "HH AH1 M",
    "mm": "M AH1 M",
    "mmm": "M AH1 M",
    "hmph": "HH AH1 M F",
    "ooh": "UW1",
    "oooh": "UW1",
    "aah": "AA1",
    "aww": "AO1",
    "hee": "HH IY1",
    "haha": "HH AA1 HH AA1",
    "hehe": "HH EH1 HH EH1",
    "brr": "B ER1",
    "brrr": "B ER1",
    "shh": "SH SH",
    "psst": "P S T",
    "ugh": "AH1 G",
    "pff": "P F F",
    "phew": "F Y UW1",
    "huh": "HH AH1",
    "yay": "Y EY1",
    "woohoo": "W UW1 HH UW1",
    "achoo": "AH0 CH UW1",
    "zzz": "Z Z Z",
    "miz": "M IH1 Z",
    "emoji": "IH0 M OW1 JH IY0",
}
_LETTERS: dict[str, str] = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        (
            "EY1|B IY1|S IY1|D IY1|IY1|EH1 F|JH IY1|EY1 CH|AY1|JH EY1|K EY1|EH1 L|EH1 M|EH1 N|OW1|P IY1|K Y UW1|AA1 R|"
            "EH1 S|T IY1|Y UW1|V IY1|D AH1 B AH0 L Y UW1|EH1 K S|W AY1|Z IY1"
        ).split("|"),
        strict=True,
    )
)
_SOFT = frozenset("S Z SH ZH CH JH".split())
_VOICELESS = frozenset("P T K F TH".split())
_ENDINGS = {"'ll": ("AH0", "L"), "'d": ("D",), "'ve": ("V",), "'re": ("ER0",), "'m": ("M",)}
_UNTRAINED = {"OY0": "OY1", "UH0": "UH1"}  # the teacher never says these unstressed
_LONGEST_WORD = 40  # letters; a keyboard rolled over by a cat is not read out in full


@cache
def _lexicon() -> Lexicon:
    return Lexicon()


def convert(text: str) -> list[str]:
    """Symbols (of `symbols.TOKENS`) for `text`, a pad at both ends; nothing to say gives [].

    Any text is accepted. Numbers, times, money and abbreviations are read as people say them, unknown words by their
    letters. Raises ModelError if the dictionary package is not installed.
    """
    symbols: list[str] = []
    for word, mark in _words(spoken(text)):
        symbols += _joined(symbols, [_trained(sound) for sound in pronounce(word)])
        if mark and symbols and symbols[-1] not in PUNCTUATION:
            symbols.append(mark)
    return [PAD, *symbols, PAD] if symbols else []


def spell(text: str) -> Spelt:
    """As `convert`, and of each symbol the word of `text.split()` that it belongs to."""
    symbols = convert(text)
    written = text.split()
    said = [len(spoken(" ".join(written[: count + 1])).split()) for count in range(len(written))]
    words, place, number = [], 0, 0
    for symbol in symbols:
        if symbol == SPACE:
            number += 1
            place = next((at for at, count in enumerate(said) if count > number), len(written) - 1)
        words.append(place)
    return Spelt(tuple(symbols), tuple(words))


def _words(text: str) -> list[tuple[str, str]]:
    """Words (possibly empty, where marks stand alone) and the mark after each; of several marks ? and ! win."""
    found = []
    for piece in text.split(SPACE):
        word = piece.rstrip(",.?!")
        marks = piece[len(word) :]
        inner = [
            part.strip("'") for part in word.replace(",", " ").replace(".", " ").replace("?", " ").split()
        ]
        inner = [part for chunk in inner for part in chunk.split("!") if part] or [""]
        found += [(part, "") for part in inner[:-1]]
        found.append((inner[-1], next((mark for mark in "?!.," if mark in marks), "")))
    return found


def _joined(before: list[str], sounds: list[str]) -> list[str]:
    """`sounds` with what goes between them and the symbols before; 'the' becomes 'thee' before a vowel."""
    if not sounds or not before:
        return sounds
    if before[-2:] == ["DH", "AH0"] and before[-3:-2] in ([], [SPACE]) and sounds[0][:-1] in VOWELS:
        before[-1] = "IY0"
    return sounds if before[-1] in PUNCTUATION else [SPACE, *sounds]


def _trained(sound: str) -> str:
    """A dictionary phoneme as the voice knows it: two degrees of stress instead of three."""
    if sound[:2] in VOWELS:
        sound = sound[:2] + ("0" if sound[2:] in ("", "0") else "1")
    return _UNTRAINED.get(sound, sound)


def pronounce(word: str) -> tuple[str, ...]:
    """Dictionary phonemes of one lower-case word; () for an empty one."""
    word = word[:_LONGEST_WORD]
    if not word:
        return ()
    if word in _OWN:
        return tuple(_OWN[word].split())
    lexicon = _lexicon()
    return lexicon.find(word) or _inflected(word) or _unknown(word.replace("'", ""))


def _inflected(word: str) -> tuple[str, ...] | None:
    """A known word with an ending in apostrophe, or a plain plural."""
    lexicon = _lexicon()
    for ending, sounds in _ENDINGS.items():
        stem = lexicon.find(word.removesuffix(ending)) if word.endswith(ending) else None
        if stem:
            return stem + sounds
    if word.endswith("s") and not word.endswith("ss"):
        stem = lexicon.find(word.removesuffix("s").rstrip("'"))
        if stem:
            return stem + _plural(stem[-1])
    return None


def _plural(last: str) -> tuple[str, ...]:
    if last in _SOFT:
        return ("IH0", "Z")
    return ("S",) if last in _VOICELESS else ("Z",)


def _unknown(word: str) -> tuple[str, ...]:
    """Letter by letter where no one could read it as a word, else as it is spelt."""
    if len(word) == 1 or (len(word) <= 5 and not set(word) & set("aeiouy")):
        return tuple(sound for letter in word for sound in _LETTERS[letter].split())
    return _lexicon().guess(word) if word else ()


assert set(_UNTRAINED.values()) <= set(TOKENS)
