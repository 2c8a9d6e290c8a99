"""The folder of a take: take.json, messages.jsonl, in.wav (the microphone) and played.wav (what left the speaker)."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from epsilon.audio_files import read_audio
from epsilon.config.board import Board
from epsilon.config.models import find_model
from epsilon.ring import Samples
from epsilon.takes.checks import FORMAT, TakeError, check_header, check_line, parsed
from epsilon.takes.identity import code_sha, folder_sha, machine, versions
from epsilon.takes.written import Json
from epsilon.toy import Toy

HEADER, MESSAGES, INPUT, PLAYED = "take.json", "messages.jsonl", "in.wav", "played.wav"
RATE_HZ = 16_000
BESIDE = ("costs", "soc", "system", "budget", "image")  # of a board: what no conversation follows from
COPIED_FRAMES = 60 * RATE_HZ


@dataclass(frozen=True)
class Take:
    """A take that was read: its header, its lines in the order in which things happened, and the sound."""

    folder: Path
    header: Json
    lines: list[Json]
    microphone: Samples
    played: Samples

    @property
    def pace(self) -> str:
        """lockstep or realtime."""
        return str(self.header["pace"])

    @property
    def messages(self) -> list[Json]:
        """The lines that are messages."""
        return [line for line in self.lines if "ring" in line]


def check_free(folder: Path) -> None:
    """TakeError when something lies in the folder that a take is to be kept in."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise TakeError("is there already", str(folder), "a take is kept in a new folder")


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """What the disk refuses, as TakeError."""
    try:
        yield
    except (OSError, soundfile.LibsndfileError) as refusal:
        reason = getattr(refusal, "strerror", None) or str(refusal)
        raise TakeError(f"cannot be written: {reason}", str(folder)) from refusal


class NewTake:
    """A folder that is being filled; it gets its name when it is whole."""

    def __init__(self, folder: Path) -> None:
        check_free(folder)
        self._folder = folder
        self._unfinished = folder.with_name(f"{folder.name}.unfinished")
        with _writing(folder):
            if self._unfinished.exists():
                shutil.rmtree(self._unfinished)
            self._unfinished.mkdir(parents=True)
            self._messages = (self._unfinished / MESSAGES).open("w", encoding="utf-8")
            self._microphone = SoundFile(self._unfinished / INPUT)
            self._played = SoundFile(self._unfinished / PLAYED)

    def add(self, line: Json) -> None:
        """One line of messages.jsonl."""
        with _writing(self._folder):
            self._messages.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")

    def add_sound(self, microphone: Samples, played: Samples) -> None:
        """A block of what the microphone gave, and what left the speaker meanwhile."""
        with _writing(self._folder):
            self._microphone.add(microphone)
            self._played.add(played)

    def finish(self, header: Json) -> Callable[[], Take]:
        """Everything is there: the folder gets its name. Returns who reads it."""
        with _writing(self._folder):
            self._messages.close()
            self._microphone.close()
            self._played.close(exactly=header["hears_itself"])
            text = json.dumps({**header, "frames": self._microphone.frames}, indent=1, ensure_ascii=False)
            (self._unfinished / HEADER).write_text(text + "\n", encoding="utf-8")
            if self._folder.is_dir():
                self._folder.rmdir()
            self._unfinished.replace(self._folder)
        return lambda: read_take(self._folder)


class Unkept:
    """A take that is only looked at: in memory."""

    def __init__(self) -> None:
        self._lines: list[Json] = []
        self._microphone: list[Samples] = []
        self._played: list[Samples] = []

    def add(self, line: Json) -> None:
        """As it would stand in a file."""
        self._lines.append(json.loads(json.dumps(line)))

    def add_sound(self, microphone: Samples, played: Samples) -> None:
        """A block of what the microphone gave, and what left the speaker meanwhile."""
        self._microphone.append(microphone)
        self._played.append(played)

    def finish(self, header: Json) -> Callable[[], Take]:
        """All of it."""
        nothing = np.zeros(0, np.float32)
        microphone, played = (
            np.concatenate([nothing, *blocks]) for blocks in (self._microphone, self._played)
        )
        lines = sorted(self._lines, key=lambda line: int(line["n"]))
        take = Take(Path(), {**header, "frames": len(microphone)}, lines, microphone, played)
        return lambda: take


