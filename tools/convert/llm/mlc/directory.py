"""MLC's directory: mlc-chat-config.json, tensor-cache.json, params_shard_*.bin and the tokenizer."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.convert.llm.architecture import Architecture
from tools.convert.llm.checkpoint import TOKENIZER_FILES, Checkpoint
from tools.convert.llm.mlc import quantise
from tools.convert.llm.mlc.library import SEQUENCES, Build
from tools.convert.llm.mlc.quantise import Parameter

CONFIG = "mlc-chat-config.json"
CACHE = "tensor-cache.json"
SHARD_BYTES = 32 * 2**20  # a shard takes parameters up to this size; a larger one has a shard to itself

# How mlc_llm would write a conversation; the toy does it itself, by chat.yaml.
CONVERSATION = {
    "name": "epsilon",
    "system_template": "{system_message}",
    "system_message": "",
    "add_role_after_system_message": True,
    "roles": {"user": "user", "assistant": "assistant"},
    "role_templates": {
        "user": "{user_message}",
        "assistant": "{assistant_message}",
        "tool": "{tool_message}",
    },
    "messages": [],
    "seps": ["\n"],
    "role_content_sep": ": ",
    "role_empty_sep": ": ",
    "stop_str": [],
    "function_string": "",
    "use_function_calling": False,
}


def write(source: Checkpoint, build: Build, out: Path) -> None:
    """Everything in the directory but the libraries."""
    write_parameters(quantise.parameters(source), out)
    files = [name for name in TOKENIZER_FILES if (source.folder / name).is_file()]
    for name in files:
        shutil.copyfile(source.folder / name, out / name)
    config = _config(build, files)
    (out / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


@dataclass
class Shard:
    """A file of parameters, one after another."""

    path: Path
    data: bytearray = field(default_factory=bytearray)
    records: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, value: Parameter) -> None:
        """Append a parameter."""
        raw = value.tobytes()
        self.records.append(
            {
                "name": name,
                "shape": list(value.shape),
                "dtype": str(value.dtype),
                "format": "raw",
                "nbytes": len(raw),
                "byteOffset": len(self.data),
            }
        )
        self.data += raw

    def close(self) -> dict[str, Any]:
        """Write the file; its entry in the cache's list."""
        self.path.write_bytes(self.data)
        return {
            "dataPath": self.path.name,
            "format": "raw-shard",
            "nbytes": len(self.data),
            "records": self.records,
            "md5sum": hashlib.md5(self.data).hexdigest(),
        }


def write_parameters(named: Iterable[tuple[str, Parameter]], out: Path) -> None:
    """The shards and the list of what is where; no more than a shard is in memory."""
    entries: list[dict[str, Any]] = []
    shard = Shard(out / "params_shard_0.bin")
    for name, value in named:
        if shard.data and len(shard.data) + value.nbytes > SHARD_BYTES:
            entries.append(shard.close())
            shard = Shard(out / f"params_shard_{len(entries)}.bin")
        shard.add(name, value)
    entries.append(shard.close())
    total = sum(int(entry["nbytes"]) for entry in entries)
    records = [record for entry in entries for record in entry["records"]]
    meant = sum(_weights(record) for record in records)
    about = {"ParamSize": len(records), "ParamBytes": float(total), "BitsPerParam": total * 8 / meant}
    text = json.dumps({"metadata": about, "records": entries}, indent=4)
    (out / CACHE).write_text(text + "\n", encoding="utf-8")


def _weights(record: dict[str, Any]) -> int:
    """How many weights a parameter stands for; scales stand for none."""
    if record["name"].endswith(".q_scale"):
        return 0
    codes = quantise.CODES_PER_WORD if record["name"].endswith(".q_weight") else 1
    return math.prod(record["shape"]) * codes


def _config(build: Build, tokenizer_files: list[str]) -> dict[str, Any]:
    shape = build.shape
    window = {
        "context_window_size": build.context,
        "sliding_window_size": -1,
        "prefill_chunk_size": build.chunk,
        "attention_sink_size": -1,
        "tensor_parallel_shards": 1,
    }
    marks = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2} | shape.marks
    ends = {"stop_token_ids": [marks["eos_token_id"]], "system_prefix_token_ids": [marks["bos_token_id"]]}
    return {
        "version": "0.1.0",
        "model_type": shape.model_type,
        "quantization": quantise.NAME,
        "model_config": _model_config(shape) | window | {"max_batch_size": SEQUENCES},
        "vocab_size": shape.vocab_size,
        **window,
        "pipeline_parallel_stages": 1,
        "temperature": 1.0,
        "top_p": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "repetition_penalty": 1.0,
        "tokenizer_files": tokenizer_files,
        "tokenizer_info": {
            "token_postproc_method": "byte_level",
            "prepend_space_in_encode": False,
            "strip_space_in_decode": False,
        },
        "conv_template": CONVERSATION | ends,
        **marks,
    }


def _model_config(shape: Architecture) -> dict[str, Any]:
    names = (
        "hidden_size intermediate_size num_attention_heads num_hidden_layers rms_norm_eps vocab_size "
        "num_key_value_heads head_dim tie_word_embeddings"
    ).split()
    config = {name: getattr(shape, name) for name in names} | {
        "position_embedding_base": int(shape.rope_theta)
    }
    return config | ({"rope_scaling": shape.rope_scaling} if shape.rope_scaling else {})
