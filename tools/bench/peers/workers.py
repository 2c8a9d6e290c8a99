"""The other side of `serving`: worker processes, asked one at a time so that their runs interleave."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tools.bench.peers.serving import Answer

ROOT = Path(__file__).parents[3]
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TRANSFORMERS_OFFLINE": "1"}


def threads(count: int) -> dict[str, str]:
    """What tells libraries how many threads to use, where their own interface does not."""
    names = ("OMP", "OPENBLAS", "MKL", "TBB", "TVM")
    return dict.fromkeys((f"{name}_NUM_THREADS" for name in names), str(count))


ONE_THREAD = threads(1)


class WorkerDied(Exception):
    """A worker ended before it answered; the message is the last thing it said."""


class Worker:
    """A process that measures. `log` receives what its libraries print; `surroundings` say how many threads."""

    def __init__(
        self, command: Sequence[str], log: Path, surroundings: Mapping[str, str] = ONE_THREAD
    ) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        with log.open("w", encoding="utf-8") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
                env=os.environ | surroundings | OFFLINE,
            )
        try:
            self.tasks: list[str] = self._read()
        except WorkerDied:
            self.close()
            raise

    def ask(self, task: str, given: Path) -> Answer:
        """Have a task done on the array in a .npy file. WorkerDied when the process ends instead."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"task": task, "given": str(given)}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise WorkerDied(self._last_words()) from error
        return Answer(**self._read())

    def close(self) -> None:
        """End the process and wait for it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # it died with a command unread
                    pipe.close()
        self._process.wait()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise WorkerDied(self._last_words())
        return json.loads(line)

    def _last_words(self) -> str:
        lines = [
            line.strip() for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        ]
        return next((line for line in reversed(lines) if line), "it said nothing")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
