"""A character file: who lives in the toy, how they talk, and how they sound."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from epsilon.config import folders
from epsilon.config.document import Problems, Table, nowhere, read
from epsilon.config.fields import read_table, setting
from epsilon.errors import ConfigError, nearest

PERSONA_WORDS = 80  # they stand before every conversation: more leave no room in a small context
HANDS_FREE, PUSH_TO_TALK, BY_NAME = LISTEN = ("hands_free", "push_to_talk", "by_name")
MOOD_NAME = r"[A-Za-z][\w-]*"  # between < and > it is a tag in the text


@dataclass(frozen=True)
class Sampling:
    """How the next word is chosen."""

    temperature: float = setting("0 always takes the likeliest word", 0.7, low=0, high=2)
    top_p: float = setting("only words that together have this probability", 0.9, low=0.01, high=1)
    min_p: float = setting("no word less likely than this share of the likeliest", 0.05, low=0, high=1)
    repetition: float = setting("above 1 words already said become less likely", 1.1, low=1, high=2)
    seed: int = setting("the same seed gives the same answers", 0, low=0, high=2**31 - 1)
    bias: dict[str, float] = setting(
        "what is added to the score of a word, sign or mark such as <silent>", dict, low=-100, high=100
    )
    banned: tuple[str, ...] = setting("words that no answer contains", ())
    spoken_ms: float = setting(
        "an answer ends with the sentence in which it has been spoken so long",
        12_000.0,
        low=500,
        high=120_000,
    )
    max_words: int = setting("an answer ends with the sentence that passes this", 40, low=3, high=300)


@dataclass(frozen=True)
class Mood:
    """How a phrase in a mood differs from the character's usual way."""

    speed: float = setting("times the usual pace", 1.0, low=0.5, high=2)
    pitch: float = setting("semitones above the usual pitch", 0.0, low=-6, high=6)


@dataclass(frozen=True)
class VoiceSettings:
    """How the character sounds before the effects."""

    style: str = setting("a style of the voice model")
    speed: float = setting("1 is the voice's own pace", 1.0, low=0.5, high=2)
    pitch: float = setting("semitones above the voice's own pitch", 0.0, low=-6, high=6)
    moods: dict[str, Mood] = setting(
        "what the text may ask for by a tag before a sentence: <sad> Oh no.", dict
    )


@dataclass(frozen=True)
class EffectSettings:
    """One effect of the chain."""

    name: str = setting("a module of epsilon/effects")
    options: Table = setting("the effect's own settings, listed below", nowhere)


@dataclass(frozen=True)
class Idle:
    """What the character says by itself when nothing is said. After a goodbye it waits to be spoken to."""

    after_ms: float = setting("of quiet, before it begins", 25_000.0, low=1_000, high=3_600_000)
    cooldown_ms: float = setting("between two remarks", 60_000.0, low=1_000, high=3_600_000)
    most: int = setting("remarks in a row that nobody answers", 3, low=0, high=100)
    lines: tuple[str, ...] = setting("its remarks", ())


@dataclass(frozen=True)
class Attention:
    """Small noises that show the character is there; `make lines` records them. A board turns them off."""

    fillers: tuple[str, ...] = setting("said when an answer will be late", ())
    murmurs: tuple[str, ...] = setting("said softly in the pauses of a long story", ())


@dataclass(frozen=True)
class Lines:
    """What is said without thinking, spoken from stored sound."""

    trouble: str = setting("when something broke")
    low_battery: str = setting("when the battery is nearly empty")
    goodbye: str = setting("when it is switched off")
    hot: str = setting("when it is too warm to think as fast as usual; none: nothing", "")


@dataclass(frozen=True)
class Character:
    """A character, read from characters/<name>/character.yaml."""

    name: str
    path: Path
    summary: str = setting("the character in one line, for people")
    persona: str = setting("the text that stands before every conversation, for the model")
    voice: VoiceSettings = setting("how the character sounds")
    lines: Lines = setting("what is said without thinking")
    temper: str = setting("the mood everything is said in, for people", "")
    beliefs: tuple[str, ...] = setting("what the character holds true, for whoever writes its dialogues", ())
    habits: tuple[str, ...] = setting("what it does and cannot help, for the same", ())
    openers: tuple[str, ...] = setting(
        "how its answers like to begin; `make lines` records them, to sound before the rest is thought", ()
    )
    listen: str | None = setting("what is for the toy, where it differs from the board's `turn.listen`", None)
    attention: Attention = setting("small noises that show it is there", Attention)
    idle: Idle = setting("what it says by itself", Idle)
    sampling: Sampling = setting("how the next word is chosen", Sampling)
    effects: tuple[EffectSettings, ...] = setting("the chain from voice to speaker, in order", ())
    where: Table = field(default_factory=nowhere, repr=False, compare=False)


def load_character(name: str) -> Character:
    """The character of that name. ConfigError lists everything wrong with its file."""
    known = folders.character_names()
    if name not in known:
        raise ConfigError(f"no character '{name}'{nearest(name, known)}")
    path = folders.root() / "characters" / name / "character.yaml"
    problems = Problems()
    table = read(path, problems)
    character = read_table(Character, table, problems, given={"name": name, "path": path, "where": table})
    problems.raise_if_any()
    _check(character, problems)
    problems.raise_if_any()
    return character


def _check(character: Character, problems: Problems) -> None:
    words = len(character.persona.split())
    if words > PERSONA_WORDS:
        where = character.where.place("persona")
        problems.add(f"the persona has {words} words; at most {PERSONA_WORDS} fit the model's context", where)
    if character.listen is not None and character.listen not in LISTEN:
        where = character.where.place("listen")
        problems.add(f"no such choice '{character.listen}'; there are: {', '.join(LISTEN)}", where)
    for mood in character.voice.moods:
        if not re.fullmatch(MOOD_NAME, mood):
            where = character.where.place("voice", "moods", mood)
            problems.add(
                f"no tag can ask for the mood '{mood}'", where, "letters, digits, - and _, a letter first"
            )
