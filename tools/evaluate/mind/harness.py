"""Any engine's model in lm-evaluation-harness, offline: `python -m tools.evaluate.mind.harness MODEL --tasks TASK`.

`Harness` has that project's interface for models (`loglikelihood`, `loglikelihood_rolling`, `generate_until`) over the
engine's contract, so that it scores every runtime and every size alike. The package `lm-eval` (MIT) is no dependency:
the class is its `LM` where it is installed, and works without it.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from epsilon.config.character import Sampling
from epsilon.engines.facts import load_tokenizer
from epsilon.engines.llm.sampler import Sampler
from epsilon.errors import EpsilonError
from tools.evaluate.mind.chatter import load_mind, model_of
from tools.evaluate.mind.scoring import score

MOST_TOKENS = 256  # of a generated text, unless a task says otherwise
Window = tuple[list[int], list[int]]  # ids that are given, ids that are scored behind them


def _base() -> Any:
    """The class that lm-evaluation-harness wants of a model, where it is installed."""
    if importlib.util.find_spec("lm_eval") is None:
        return object
    return importlib.import_module("lm_eval.api.model").LM


LM: Any = _base()


class Harness(LM):
    """A model of the toy's engines; requests are objects whose `args` are what the interface asks for."""

    def __init__(self, mind: Any, tokenizer: Any) -> None:
        super().__init__()
        self.mind, self.tokenizer = mind, tokenizer
        self.first = [*mind.chat.system.before, *mind.chat.end][
            0
        ]  # what a text without a context stands behind
        self._seq = mind.start()

    @classmethod
    def of(cls, named: str, runtime: str = "onnx") -> Harness:
        """The model of a folder or of a name in the manifest."""
        return cls(load_mind(named, runtime), load_tokenizer(model_of(named).folder / "tokenizer.json"))

    def loglikelihood(self, requests: Sequence[Any]) -> list[tuple[float, bool]]:
        """Of each continuation after its context: the log-probability, and whether it is the likeliest."""
        return [self._likelihood(*request.args) for request in requests]

    def loglikelihood_rolling(self, requests: Sequence[Any]) -> list[float]:
        """Of each whole text: the log-probability, every token with as much before it as the model holds."""
        found = []
        for request in requests:
            (text,) = request.args
            windows = rolling([self.first], self._encode(text), self.mind.limit)
            found.append(sum(self._score(*window)[0] for window in windows))
        return found

    def generate_until(self, requests: Sequence[Any]) -> list[str]:
        """What follows each context, up to one of the texts in `until`, greedily unless a temperature is given."""
        return [self._generate(*request.args) for request in requests]

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def _likelihood(self, context: str, continuation: str) -> tuple[float, bool]:
        kept = context.rstrip()
        before = self._encode(kept)
        whole = self._encode(
            kept + context[len(kept) :] + continuation
        )  # a space belongs to the word behind it
        shared = sum(1 for _ in _common(before, whole))
        found = [
            self._score(*window)
            for window in rolling([self.first, *whole[:shared]], whole[shared:], self.mind.limit)
        ]
        return sum(logprob for logprob, _ in found), all(greedy for _, greedy in found)

    def _score(self, given: list[int], scored: list[int]) -> tuple[float, bool]:
        self.mind.sync_to(self._seq, given)  # what the last request had in common is not computed again
        found = score(self.mind, self._seq, scored)
        return sum(one.logprob for one in found), all(one.likeliest for one in found)

    def _generate(self, context: str, wishes: dict[str, Any]) -> str:
        until = [wishes["until"]] if isinstance(wishes.get("until"), str) else list(wishes.get("until") or ())
        most = min(int(wishes.get("max_gen_toks", MOST_TOKENS)), self.mind.limit // 2)
        temperature = float(wishes.get("temperature", 0)) if wishes.get("do_sample") else 0.0
        settings = Sampling(temperature=temperature, top_p=1.0, min_p=0.0, repetition=1.0)
        sampler, text = Sampler(settings, settings.seed), ""
        ids: list[int] = []
        self.mind.sync_to(self._seq, [self.first, *self._encode(context)][-(self.mind.limit - most) :])
        while len(ids) < most and not any(stop in text for stop in until):
            token = self.mind.step(self._seq, sampler)
            if token in self.mind.chat.ends:
                break
            ids.append(token)
            text = str(self.tokenizer.decode(ids))
        return text[: min((text.find(stop) for stop in until if stop in text), default=len(text))]


def rolling(given: list[int], scored: list[int], limit: int) -> Iterator[Window]:
    """Windows that score every id once, each behind as many ids as fit into `limit` places with it."""
    whole = [*given, *scored]
    for start in range(len(given), len(whole), limit):
        end = min(start + limit, len(whole))
        yield whole[max(0, end - 1 - limit) : start], whole[start:end]  # the last id needs no place


def _common(one: Sequence[int], other: Sequence[int]) -> Iterator[int]:
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            return
        yield mine


def main(arguments: list[str] | None = None) -> int:
    """Runs tasks and prints their scores as JSON; 0, or 2 after one message when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.evaluate.mind.harness", description=__doc__)
    parser.add_argument("model", metavar="MODEL", help="a folder or a name of the manifest")
    parser.add_argument("--runtime", default="onnx", help="a module of epsilon/runtimes (default: onnx)")
    parser.add_argument("--tasks", nargs="+", required=True, metavar="TASK")
    parser.add_argument("--include", type=Path, metavar="FOLDER", help="a folder with tasks of your own")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N of each task")
    given = parser.parse_args(arguments)
    if LM is object:
        print("lm_eval is not installed (pip install lm-eval)", file=sys.stderr)
        return 2
    lm_eval, tasks = importlib.import_module("lm_eval"), importlib.import_module("lm_eval.tasks")
    try:
        model = Harness.of(given.model, given.runtime)
    except EpsilonError as error:
        print(error, file=sys.stderr)
        return 2
    known = tasks.TaskManager(include_path=str(given.include) if given.include else None)
    found = lm_eval.simple_evaluate(model, tasks=given.tasks, task_manager=known, limit=given.limit)
    print(json.dumps(found["results"], indent=1, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main())
