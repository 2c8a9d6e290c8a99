"""The same checkpoint in the form each peer reads: python -m tools.bench.asr.peer_models FORM FOLDER.

Runs in the peers' virtual environment. FOLDER/huggingface is read; FOLDER/words.txt says which words it was
made to say.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from tools.bench.asr import WORDS, ggml, spelling

SOURCE = "huggingface"


def words(folder: Path, target: Path) -> None:
    """The checkpoint's position table and the words that it says from now on."""
    target.write_text(spelling.spell(folder / SOURCE, WORDS) + "\n", encoding="utf-8")


def ctranslate2(folder: Path, target: Path) -> None:
    """For CTranslate2 and faster-whisper, int8."""
    converter = import_module("ctranslate2.converters").TransformersConverter
    beside = ["tokenizer.json", "preprocessor_config.json"]
    converter(str(folder / SOURCE), copy_files=beside).convert(str(target), quantization="int8")


def openvino(folder: Path, target: Path) -> None:
    """For openvino-genai, by Optimum's own export with int8 weights."""
    program = [str(Path(sys.executable).parent / "optimum-cli"), "export", "openvino"]
    kind = ["--task", "automatic-speech-recognition-with-past", "--weight-format", "int8"]
    subprocess.run([*program, "--model", str(folder / SOURCE), *kind, str(target)], check=True)


def whisper_cpp(folder: Path, target: Path) -> None:
    """For whisper.cpp, q8_0."""
    from epsilon.dsp.mel import filters

    ggml.write(folder / SOURCE, target, filters().T)


FORMS: dict[str, Callable[[Path, Path], None]] = {
    "words.txt": words,
    "ctranslate2": ctranslate2,
    "openvino": openvino,
    "ggml-q8_0.bin": whisper_cpp,
}


def main() -> None:
    """Makes one form, under another name until it is whole."""
    form, folder = sys.argv[1], Path(sys.argv[2])
    unfinished = folder / f"unfinished-{form}"
    FORMS[form](folder, unfinished)
    unfinished.rename(folder / form)


if __name__ == "__main__":
    main()