class SoundFile:
    """A WAV file that is added to: to the bit, in 16 bits where these hold it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _wav(path, "FLOAT")
        self._fits = True
        self.frames = 0

    def add(self, samples: Samples) -> None:
        """Samples [n] at 16 kHz."""
        self.frames += len(samples)
        steps = samples * np.float32(32768)
        self._fits = self._fits and bool(np.all(np.rint(steps) == steps) and np.all(steps < 32768))
        self._file.write(samples)

    def close(self, exactly: bool = True) -> None:
        """No more samples; half the size where 16 bits hold them, or where they need not be held exactly."""
        self._file.close()
        if exactly and not self._fits:
            return
        smaller = self._path.with_suffix(".16")
        with soundfile.SoundFile(str(self._path)) as whole, _wav(smaller, "PCM_16") as file:
            while len(block := whole.read(COPIED_FRAMES, dtype="float32")):
                file.write(np.clip(block, -1.0, 1.0))
        smaller.replace(self._path)


def _wav(path: Path, subtype: str) -> soundfile.SoundFile:
    return soundfile.SoundFile(str(path), "w", RATE_HZ, 1, subtype=subtype, format="WAV")


def header_of(toy: Toy, pace: str, first_readings: list[float], ended: str) -> Json:
    """What must be known of a toy to build it again, and to see what has changed since."""
    board, character = toy.board, toy.character
    models = sorted({settings.model for settings in board.stages.values() if settings.model})
    models += [board.turn.model] if board.turn.model else []
    return {
        "format": FORMAT,
        "pace": pace,
        "ended": ended,
        "start_s": toy.card.time_of(0),
        "block_frames": toy.card.block_frames,
        "hears_itself": toy.card.hears_itself,
        "acoustics": plain(toy.acoustics),
        "board": {"name": board.name, "ears": board.stages["asr"].model, "settings": settings_of(board)},
        "character": {"name": character.name, "sha256": folder_sha(character.path.parent)},
        "models": {name: find_model(name).sha256 for name in models},
        "seeds": {"sampling": character.sampling.seed},
        "versions": {**versions(), "code": code_sha()},
        "machine": machine(),
        "first_readings": first_readings,
        "counts": toy.counts,
    }


def settings_of(board: Board) -> Json:
    """Of a board's settings those that a conversation follows from."""
    return {name: value for name, value in plain(board).items() if name not in BESIDE}


def plain(value: Any) -> Any:
    """Settings as JSON; where in a file they stood is left out."""
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value) if field.name not in ("where", "path")]
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [plain(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def read_take(folder: Path) -> Take:
    """The take in a folder. TakeError says what is missing or damaged, and where."""
    if not (folder / HEADER).is_file():
        made = folder.with_name(f"{folder.name}.unfinished")
        hint = f"{made} was not finished" if made.is_dir() else f"it has no {HEADER}"
        raise TakeError("is no take", str(folder), hint)
    header = _header(folder / HEADER)
    lines = _lines(folder / MESSAGES)
    microphone, played = read_audio(folder / INPUT), read_audio(folder / PLAYED)
    if len(microphone) != header["frames"] or len(played) != len(microphone):
        raise TakeError(
            f"{INPUT} has {len(microphone)} frames, {PLAYED} {len(played)}, {HEADER} says {header['frames']}",
            str(folder),
        )
    return Take(folder, header, lines, microphone, played)


def _header(path: Path) -> Json:
    header = parsed(_text(path), str(path))
    check_header(header, str(path))
    return header


def _lines(path: Path) -> list[Json]:
    lines = []
    for number, text in enumerate(_text(path).splitlines(), 1):
        where = f"{path}:{number}"
        line = parsed(text, where)
        check_line(line, where)
        lines.append(line)
    return sorted(lines, key=lambda line: int(line["n"]))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as refusal:
        raise TakeError(f"cannot be read: {refusal.strerror}", str(path)) from refusal
    except UnicodeDecodeError as refusal:
        raise TakeError("is no text in UTF-8", str(path)) from refusal
