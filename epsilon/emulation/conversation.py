"""What a run leaves behind: conversation.json, reply.wav and mix.wav, all on the input's time line."""

from __future__ import annotations

import contextlib
import json
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from epsilon.audio_files import finished, save_wav
from epsilon.config.board import Board
from epsilon.config.character import Character
from epsilon.config.models import find_model
from epsilon.devices.wav import WavCard
from epsilon.journal import PARTS, Journal, TurnRecord
from epsilon.ring import Samples

RATE_HZ = 16_000
TIFU_NAMES = ("first_sound_ms", "answer_ms", *(name for name, _ in PARTS))


class Meter:
    """What the process used between its making and `read`."""

    def __init__(self) -> None:
        self._wall_s, self._cpu_s = time.monotonic(), time.process_time()

    def read(self) -> dict[str, float | None]:
        """Peak resident memory of the process so far, CPU and wall-clock seconds since the meter was made."""
        return {
            "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "cpu_s": round(time.process_time() - self._cpu_s, 2),
            "wall_s": round(time.monotonic() - self._wall_s, 2),
        }


NOT_MEASURED: dict[str, float | None] = {"rss_mb": None, "cpu_s": None, "wall_s": None}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A conversation as a dictionary ready for JSON, and both sides of it as samples [n] of one length."""

    conversation: dict[str, Any]
    user: Samples
    reply: Samples

    def write(self, folder: Path) -> None:
        """Write the three files; none of them appears unless all could be written."""
        text = json.dumps(self.conversation, indent=2, ensure_ascii=False) + "\n"
        with contextlib.ExitStack() as files:
            save_wav(files.enter_context(finished(folder / "reply.wav")), self.reply)
            save_wav(
                files.enter_context(finished(folder / "mix.wav")), np.stack([self.user, self.reply], axis=1)
            )
            files.enter_context(finished(folder / "conversation.json")).write_text(text, encoding="utf-8")


def outcome(card: WavCard, conversation: dict[str, Any]) -> Outcome:
    """What was said into a card and what left it, with the account of it."""
    reply = card.reply()
    user = np.zeros(len(reply), np.float32)
    user[: len(card.recording)] = card.recording
    return Outcome(conversation, user, reply)


def account(
    board: Board,
    character: Character,
    pace: str,
    turns: list[dict[str, Any]],
    counts: dict[str, int],
    process: dict[str, float | None],
) -> dict[str, Any]:
    """The conversation so far; `turns` as `turns_of` gives them."""
    models = sorted({settings.model for settings in board.stages.values() if settings.model})
    return {
        "board": board.name,
        "character": character.name,
        "models": {name: find_model(name).sha256 for name in models},
        "pace": pace,
        "turns": turns,
        "counts": counts,
        "process": process,
    }


def turns_of(journal: Journal, speaker: str) -> list[dict[str, Any]]:
    """All turns so far."""
    return [_turn(journal, speaker, record) for record in journal.turns]


def _turn(journal: Journal, speaker: str, record: TurnRecord) -> dict[str, Any]:
    reply = {
        "speaker": speaker,
        "text": record.reply_text.strip(),
        "heard": record.heard_text,
        "start_s": _seconds(record.reply_start_at),
        "end_s": _seconds(record.reply_end_at),
    }
    tifu = journal.tifu_ms(record)
    return {
        "turn": record.turn,
        "user": {
            "text": record.user_text,
            "start_s": _seconds(record.start_at),
            "end_s": _seconds(record.end_at),
        },
        "replies": [reply] if record.reply_start_at >= 0 else [],
        "silent": record.silent,
        "cut_in": record.cut_in,
        "prefill_left": record.prefill_left,  # tokens, when the user stopped speaking
        "pauses_ms": record.pauses_ms,  # inside the user's turn
        "ducks": record.ducks,
        "wasted": {"tokens": record.wasted_tokens, "sound_ms": round(record.wasted_ms, 1)},
        "gaps_ms": record.gaps_ms,  # silences between the reply's phrases that are in none of them
        "tifu": {name: tifu.get(name) for name in TIFU_NAMES},
    }


def _seconds(frame: int) -> float | None:
    return None if frame < 0 else round(frame / RATE_HZ, 4)
