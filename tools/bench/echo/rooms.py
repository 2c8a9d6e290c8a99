"""A canceller alone in several rooms: what it takes out, what is still taken for speech, what is left of a user."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
import numpy.typing as npt

from epsilon.audio_check import level_db
from epsilon.audio_files import read_audio
from epsilon.config import folders
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.engines.protocols import EchoCanceller
from epsilon.organs import Voice
from epsilon.realtime import Seat
from epsilon.ring import Samples
from epsilon.toy import load_engine
from tools.echo_path import Room, echoed

RATE_HZ = 16_000
BLOCK_FRAMES = 320
WINDOW_FRAMES = 512
THRESHOLD = 0.5  # of the voice detector, as in the boards
DUCKS = 2  # voiced windows on end, and the toy holds its breath
EARLY_S, ALONE_S = 5, 12  # the first seconds; by then a user joins in
MICROPHONE_RMS = 3e-4
PEOPLE = Path(__file__).parents[3] / "tests" / "people"
TEXTS = (
    "Oh, hello! How are you today?",
    "Puddles, of course. I like the deep ones best, because frogs sit in them.",
    "I was a paper boat once, and then the rain came.",
    "That is a very long story, and I only know the end of it.",
    "Good morning! The sun is up, and so is the baker.",
    "Seven lanterns, four of them red.",
    "Well, I would put the kettle on, sit down, and wait until it sings.",
    "Yes. No. Perhaps tomorrow, when the wind has turned.",
)
ROOMS = {
    "a room": Room(),
    "late": Room(delay_ms=200.0),
    "loud": Room(level_db=6.0, seed=1),
    "a bathroom": Room(reverberation_ms=500.0, seed=2),
    "a clock 100 ppm off": Room(drift_ppm=100.0, seed=3),
    "a poor speaker": Room(drive=4.0, seed=4),
}


@dataclass(frozen=True)
class Finding:
    """A canceller in a room."""

    early_db: float  # taken out in the first seconds
    later_db: float
    voiced: int  # windows that the detector takes for speech, nobody but the toy speaking
    ducks: int
    kept_percent: (
        float  # of a user's voiced windows while the toy speaks, the user 6 dB fainter than the echo
    )
    core_percent: float


def examine(name: str, room: Room, seconds: int) -> Finding:
    """The toy speaks for so long in that room, alone and with a user."""
    left = speech(seconds)
    echo = echoed(left, room)
    hiss = np.random.default_rng(room.seed).normal(0, MICROPHONE_RMS, len(left)).astype(np.float32)
    began_s = time.process_time()
    clean = cancelled(name, echo + hiss, left, room)
    core_percent = 100 * (time.process_time() - began_s) * RATE_HZ / len(left)
    voiced = voices(clean)
    user = users(len(left), level_db(echo[np.abs(echo) > 1e-3]) - 6)
    said, heard = voices(user + hiss), voices(cancelled(name, echo + hiss + user, left, room))
    early, later = slice(EARLY_S * RATE_HZ), slice(len(left) // 2, None)
    return Finding(
        level_db(echo[early]) - level_db(clean[early]),
        level_db(echo[later]) - level_db(clean[later]),
        int(voiced.sum()),
        runs(voiced, DUCKS),
        100 * float((said & heard).sum() / said.sum()),
        core_percent,
    )


def cancelled(name: str, microphone: Samples, left: Samples, room: Room) -> Samples:
    """What a new canceller leaves, told where the echo is."""
    canceller: EchoCanceller = import_module(f"epsilon.engines.echo.{name}").load(Seat())
    canceller.expect(room.delay_ms)
    starts = range(0, len(microphone), BLOCK_FRAMES)
    blocks = [slice(at, at + BLOCK_FRAMES) for at in starts]
    return np.concatenate([canceller.cancel(microphone[block], left[block]) for block in blocks])


def voices(sound: Samples) -> npt.NDArray[np.bool_]:
    """Which windows the host's voice detector takes for speech."""
    detector = load_engine(load_board("host"), "vad")
    return np.array(
        [
            probability >= THRESHOLD
            for at in range(0, len(sound), WINDOW_FRAMES)
            for probability in detector.push(sound[at : at + WINDOW_FRAMES])
        ]
    )


def runs(voiced: npt.NDArray[np.bool_], least: int) -> int:
    """How many stretches of voiced windows are that long."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], voiced, [False])).astype(np.int8)))
    return int(np.count_nonzero(edges[1::2] - edges[::2] >= least))


@cache
def speech(seconds: int) -> Samples:
    """The characters in turn, a second between their sentences; whole blocks."""
    board = load_board("host")
    sentences = [
        np.concatenate([voice.say(text), np.zeros(RATE_HZ, np.float32)])
        for name in folders.character_names()
        for voice in [Voice(board, load_character(name))]
        for text in TEXTS
    ]
    repeats = 1 + seconds * RATE_HZ // sum(map(len, sentences))
    return np.concatenate(sentences * repeats)[: seconds * RATE_HZ // BLOCK_FRAMES * BLOCK_FRAMES]


def users(count: int, level: float) -> Samples:
    """Recordings of people one after the other, samples [count], all at one level; silence before they begin."""
    sound, at = np.zeros(count, np.float32), ALONE_S * RATE_HZ
    for path in sorted([*PEOPLE.glob("*.wav"), *PEOPLE.glob("*.flac")]):
        words = read_audio(path)
        words = words * np.float32(10 ** ((level - level_db(words)) / 20))
        end = min(count, at + len(words))
        if at < end:
            sound[at:end] = words[: end - at]
        at = end + RATE_HZ // 2
    return sound
