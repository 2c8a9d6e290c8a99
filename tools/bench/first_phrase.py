"""What the first phrase costs the mind, on one core: python -m tools.bench.first_phrase [--board host] [--repeats 5]

For questions that are prefilled but for their last tokens, as they are when somebody stops speaking: the prefill of
these tokens, then five tokens of the answer, in the character's own sampling. And what its persona costs: prefilled,
or restored from where it was baked.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from epsilon.config.board import Board, load_board
from epsilon.config.character import load_character
from epsilon.engines.llm.conversation import Conversation
from epsilon.engines.llm.reply import Manner
from epsilon.engines.llm.sampler import Sampler
from epsilon.engines.protocols import LanguageModel
from epsilon.parts import load_engine, persona_place
from tools.bench import print_table

QUESTIONS = (
    "what is your name",
    "do you like rain",
    "tell me a story about a bear",
    "what do they eat in italy",
    "why is the sky blue",
    "can you swim in the sea",
)
LEFT_TOKENS = 3  # what is not prefilled yet when the user stops: the last word, and where the reply begins
PHRASE_TOKENS = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--board", default="host")
    parser.add_argument("--repeats", type=int, default=5, help="of each question (default: 5)")
    chosen = parser.parse_args()
    board = one_core(load_board(chosen.board))
    character = load_character(board.character)
    model = load_engine(board, "llm")
    manner = Manner.of(character.sampling, model.chat)
    prefills, phrases = [], []
    for question in QUESTIONS * chosen.repeats:
        conversation = Conversation(model, character.persona)
        conversation.add_user(question)
        prompt = conversation.prompt()
        seq = model.start()
        model.append(seq, prompt[:-LEFT_TOKENS])
        prefills.append(milliseconds(partial(model.sync_to, seq, prompt)))
        phrases.append(milliseconds(partial(say, model, seq, Sampler(manner.sampling, (0, 1), manner.bias))))
    ids = Conversation(model, character.persona).ids()
    stored = persona_place(board, character).load(ids)
    rows: list[list[object]] = [
        [f"the last {LEFT_TOKENS} tokens of a question", *spread(prefills)],
        [f"the first {PHRASE_TOKENS} tokens of the answer", *spread(phrases)],
        [f"the persona, {len(ids)} tokens, prefilled", *repeated(lambda: model.append(model.start(), ids))],
    ]
    if stored is not None:
        rows.append(["the persona restored", *repeated(lambda: model.restore(ids, stored))])
    print_table(
        (f"{board.stages['llm'].model} on {board.stages['llm'].runtime}", "median ms", "worst ms"), rows
    )
    print(f"one core, {len(phrases)} answers, on the wall")


def say(model: LanguageModel, seq: Any, sampler: Sampler) -> None:
    """The first phrase of an answer."""
    for _ in range(PHRASE_TOKENS):
        model.step(seq, sampler)


def one_core(board: Board) -> Board:
    """The board with its mind on the first of its cores."""
    settings = board.stages["llm"]
    return replace(board, stages={**board.stages, "llm": replace(settings, cores=settings.cores[:1])})


def milliseconds(task: Callable[[], object]) -> float:
    """What a task takes."""
    began_s = time.perf_counter()
    task()
    return 1000 * (time.perf_counter() - began_s)


def spread(costs: list[float]) -> tuple[float, float]:
    """Median and worst."""
    return round(statistics.median(costs), 2), round(max(costs), 2)


def repeated(task: Callable[[], object]) -> tuple[float, float]:
    """Median and worst of some runs."""
    return spread([milliseconds(task) for _ in range(10)])


if __name__ == "__main__":
    main()
