"""The worker's side: a process that does a task when asked for it and answers with the CPU time it took.

Uses the standard library and numpy alone, for it also runs where only the peers are installed. A command is a
line of JSON on the standard input, the answer one on what was the standard output; what libraries print goes
to the standard error instead.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Given = npt.NDArray[Any]  # samples [n] at 16 kHz, or ids of tokens [n]
WARM_BELOW_S = 0.5  # what takes less is done once before it is timed: its caches were emptied by the others


@dataclass(frozen=True)
class Task:
    """`prepare` is not timed and returns what is; `text` spells the result."""

    prepare: Callable[[Given], Callable[[], Any]]
    text: Callable[[Any], str] = str


@dataclass(frozen=True)
class Answer:
    """What a task took, all threads of the process together, and what came out."""

    cpu_s: float
    wall_s: float
    text: str


def once(task: Task, given: Given) -> Answer:
    """Do a task on what is given, timed."""
    run = task.prepare(given)
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    result = run()
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    return Answer(cpu_s, wall_s, task.text(result))


def measured(task: Task, given: Given) -> Answer:
    """The same with warm caches: a quick task is done twice and the second run counts."""
    answer = once(task, given)
    return answer if answer.cpu_s > WARM_BELOW_S else once(task, given)


def serve(tasks: Mapping[str, Task]) -> None:
    """Answer commands until there are no more. The first answer says that everything is loaded."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _say(answers, sorted(tasks))
    for line in sys.stdin:
        command = json.loads(line)
        answer = measured(tasks[command["task"]], np.load(command["given"]))
        _say(answers, vars(answer))


def _say(answers: Any, value: Any) -> None:
    answers.write(json.dumps(value) + "\n")
    answers.flush()
