"""Speak a text in a character's voice into a WAV file: the toy's voice alone, as a reply is spoken.

The text may hold tags of the character's moods: "<sad> Oh no. That was my soup."
"""

from __future__ import annotations

import argparse
import io
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from epsilon.config.board import Board, load_board
from epsilon.config.character import Character, VoiceSettings, load_character
from epsilon.config.fields import spec_of
from epsilon.config.whole import check_pair, styles_of
from epsilon.errors import AudioFileError, EpsilonError, nearest

if TYPE_CHECKING:
    from epsilon.ring import Samples

STANDARD_OUTPUT = "-"
RATE_HZ = 16_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is said, by whom, how, and where the sound goes."""
    parser.add_argument("text", nargs="?", default="", help="what to say")
    parser.add_argument(
        "-o", "--out", metavar="FILE.wav", help="where the sound goes; - is standard output, for a pipe"
    )
    parser.add_argument("--board", default="host", help="whose voice model is used (default: host)")
    parser.add_argument("--character", help="who speaks (default: the board's own character)")
    parser.add_argument("--style", help="any style of the voice model, instead of the character's")
    parser.add_argument("--speed", type=float, help="instead of the character's; 1 is the voice's own pace")
    parser.add_argument(
        "--pitch", type=float, help="semitones above the voice's own, instead of the character's"
    )
    parser.add_argument("--mood", default="", help="a mood of the character, where the text has no tag")
    parser.add_argument("--dry", action="store_true", help="without the character's effects")
    parser.add_argument("--list", action="store_true", help="list styles, moods and effects, and say nothing")


def run(chosen: argparse.Namespace) -> int:
    """Writes the file whole or not at all."""
    board = load_board(chosen.board)
    character = load_character(chosen.character or board.character)
    check_pair(board, character)
    if chosen.list:
        print("\n".join(_listed(board, character)))
        return 0
    if not chosen.text.strip():
        raise EpsilonError("there is nothing to say: the text is empty")
    if not chosen.out:
        raise EpsilonError("it is not said where the sound goes", hint="-o FILE.wav")
    character = _changed(board, character, chosen)
    from epsilon.organs import Voice

    samples = Voice(board, character, wet=not chosen.dry).say(chosen.text, chosen.mood)
    if not samples.any():
        raise EpsilonError("there is nothing to say: nothing in the text has a sound")
    _write(chosen.out, samples)
    return 0


def _changed(board: Board, character: Character, chosen: argparse.Namespace) -> Character:
    """The character with what was asked for; EpsilonError for what it or its voice model does not have."""
    asked = {key: value for key in ("style", "speed", "pitch") if (value := getattr(chosen, key)) is not None}
    styles = _styles(board)
    if chosen.style is not None and chosen.style not in styles:
        raise EpsilonError(f"no style '{chosen.style}'{nearest(chosen.style, styles)}")
    if chosen.mood and chosen.mood not in character.voice.moods:
        raise EpsilonError(
            f"{character.name} has no mood '{chosen.mood}'{nearest(chosen.mood, character.voice.moods)}"
        )
    for field in fields(VoiceSettings):
        spec = spec_of(field)
        if field.name in asked and spec.low is not None and spec.high is not None:
            _check_range(field.name, asked[field.name], spec.low, spec.high)
    voice = replace(character.voice, **asked)
    return replace(character, voice=voice)


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise EpsilonError(f"{name} should be from {low:g} to {high:g}, not {value:g}")


def _styles(board: Board) -> list[str]:
    model = board.stages["tts"].model
    return styles_of(model) if model else []


def _listed(board: Board, character: Character) -> list[str]:
    """What there is to choose from, a kind a line."""
    voice = character.voice
    moods = [f"{name} (speed {mood.speed:g}, pitch {mood.pitch:+g})" for name, mood in voice.moods.items()]
    effects = [effect.name for effect in character.effects]
    return [
        f"styles of {board.stages['tts'].model}: {', '.join(_styles(board))}",
        f"{character.name}: style {voice.style}, speed {voice.speed:g}, pitch {voice.pitch:+g}",
        f"moods of {character.name}: {', '.join(moods) or 'none'}",
        f"effects of {character.name}: {' → '.join(effects) or 'none'}",
    ]


def _write(out: str, samples: Samples) -> None:
    from epsilon.audio_files import write_wav

    if out == STANDARD_OUTPUT:
        _pipe(samples)
        return
    write_wav(Path(out), samples)
    print(f"{out}: {len(samples) / RATE_HZ:.2f} s", file=sys.stderr)


def _pipe(samples: Samples) -> None:
    """The file to standard output; AudioFileError where that takes nothing, but a reader that is gone ends all."""
    import soundfile

    whole = io.BytesIO()  # a WAV file begins with its length, and a pipe cannot be gone back in
    soundfile.write(whole, samples.clip(-1, 1), RATE_HZ, subtype="PCM_16", format="WAV")
    where = "standard output"
    if not sys.stdout:
        raise AudioFileError("cannot be written: it is closed", where)
    try:
        sys.stdout.buffer.write(whole.getvalue())
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as refusal:
        raise AudioFileError(f"cannot be written: {refusal.strerror}", where) from refusal
