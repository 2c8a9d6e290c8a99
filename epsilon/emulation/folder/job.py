"""One recording of many: played into a toy of its own, and what a row of the table says about it."""

from __future__ import annotations

import hashlib
import json
import re
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import epsilon
from epsilon.audio_files import read_audio
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.config.ears import with_ears
from epsilon.config.models import read_manifest
from epsilon.emulation.conversation import Outcome
from epsilon.emulation.runner import Emulation
from epsilon.emulation.word_errors import edits
from epsilon.errors import AudioFileError

WORD = re.compile(r"[a-z0-9']+")


@dataclass(frozen=True, slots=True)
class Setting:
    """What every recording of a run is played to."""

    board: str
    character: str
    ears: str | None
    pace: str

    def mark(self) -> str:
        """A checksum of all that an answer depends on, less the recording."""
        board = with_ears(load_board(self.board), self.ears)
        named = [stage.model for stage in board.stages.values()] + [board.turn.model]
        models = read_manifest()
        facts = [
            epsilon.__version__,
            *map(str, asdict(self).values()),
            board.path.read_text(encoding="utf-8"),
            load_character(self.character).path.read_text(encoding="utf-8"),
            *(models[name].sha256 for name in named if name),
        ]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Job:
    """A recording and where its account goes; `name` is its path inside the folder, without the ending."""

    name: str
    path: Path
    out: Path
    setting: Setting

    @property
    def transcript(self) -> str | None:
        """What is said in it, from the .txt beside it."""
        beside = self.path.with_suffix(".txt")
        return beside.read_text(encoding="utf-8", errors="replace") if beside.is_file() else None


@dataclass(frozen=True, slots=True)
class Row:
    """What came of a recording. Times in ms; `words` are those of the transcript, -1 without one."""

    name: str
    error: str = ""
    turns: int = 0
    words: int = -1
    word_errors: int = 0
    tifu_ms: float | None = None  # the median over its turns
    cut_ins: int = 0
    lost: int = 0  # overruns, underruns and laps
    heard: str = ""
    replies: tuple[str, ...] = ()

    @property
    def wer(self) -> float | None:
        """Word errors in per cent of the words."""
        return 100 * self.word_errors / max(1, self.words) if self.words >= 0 else None


COLUMNS = tuple(field.name for field in fields(Row))


def play(job: Job) -> Outcome:
    """Play it. EpsilonError when the recording is no recording."""
    board = with_ears(load_board(job.setting.board), job.setting.ears)
    character = load_character(job.setting.character)
    emulation = Emulation(board, character, [read_audio(job.path)], job.setting.pace)
    return emulation.run(lambda news: None)


def row_of(job: Job, conversation: dict[str, Any]) -> Row:
    """The row of a conversation that was played to its end."""
    turns = conversation["turns"]
    heard = " ".join(turn["user"]["text"] for turn in turns)
    said = job.transcript
    reference = words_of(said) if said is not None else []
    times = [turn["tifu"]["answer_ms"] for turn in turns if turn["tifu"]["answer_ms"] is not None]
    counts = conversation["counts"]
    return Row(
        job.name,
        turns=len(turns),
        words=-1 if said is None else len(reference),
        word_errors=0 if said is None else edits(reference, words_of(heard)),
        tifu_ms=round(statistics.median(times), 1) if times else None,
        cut_ins=sum(turn["cut_in"] for turn in turns),
        lost=counts["overruns"] + counts["underruns"] + counts["laps"],
        heard=heard,
        replies=tuple(reply["text"] for turn in turns for reply in turn["replies"]),
    )


def words_of(text: str) -> list[str]:
    """Words as they are compared: small letters, no punctuation."""
    return WORD.findall(text.lower().replace("’", "'"))


def read_row(path: Path) -> Row:
    """A row as `to_json` wrote it. AudioFileError when it is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Row(**{**found, "replies": tuple(found["replies"])})
    except (ValueError, TypeError, KeyError) as damage:
        raise AudioFileError(
            f"is no row of a run: {damage}", str(path), "play the recordings again"
        ) from damage


def to_json(row: Row) -> str:
    """One line of JSON."""
    return json.dumps(asdict(row), ensure_ascii=False)


def pooled_wer(rows: Sequence[Row]) -> float | None:
    """Word errors of all rows in per cent of all their words; None where no recording has a transcript."""
    known = [row for row in rows if row.words >= 0 and not row.error]
    words = sum(row.words for row in known)
    return 100 * sum(row.word_errors for row in known) / max(1, words) if known else None
