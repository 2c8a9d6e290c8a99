"""The toy's recogniser and the peers on one checkpoint of random weights in a public shape."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from tools.bench.asr import SECONDS, STREAM_SECONDS, WORDS
from tools.bench.asr.preparation import OURS
from tools.bench.asr.sounds import kept, noise
from tools.bench.peers.comparison import Goal, Subject, interleaved, print_times, ratios
from tools.bench.peers.workers import Worker, WorkerDied

RUNTIMES = ("onnx", "openvino")
OWN = {
    "cold": "final, nothing heard before",
    "after a partial": "final after a partial at 3.5 s",
    "already encoded": "final, all heard already",
}
GRAPHS = ("encoder 4 s", "encoder 30 s", "decoder 1", "decoder 14")
NAMES = {  # of the peers: how they appear, and what of the checkpoint they need
    "faster-whisper": ("faster-whisper int8 (pads to 30 s)", "ctranslate2"),
    "openvino-genai": ("openvino-genai int8 (pads to 30 s)", "openvino"),
    "whisper.cpp short": ("whisper.cpp q8_0, audio_ctx 208", "ggml-q8_0.bin"),
    "whisper.cpp": ("whisper.cpp q8_0 (pads to 30 s)", "ggml-q8_0.bin"),
    "CTranslate2": ("CTranslate2 int8, 4 s unpadded", "ctranslate2"),
}
STREAMING_LIMIT = {"distil-small.en": 0.25}  # share of a core


def compare(
    folder: Path, peers_python: Path, failed: dict[str, str], scratch: Path, rounds: int
) -> list[Goal]:
    """Measures one shape and prints its tables; `failed` says which forms are missing and why."""
    words = (folder / "words.txt").read_text(encoding="utf-8").strip()
    sound = kept(scratch, "noise", noise(SECONDS))
    with contextlib.ExitStack() as stack:
        own = {
            runtime: stack.enter_context(own_worker(folder / OURS, runtime, folder)) for runtime in RUNTIMES
        }
        finals = [
            Subject(f"{runtime}: {name}", own[runtime], task)
            for runtime in RUNTIMES
            for task, name in OWN.items()
        ]
        others = {name: _peer(stack, name, peers_python, folder, failed) for name in NAMES}
        interleaved([*finals, *others.values()], sound, rounds)
        title = f"{folder.name}, RANDOM weights: {SECONDS:.0f} s of sound, {WORDS} words, one thread"
        print_times(title, [*finals, *others.values()], finals[0], words)
        parts = [Subject(f"{runtime}: {task}", own[runtime], task) for runtime in RUNTIMES for task in GRAPHS]
        interleaved(parts, sound, rounds)
        print_times(f"{folder.name}: the graphs by themselves", parts, parts[0], "")
        stream = Subject("stream", own["onnx"], "stream")
        interleaved([stream], kept(scratch, "long noise", noise(STREAM_SECONDS)), rounds)
    return _goals(folder.name, finals, others, parts, stream)


def own_worker(folder: Path, runtime: str, logs: Path) -> Worker:
    """The toy's recogniser in a model folder."""
    program = [sys.executable, "-m", "tools.bench.asr.own", str(folder.resolve()), runtime]
    return Worker(program, logs / f"own-{runtime}.log")


def _peer(
    stack: contextlib.ExitStack, name: str, python: Path, folder: Path, failed: dict[str, str]
) -> Subject:
    """The peer loaded and ready, or the reason why it is not."""
    title, form = NAMES[name]
    if form in failed:
        return Subject(title, None, "transcribe", failed[form])
    try:
        worker = peer_worker(name, python, folder)
    except WorkerDied as error:
        return Subject(title, None, "transcribe", str(error))
    return Subject(title, stack.enter_context(worker), "transcribe")


def peer_worker(name: str, python: Path, folder: Path) -> Worker:
    """Another recogniser on the checkpoint in `folder`."""
    program = [str(python), "-m", "tools.bench.asr.peer", name, str(folder.resolve())]
    return Worker(program, folder / f"{name}.log")


def _goals(
    shape: str, finals: list[Subject], others: dict[str, Subject], parts: list[Subject], stream: Subject
) -> list[Goal]:
    """What the project promises of this shape, for its default runtime."""
    cold, partial, encoded = finals[: len(OWN)]
    goals = [
        Goal(f"{shape}: faster-whisper / cold final", ratios(others["faster-whisper"], cold), 10, True),
        Goal(f"{shape}: openvino-genai / cold final", ratios(others["openvino-genai"], cold), 5, True),
        Goal(f"{shape}: cold final / CTranslate2", ratios(cold, others["CTranslate2"]), 0.8),
        Goal(f"{shape}: final after a partial / cold final", ratios(partial, cold), 0.6),
        Goal(f"{shape}: final, all heard already / cold final", ratios(encoded, cold), 0.12),
        Goal(f"{shape}: encoder 4 s / 30 s", ratios(parts[0], parts[1]), 0.12),
        Goal(f"{shape}: decoder 14 tokens / 1 token", ratios(parts[3], parts[2]), 2),
        Goal(f"{shape}: the check of 12 words / cold final", ratios(parts[3], cold), 0.12),
    ]
    if shape in STREAMING_LIMIT:
        shares = [cpu_ms / 1000 / STREAM_SECONDS for cpu_ms in stream.cpu_ms]
        goals.append(Goal(f"{shape}: share of a core while streaming", shares, STREAMING_LIMIT[shape]))
    return goals
