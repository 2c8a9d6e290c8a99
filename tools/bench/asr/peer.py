"""Other recognisers as workers, each through its own interface: python -m tools.bench.asr.peer NAME FOLDER.

Runs in the peers' virtual environment. Everybody decodes greedily on one thread with int8 weights; guards and
fallbacks are as they come.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from tools.bench.peers.serving import Given, Task, serve

START = [50257, 50362]  # <|startoftranscript|><|notimestamps|> of the English checkpoints
WHISPER_CPP_CONTEXT = 208  # encoder frames of 20 ms: 4 s and a little
MEL_PER_SECOND = 100


def faster_whisper(folder: Path) -> Task:
    """faster-whisper as its documentation uses it; it pads to 30 s."""
    model = import_module("faster_whisper").WhisperModel(
        str(folder / "ctranslate2"), device="cpu", compute_type="int8", cpu_threads=1
    )

    def transcribe(sound: Given) -> str:
        segments, _ = model.transcribe(
            sound,
            language="en",
            beam_size=1,
            best_of=1,
            temperature=0.0,
            without_timestamps=True,
            condition_on_previous_text=False,
        )
        return " ".join(segment.text for segment in segments)

    return Task(lambda sound: lambda: transcribe(sound), spaced)


def ctranslate2(folder: Path) -> Task:
    """The engine below faster-whisper by itself, on the sound without any padding."""
    engine = import_module("ctranslate2")
    tokenizer = Tokenizer.from_file(str(folder / "ctranslate2" / "tokenizer.json"))
    model = engine.models.Whisper(
        str(folder / "ctranslate2"), device="cpu", compute_type="int8", intra_threads=1
    )
    view = engine.StorageView.from_array
    extract = import_module("faster_whisper.feature_extractor").FeatureExtractor()

    def generate(sound: Given) -> list[int]:
        frames = len(sound) * MEL_PER_SECOND // 16_000
        mel = np.ascontiguousarray(extract(sound, padding=0)[None, :, :frames], np.float32)
        found: list[int] = model.generate(view(mel), [START], beam_size=1)[0].sequences_ids[0]
        return found

    return Task(lambda sound: lambda: generate(sound), lambda ids: spaced(tokenizer.decode(ids)))


def openvino_genai(folder: Path) -> Task:
    """openvino-genai's pipeline; it pads to 30 s."""
    genai = import_module("openvino_genai")
    settings = {
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "ENABLE_CPU_PINNING": False,
    }
    pipeline = genai.WhisperPipeline(str(folder / "openvino"), "CPU", **settings)
    return Task(lambda sound: lambda: pipeline.generate(sound), spaced)


def whisper_cpp(folder: Path, context: int) -> Task:
    """whisper.cpp through pywhispercpp's wheel; `context` 0 is its default of 30 s."""
    model = import_module("pywhispercpp.model").Model(
        str(folder / "ggml-q8_0.bin"), n_threads=1, print_progress=False, redirect_whispercpp_logs_to=None
    )

    def transcribe(sound: Given) -> Any:
        return model.transcribe(
            sound,
            language="en",
            single_segment=True,
            no_timestamps=True,
            no_context=True,
            temperature_inc=0.0,
            audio_ctx=context,
        )

    return Task(
        lambda sound: lambda: transcribe(sound),
        lambda segments: spaced(" ".join(segment.text for segment in segments)),
    )


def spaced(text: object) -> str:
    """Text with one space between words."""
    return " ".join(str(text).split())


PEERS: dict[str, Callable[[Path], Task]] = {
    "faster-whisper": faster_whisper,
    "openvino-genai": openvino_genai,
    "whisper.cpp": lambda folder: whisper_cpp(folder, 0),
    "whisper.cpp short": lambda folder: whisper_cpp(folder, WHISPER_CPP_CONTEXT),
    "CTranslate2": ctranslate2,
}


def main() -> None:
    """Loads one of them and serves."""
    name, folder = sys.argv[1:]
    serve({"transcribe": PEERS[name](Path(folder))})


if __name__ == "__main__":
    main()
