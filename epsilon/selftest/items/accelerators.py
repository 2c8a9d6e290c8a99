"""Accelerators: does each compute what the CPU computes from the same sound, phrase and tokens?"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from epsilon.config.models import find_model
from epsilon.engines.protocols import Delivery, Recognizer, Synthesizer
from epsilon.errors import EpsilonError
from epsilon.last_words import trouble_line
from epsilon.parts import seat_of
from epsilon.runtimes import onnx
from epsilon.selftest.bench import Bench
from epsilon.selftest.comparing import Compared, Comparison, compare_decoders
from epsilon.selftest.found import Figure, Found, judged, skipped

ORDER, SPOKEN = 30, "accelerator"
CPU = "onnx"  # the runtime whose result is right
LEAST_LIKENESS = 0.95  # rounding to int8 or float16 costs less, a wrong kernel or a dead core far more
PHRASE = "Good morning."


def check(bench: Bench) -> Found:
    """Every stage whose runtime is another than the CPU's is run on both."""
    faults: list[str] = []
    figures: dict[str, Figure] = {}
    for stage, compare in COMPARED.items():
        runtime = bench.board.stages[stage].runtime
        if runtime in (None, CPU):
            continue
        try:
            comparisons = compare(bench)
        except EpsilonError as mistake:
            faults.append(f"{stage}: {mistake}")
            continue
        for found in comparisons:
            figures |= found.figures(stage)
            if found.likeness < LEAST_LIKENESS:
                faults.append(
                    f"{stage}: {runtime} computes '{found.name}' otherwise than the CPU (likeness "
                    f"{found.likeness:.3f}, {LEAST_LIKENESS} at least is right)"
                )
    if not faults and not figures:
        return skipped("everything runs on the CPU")
    return judged(faults, "each computes what the CPU does", **figures)


def _ears(bench: Bench) -> list[Comparison]:
    """A spoken line is heard."""
    recognizer: Recognizer
    recognizer, comparisons = _on_both(bench, "asr")
    hearing = recognizer.start()
    recognizer.hear(hearing, trouble_line(bench.character))
    recognizer.finish(hearing)
    return comparisons


def _voice(bench: Bench) -> list[Comparison]:
    """A phrase is said."""
    synthesizer: Synthesizer
    synthesizer, comparisons = _on_both(bench, "tts")
    symbols = synthesizer.spell(PHRASE, more=False).symbols
    for _ in synthesizer.speak(symbols, Delivery(synthesizer.styles[bench.character.voice.style])):
        pass
    return comparisons


def _on_both(bench: Bench, stage: str) -> tuple[Any, list[Comparison]]:
    """The engine of a stage with its graphs on the board's runtime and on the CPU."""
    settings = bench.board.stages[stage]
    assert settings.model is not None  # the board file was checked
    compared = Compared(importlib.import_module(f"epsilon.runtimes.{settings.runtime}"))
    engine = importlib.import_module(f"epsilon.engines.{stage}.{settings.engine}")
    return engine.load(
        find_model(settings.model), compared, seat_of(bench.board, stage)
    ), compared.comparisons


def _mind(bench: Bench) -> list[Comparison]:
    """Some tokens are digested; a library for the CPU alone is no accelerator, and nothing is beside it."""
    settings, seat = bench.board.stages["llm"], seat_of(bench.board, "llm")
    assert settings.model is not None  # the board file was checked
    model, runtime = (
        find_model(settings.model),
        importlib.import_module(f"epsilon.runtimes.{settings.runtime}"),
    )
    if (model.folder / "model.onnx").is_file():
        on_cpu = onnx.load_decoder(model, seat)
    elif seat.device != "cpu":
        on_cpu = runtime.load_decoder(model, replace(seat, device="cpu"))
    else:
        return []
    return [compare_decoders(runtime.load_decoder(model, seat), on_cpu)]


COMPARED: dict[str, Callable[[Bench], list[Comparison]]] = {"asr": _ears, "llm": _mind, "tts": _voice}
