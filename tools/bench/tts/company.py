"""What else the toy does while it speaks: its ears and its mind at work on one core, over and over.

python -m tools.bench.tts.company BOARD CORE prints a line when both are loaded and then works until it is ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from epsilon.config.board import Board, load_board
from epsilon.config.character import load_character
from epsilon.engines.llm.conversation import Conversation
from epsilon.engines.llm.reply import Manner
from epsilon.engines.llm.sampler import Sampler
from epsilon.parts import load_engine
from tools.bench.peers.environment import NotPrepared
from tools.bench.peers.workers import ONE_THREAD, ROOT

BLOCK_FRAMES = 5120  # 320 ms, as the ears are given them
HEARD_BLOCKS = 6
REPLY_TOKENS = 20


class Company:
    """The process, which works only when it is told to."""

    def __init__(self, board: str, core: int) -> None:
        command = [sys.executable, "-m", "tools.bench.tts.company", board, str(core)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, cwd=ROOT, env=os.environ | ONE_THREAD, text=True
        )
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            raise NotPrepared(f"ears and mind of board {board} ended before they worked")
        self._process.send_signal(signal.SIGSTOP)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Ears and mind work meanwhile."""
        self._process.send_signal(signal.SIGCONT)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGSTOP)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


def work(board: Board) -> Iterator[None]:
    """One utterance heard and one answer begun at a time."""
    recognizer, model = load_engine(board, "asr"), load_engine(board, "llm")
    character = load_character(board.character)
    manner = Manner.of(character.sampling, model.chat)
    random = np.random.default_rng(1)
    while True:
        yield
        hearing = recognizer.start()
        for _ in range(HEARD_BLOCKS):
            recognizer.hear(hearing, (0.05 * random.standard_normal(BLOCK_FRAMES)).astype(np.float32))
        recognizer.finish(hearing)
        conversation = Conversation(model, character.persona)
        conversation.add_user("tell me a story about a bear")
        seq = model.start()
        model.append(seq, conversation.prompt())
        sampler = Sampler(manner.sampling, (0, 1), manner.bias)
        for _ in range(REPLY_TOKENS):
            model.step(seq, sampler)


def one_core(board: Board, core: int) -> Board:
    """The board with ears and mind on that core."""
    stages = {name: replace(settings, cores=(core,)) for name, settings in board.stages.items()}
    return replace(board, stages=stages)


def main() -> None:
    """Loads, says so, and works."""
    name, core = sys.argv[1], int(sys.argv[2])
    os.sched_setaffinity(0, {core})
    for place, _ in enumerate(work(one_core(load_board(name), core))):
        if place == 0:
            print("ready", flush=True)


if __name__ == "__main__":
    main()
