"""What the engines of a board cost on this machine, each alone on the first core of its seat."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from epsilon.config.board import Board
from epsilon.config.character import Character
from epsilon.config.machine import Cost
from epsilon.config.models import find_model
from epsilon.dsp.resample import StreamResampler
from epsilon.engines.protocols import SAMPLE_RATE_HZ, Delivery
from epsilon.parts import load_end_of_turn, load_engine
from epsilon.realtime import Seat
from epsilon.ring import Samples

SENTENCE = "Do you want to hear what happened in the garden last night?"
WINDOW_FRAMES = 512
PREFILLS = (1, 4, 16, 48)  # tokens read at once
THOUGHT = 24  # tokens
WEIGHTS = (".onnx", ".bin", ".so", ".rknn")  # what a call reads


def costs_of(board: Board, character: Character, rounds: int = 5) -> dict[str, Cost]:
    """A row for each model and engine of a board: of every figure the quickest of `rounds`, nothing beside it."""
    alone = replace(board, stages={name: _one_core(stage) for name, stage in board.stages.items()})
    source = f"measured on this machine, the quickest of {rounds} rounds, one core"
    with seated(Seat(board.stages["tts"].cores[:1])):
        voice = load_engine(alone, "tts")
        sound = np.concatenate([chunk.samples for chunk in _speaking(voice, character)])
        sound = _at_16_khz(sound, next(_speaking(voice, character)).sample_rate_hz)
        found = {"tts": _voice(voice, character, rounds)}
    for stage, measure in (("asr", _ears), ("llm", _mind), ("vad", _detector), ("capture", _canceller)):
        with seated(Seat(board.stages[stage].cores[:1])):
            found[stage] = measure(load_engine(alone, stage), sound, rounds)
    rows = {_name(board, stage): _with_weights(cost, board, stage) for stage, cost in found.items()}
    if board.turn.model is not None:
        with seated(Seat(board.stages["vad"].cores[:1])):
            rows[board.turn.model] = _end_of_turn(load_end_of_turn(alone), sound, rounds)
    return {name: replace(cost, source=source) for name, cost in rows.items()}


@contextlib.contextmanager
def seated(seat: Seat) -> Iterator[None]:
    """The calling thread sits on a seat meanwhile."""
    before = os.sched_getaffinity(0)
    seat.take()
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The straight line of least squares through (x, y): what y is at 0, and more for each of x; neither below 0."""
    x, y = np.array(points).T
    slope = max(0.0, float(np.polyfit(x, y, 1)[0]))
    return max(0.0, float(np.mean(y - slope * x))), slope


def quickest_ms(rounds: int, work: Callable[[], object]) -> float:
    """The least that some work takes."""
    return min(took_ms(work) for _ in range(rounds))


def took_ms(work: Callable[[], object]) -> float:
    """What some work takes, once."""
    began_s = time.perf_counter()
    work()
    return (time.perf_counter() - began_s) * 1000


def _one_core(stage: Any) -> Any:
    return replace(stage, cores=stage.cores[:1], priority=0)


def _name(board: Board, stage: str) -> str:
    settings = board.stages[stage]
    return settings.model or settings.engine or stage


def _with_weights(cost: Cost, board: Board, stage: str) -> Cost:
    """What a model's weights take is what a call reads."""
    model = board.stages[stage].model
    if model is None:
        return cost
    files = [path for path in find_model(model).folder.iterdir() if path.suffix in WEIGHTS]
    return replace(cost, read_mb=round(sum(path.stat().st_size for path in files) / 1e6, 2))


def _speaking(voice: Any, character: Character) -> Iterator[Any]:
    symbols = voice.spell(SENTENCE, more=False).symbols
    settings = character.voice
    return iter(voice.speak(symbols, Delivery(voice.styles[settings.style], settings.speed, settings.pitch)))


def _at_16_khz(sound: Samples, rate_hz: int) -> Samples:
    if rate_hz == SAMPLE_RATE_HZ:
        return sound
    resampler = StreamResampler(rate_hz, SAMPLE_RATE_HZ)
    return np.concatenate([resampler.push(sound), resampler.finish()])


def _voice(voice: Any, character: Character, rounds: int) -> Cost:
    """What a second of sound costs in the later chunks, and how much more the first one does."""
    best: list[tuple[float, float]] = []  # seconds of sound and ms of each chunk
    for _ in range(rounds + 1):  # the first warms up
        chunks, timed = _speaking(voice, character), []
        while True:
            began_s = time.perf_counter()
            chunk = next(chunks, None)
            if chunk is None:
                break
            took = (time.perf_counter() - began_s) * 1000
            timed.append((len(chunk.samples) / chunk.sample_rate_hz, took))
        best = [(s, min(a, b)) for (s, a), (_, b) in zip(timed, best or timed, strict=True)]
    later = best[1:] or best
    second_ms = sum(ms for _, ms in later) / sum(s for s, _ in later)
    return Cost(pass_ms=max(0.0, best[0][1] - second_ms * best[0][0]), second_ms=second_ms)


def _ears(ears: Any, sound: Samples, rounds: int) -> Cost:
    """A sentence heard hop by hop: what a pass costs by how much has been heard."""
    hop = SAMPLE_RATE_HZ // 3
    best: dict[float, float] = {}
    for _ in range(rounds):
        hearing = ears.start()
        for end in range(hop, len(sound) + 1, hop):
            ms = took_ms(partial(ears.hear, hearing, sound[end - hop : end]))
            seconds = end / SAMPLE_RATE_HZ
            best[seconds] = min(ms, best.get(seconds, ms))
    pass_ms, second_ms = line(list(best.items()))
    return Cost(pass_ms=pass_ms, second_ms=second_ms)


def _mind(model: Any, _: Samples, rounds: int) -> Cost:
    """Reading some tokens at once, and thinking them one by one."""
    ids = list(range(10, 10 + max(PREFILLS)))
    base = model.start()
    model.append(base, ids)
    points = []
    for count in PREFILLS:
        forks = [model.fork(base) for _ in range(rounds)]
        points.append(
            (float(count), min(took_ms(partial(model.append, fork, ids[:count])) for fork in forks))
        )
    pass_ms, prefill_ms = line(points)
    seq = model.fork(base)
    token_ms = quickest_ms(rounds * THOUGHT, lambda: model.append(seq, ids[:1]))
    return Cost(pass_ms=pass_ms, prefill_ms=prefill_ms, token_ms=token_ms)


def _detector(detector: Any, sound: Samples, rounds: int) -> Cost:
    return Cost(pass_ms=_each_window(detector.push, sound, rounds))


def _end_of_turn(end: Any, sound: Samples, rounds: int) -> Cost:
    return Cost(pass_ms=_each_window(lambda window: end.push(window, True), sound, rounds))


def _canceller(canceller: Any, sound: Samples, rounds: int) -> Cost:
    block = WINDOW_FRAMES // 2
    ms = _each_window(lambda window: canceller.cancel(window[:block], window[:block]), sound, rounds)
    return Cost(second_ms=ms * SAMPLE_RATE_HZ / block)


def _each_window(work: Callable[[Samples], object], sound: Samples, rounds: int) -> float:
    """The mean over a sound's windows in the quickest round: some windows cost more than others."""
    windows = [sound[at : at + WINDOW_FRAMES] for at in range(0, len(sound) - WINDOW_FRAMES, WINDOW_FRAMES)]
    return quickest_ms(rounds, lambda: [work(window) for window in windows]) / len(windows)
