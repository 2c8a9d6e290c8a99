"""kokoro-onnx through its own interface: python -m tools.bench.tts.peer FOLDER CORE.

Runs in the peers' virtual environment. It is given phonemes, so that only the model's work counts, and a session of
one thread, as everybody has. Its text side (a GPL-licensed phonemizer) is neither installed nor used.
"""

from __future__ import annotations

import asyncio
import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from tools.bench.peers.serving import Task, serve
from tools.bench.tts import FIRST, ONE_SHOT


class Unused:
    """Stands for the phonemizer's door to espeak."""

    @staticmethod
    def set_data_path(path: object) -> None:
        """Nothing is read."""

    set_library = set_data_path


def without_phonemizer() -> None:
    """Stand-ins for what kokoro-onnx imports to turn text into phonemes."""
    loader = ModuleType("espeakng_loader")
    loader.get_data_path = loader.get_library_path = lambda: None  # type: ignore[attr-defined]
    for name in ("phonemizer", "phonemizer.backend", "phonemizer.backend.espeak"):
        sys.modules[name] = ModuleType(name)
    wrapper = ModuleType("phonemizer.backend.espeak.wrapper")
    wrapper.EspeakWrapper = Unused  # type: ignore[attr-defined]
    sys.modules |= {"espeakng_loader": loader, wrapper.__name__: wrapper}


def tasks(folder: Path) -> dict[str, Task]:
    """Loads the published graph and offers its two ways: all at once, and a stream of which the first part counts."""
    without_phonemizer()
    runtime, library = import_module("onnxruntime"), import_module("kokoro_onnx")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    path = next(path for path in folder.glob("*.onnx") if path.name.startswith("kokoro"))
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    voice = library.Kokoro.from_session(session, str(next(folder.glob("voices*"))))
    style = next(iter(voice.voices.files))

    async def first(phonemes: str) -> float:
        async for samples, rate_hz in voice.create_stream(phonemes, style, is_phonemes=True):
            return float(len(samples) / rate_hz)
        return 0.0

    def create(phonemes: str) -> float:
        samples, rate_hz = voice.create(phonemes, style, is_phonemes=True)
        return float(len(samples) / rate_hz)

    return {
        ONE_SHOT: Task(lambda given: lambda: create(str(given))),
        FIRST: Task(lambda given: lambda: asyncio.run(first(str(given)))),
    }


def main() -> None:
    """Sits down on the core, loads it and serves."""
    folder, core = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    serve(tasks(Path(folder)))


if __name__ == "__main__":
    main()
