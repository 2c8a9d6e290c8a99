"""The tokenizer.json of a model folder: the checkpoint's own, or written from the files of older ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from epsilon.errors import ModelError


def write(folder: Path, target: Path) -> Tokenizer:
    """Writes `target`; tokens that are no text, time stamps too, are marked as special and spell nothing."""
    if (folder / "tokenizer.json").is_file():
        description = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    else:
        description = json.loads(from_merges(folder).to_str())
    mark_special(description)
    target.write_text(json.dumps(description, ensure_ascii=False), "utf-8")
    return Tokenizer.from_file(str(target))


def from_merges(folder: Path) -> Tokenizer:
    """The byte-level vocabulary of vocab.json, merges.txt and added_tokens.json."""
    for name in ("vocab.json", "merges.txt", "added_tokens.json"):
        if not (folder / name).is_file():
            raise ModelError(f"has neither tokenizer.json nor {name}", where=str(folder))
    vocabulary = json.loads((folder / "vocab.json").read_text("utf-8"))
    lines = (folder / "merges.txt").read_text("utf-8").splitlines()
    pairs = [line.split() for line in lines if line and not line.startswith("#version")]
    tokenizer = Tokenizer(models.BPE(vocabulary, [(first, second) for first, second in pairs]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    added = json.loads((folder / "added_tokens.json").read_text("utf-8"))
    in_order = sorted(added, key=added.__getitem__)
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in in_order])
    wrong = [token for token in in_order if tokenizer.token_to_id(token) != added[token]]
    if wrong:
        raise ModelError(f"added_tokens.json does not go on where vocab.json ends: {wrong[0]}", str(folder))
    return tokenizer


def mark_special(description: dict[str, Any]) -> None:
    """Marks every added token of a tokenizer.json's content as one that spells nothing."""
    for entry in description.get("added_tokens", []):
        entry["special"] = True
