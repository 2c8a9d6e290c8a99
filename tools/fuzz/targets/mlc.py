"""Folders in MLC's form: any of the small files in one, as far as they are read before TVM is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from epsilon.config import folders
from epsilon.engines.llm.chat import Chat
from epsilon.runtimes.paged_decoder import CONFIG, PARAMETERS, demand_directory

FILES = (PARAMETERS, CONFIG, "chat.yaml", "tokenizer.json")  # the first byte says which the rest is
SHARD = "params_shard_0.bin"
WORDS = (
    b'"records": []',
    b'"nbytes": -1',
    b'"dataPath": "../x"',
    b'"dataPath": null',
    b"<end>",
    b"stop: []",
    b"{",
    b"}",
    b"[",
)


def seeds() -> list[bytes]:
    """A folder around the marks and the vocabulary of the pocket mind."""
    mind = folders.root() / "models" / "pocket" / "mind"
    records = {"records": [{"dataPath": SHARD, "format": "raw-shard", "nbytes": 4, "records": []}]}
    texts = (
        json.dumps(records).encode(),
        b"{}",
        (mind / "chat.yaml").read_bytes(),
        (mind / "tokenizer.json").read_bytes(),
    )
    return [bytes([at]) + text for at, text in enumerate(texts)]


def read(data: bytes, folder: Path) -> object:
    """What the engine does before it hands the folder to TVM."""
    good = folder / "good"
    if not good.exists():
        good.mkdir()
        for name, seed in zip(FILES, seeds(), strict=True):
            (good / name).write_bytes(seed[1:])
        (good / SHARD).write_bytes(bytes(4))
    model = folder / "model"
    shutil.rmtree(model, ignore_errors=True)
    shutil.copytree(good, model)
    if data:
        (model / FILES[data[0] % len(FILES)]).write_bytes(data[1:])
    demand_directory(model)
    return Chat(model)
