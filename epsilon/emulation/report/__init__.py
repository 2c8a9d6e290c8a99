"""report.html: a conversation on one page that needs nothing else, to look at, to listen to and to ask why."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import soundfile

from epsilon.audio_files import finished
from epsilon.emulation.report.story import story
from epsilon.emulation.trace import Trace
from epsilon.ring import Samples
from epsilon.takes.folder import Take

FOLDER = Path(__file__).parent
RATE_HZ = 16_000
QUALITY = 0.6  # of Vorbis, where 0 is the largest and 1 the smallest: five minutes are some 2 MB
BLOCK_FRAMES = RATE_HZ


def write_results(folder: Path, take: Take | None, trace: Trace | None) -> None:
    """report.html and trace.json of what was kept and traced."""
    if trace is not None:
        trace.write(folder / "trace.json")
    if take is not None:
        write_report(folder / "report.html", take, trace)


def write_report(path: Path, take: Take, trace: Trace | None) -> None:
    """Write the page, whole or not at all."""
    text = page(take, trace)
    with finished(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def page(take: Take, trace: Trace | None) -> str:
    """The page with its style, its program, the conversation and the sound inside it."""
    told = story(take, trace)
    title = f"{told['character']} on {told['board']}"
    parts = {
        "TITLE": title.replace("&", "&amp;").replace("<", "&lt;"),
        "STYLE": (FOLDER / "page.css").read_text(encoding="utf-8"),
        "STORY": json.dumps(told, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
        "SOUND": base64.b64encode(ogg(take.microphone, take.played)).decode("ascii"),
        "PROGRAM": (FOLDER / "page.js").read_text(encoding="utf-8"),
    }
    text = (FOLDER / "page.html").read_text(encoding="utf-8")
    pieces = text.split("@@")
    return "".join(parts[piece] if place % 2 else piece for place, piece in enumerate(pieces))


def ogg(user: Samples, toy: Samples) -> bytes:
    """Both sides, the user on the left, small enough for a page."""
    file = io.BytesIO()
    both = np.clip(np.stack([user, toy], axis=1), -1.0, 1.0)
    with soundfile.SoundFile(
        file, "w", RATE_HZ, 2, format="OGG", subtype="VORBIS", compression_level=QUALITY
    ) as sound:
        for start in range(
            0, len(both), BLOCK_FRAMES
        ):  # libsndfile's encoder keeps all it is given on the stack
            sound.write(both[start : start + BLOCK_FRAMES])
    return file.getvalue()
