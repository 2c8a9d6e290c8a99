"""A Hugging Face Whisper folder, read by transformers without a network, and what must be known about it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epsilon.errors import ModelError, nearest
from tools.convert.asr import INSTALL, Options
from tools.convert.asr.network import Decoder, Encoder, Suppression


@dataclass(frozen=True)
class Checkpoint:
    """The network and its facts."""

    folder: Path
    model: Any  # transformers' WhisperForConditionalGeneration
    start: tuple[int, ...]  # ids that open every text
    spoken: dict[str, str]  # language and task as transformers' generate wants them; empty if English alone
    end: int
    suppression: Suppression
    alignment: tuple[tuple[int, int], ...]  # (layer, head) whose attention follows the sound
    alignment_is_known: bool  # else it is every head of the later half of the layers
    random: bool

    def encoder(self) -> Encoder:
        """The encoder's module; it shares the model's weights."""
        return Encoder(self.model).eval()

    def decoder(self) -> Decoder:
        """The decoder's module; it shares the model's weights."""
        return Decoder(self.model, self.suppression, self.alignment, bool(self.suppression.at_start)).eval()

    @property
    def longest_context(self) -> int:
        """Encoder frames of 20 ms that the checkpoint has positions for."""
        return int(self.model.config.max_source_positions)


def load(folder: Path, options: Options | None = None) -> Checkpoint:
    """The checkpoint in a folder; ModelError when there is none, or it is no Whisper that can be converted."""
    config = _demand_whisper(folder)
    model = _read(folder)
    marks = special_tokens(folder)
    generation, options = model.generation_config, options or Options()
    multilingual = bool(getattr(generation, "is_multilingual", False))
    layers, heads = int(config["decoder_layers"]), int(config["decoder_attention_heads"])
    known = getattr(generation, "alignment_heads", None)
    later = [(layer, head) for layer in range(layers // 2, layers) for head in range(heads)]
    suppression = Suppression(
        _ids(generation, model.config, "suppress_tokens"),
        _ids(generation, model.config, "begin_suppress_tokens"),
        marks.get("<|nospeech|>", marks.get("<|nocaptions|>")),
    )
    end = generation.eos_token_id
    return Checkpoint(
        folder,
        model,
        start_of(marks, multilingual, options, folder),
        {"language": options.language, "task": options.task} if multilingual else {},
        int(end[0] if isinstance(end, list) else end),
        suppression,
        tuple((int(layer), int(head)) for layer, head in known or later),
        bool(known),
        bool(config.get("random_weights", False)),
    )


def special_tokens(folder: Path) -> dict[str, int]:
    """Ids of the tokens that are no text, by name, from whichever file of the folder has them."""
    if (folder / "tokenizer.json").is_file():
        added = _json(folder / "tokenizer.json").get("added_tokens", [])
        return {entry["content"]: int(entry["id"]) for entry in added}
    if (folder / "added_tokens.json").is_file():
        return {token: int(id_) for token, id_ in _json(folder / "added_tokens.json").items()}
    raise ModelError("has neither tokenizer.json nor added_tokens.json", where=str(folder))


def start_of(marks: dict[str, int], multilingual: bool, options: Options, folder: Path) -> tuple[int, ...]:
    """The ids that transformers' generate opens a text without timestamps with."""
    names = ["<|startoftranscript|>"]
    if multilingual:
        languages = [token.strip("<|>") for token in marks if len(token.strip("<|>")) in (2, 3)]
        if options.language not in languages:
            raise ModelError(
                f"does not know the language '{options.language}'{nearest(options.language, languages)}",
                where=str(folder),
            )
        names += [f"<|{options.language}|>", f"<|{options.task}|>"]
    elif options.language != "en":
        raise ModelError(f"knows English alone, not '{options.language}'", where=str(folder))
    names.append("<|notimestamps|>")
    missing = [name for name in names if name not in marks]
    if missing:
        raise ModelError(f"its tokenizer lacks {', '.join(missing)}", where=str(folder))
    return tuple(marks[name] for name in names)


def _demand_whisper(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    for name in (path.name, "generation_config.json"):
        if not (folder / name).is_file():
            hint = "a folder as downloaded from the Hugging Face hub is meant"
            raise ModelError(f"there is no {name}", where=str(folder), hint=hint)
    config = _json(path)
    if config.get("model_type") != "whisper":
        raise ModelError(f"is a {config.get('model_type', 'thing')}, not a whisper", where=str(path))
    if config.get("activation_function", "gelu") != "gelu":
        raise ModelError(f"activation {config['activation_function']} is not known", where=str(path))
    return config


def _read(folder: Path) -> Any:
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    try:
        import torch
        from safetensors import SafetensorError
        from transformers import WhisperForConditionalGeneration
        from transformers.utils import logging
    except ModuleNotFoundError as error:
        raise ModelError(f"converting needs the package {error.name}", hint=INSTALL) from error
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        return WhisperForConditionalGeneration.from_pretrained(
            folder, local_files_only=True, dtype=torch.float32, attn_implementation="eager"
        ).eval()
    except (OSError, SafetensorError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelError(f"transformers cannot load it: {reason}", where=str(folder)) from error


def _json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot be read: {error}", where=str(path)) from error
    if not isinstance(values, dict):
        raise ModelError("should hold names and values", where=str(path))
    return values


def _ids(generation: Any, config: Any, name: str) -> tuple[int, ...]:
    """A list of token ids from generation_config.json or, in older folders, from config.json."""
    ids = getattr(generation, name, None)
    if ids is None:
        ids = getattr(config, name, None)
    return tuple(sorted({int(one) for one in ids or () if int(one) >= 0}))
