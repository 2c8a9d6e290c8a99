"""Folders of tiny random models: ears, mind and voice, in the formats of the models that ship."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import yaml
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from epsilon.config.models import Model
from epsilon.engines.tts import styletts2
from tests.models import graphs, kokoro, mlc_tiny
from tools.train.mind.graph import EXACT, ROUNDED, Build, build

LETTERS = string.ascii_lowercase
MARKS = ("<end>", "<start>", "<system>", "<user>", "<reply>", "<silent>")
WIDTH = 64

LONG = {"two_axes": np.array([0, 1])}
NUMBERS = {
    "one": np.array(1),
    "three": np.array(3),
    "minus_many": np.array(-1e9, np.float32),
}


def ears(folder: Path, seed: int = 3) -> Model:
    """A recogniser of nonsense: what it says depends on the sound and on what it said before."""
    random = np.random.default_rng(seed)
    head = matrix(random, WIDTH, len(MARKS) + 2 * len(LETTERS)) * 1.5
    bias = np.zeros(head.shape[1], np.float32)
    bias[0], bias[1 : len(MARKS)] = -2, -1e9  # the end is rare, the other marks are never said
    bias[-len(LETTERS) :] = -2  # words are short
    graphs.save(
        folder / "encoder.onnx",
        graphs.ENCODER,
        LONG
        | {
            "conv": matrix(random, WIDTH * 80, 3).reshape(WIDTH, 80, 3),
            "wk": matrix(random, WIDTH, WIDTH),
            "wv": matrix(random, WIDTH, WIDTH) * 3,
        },
    )
    squares = {name: matrix(random, WIDTH, WIDTH) for name in ("wq", "wk", "wv")}
    weights = LONG | NUMBERS | squares | {"head": head, "bias": bias}
    graphs.save(folder / "decoder.onnx", graphs.DECODER, weights)
    np.save(folder / "embedding.npy", head.T.astype(np.float16))
    np.save(folder / "positions.npy", matrix(random, 48, WIDTH) * 4)
    tokenizer().save(str(folder / "tokenizer.json"))
    facts = {"start": [1], "end": 0, "contexts": [100, 200, 300, 400], "padding_ms": 500, "min_logprob": -20}
    write(folder / "model.yaml", facts)
    return model(folder, "asr", "whisper")


ARPA = """\
\\data\\
ngram 1=5

\\1-grams:
-0.6\t</s>
-99\t<s>
-0.6\tno
-0.6\tnow
-0.6\tyes

\\end\\
"""


def words(folder: Path) -> Model:
    """Three words for pocketsphinx."""
    (folder / "words.arpa").write_text(ARPA)
    (folder / "words.dict").write_text("no N OW\nnow N AW\nyes Y EH S\n")
    write(folder / "model.yaml", {"language_weight": 6.5, "min_log10_probability": -1.5, "max_phone_ms": 200})
    return model(folder, "asr", "pocketsphinx")


@dataclass(frozen=True)
class MindSizes:
    """A network of two layers, by the names of a Hugging Face configuration."""

    vocab_size: int = len(MARKS) + 2 * len(LETTERS)
    hidden_size: int = WIDTH
    intermediate_size: int = 96
    num_hidden_layers: int = 2
    num_attention_heads: int = 4
    num_key_value_heads: int = 2
    head_dim: int = 16
    rms_norm_eps: float = 1e-5
    rope_theta: float = 10000.0
    max_position_embeddings: int = 96


def mind(folder: Path, seed: int = 4, accuracy: int = EXACT) -> Model:
    """A speaker of nonsense, for the runtime onnx."""
    sizes = MindSizes()
    onnx.save(build(sizes, mind_weights(sizes, seed), Build(accuracy=accuracy)), str(folder / "model.onnx"))
    tokenizer().save(str(folder / "tokenizer.json"))
    chat = {"system": "<system>{persona}<end>", "user": "<user>{text}", "reply": "<reply>", "end": "<end>"}
    write(folder / "chat.yaml", {**chat, "silent": "<silent>", "stop": ["<user>"], "max_reply_tokens": 12})
    return model(folder, "llm", "mistral")


def mind_weights(sizes: MindSizes, seed: int) -> dict[str, graphs.npt.NDArray[np.float32]]:
    """Random weights by the names of a state dict; norms are 1."""
    random = np.random.default_rng(seed)
    keys = sizes.num_key_value_heads * sizes.head_dim
    rows = {"q": sizes.hidden_size, "k": keys, "v": keys, "o": sizes.hidden_size}
    ones = np.ones(sizes.hidden_size, np.float32)
    weights = {
        "embed_tokens.weight": matrix(random, sizes.vocab_size, sizes.hidden_size),
        "norm.weight": ones,
    }
    for layer in range(sizes.num_hidden_layers):
        for name in ("input_layernorm", "post_attention_layernorm"):
            weights[f"layers.{layer}.{name}.weight"] = ones
        for name, count in rows.items():
            weights[f"layers.{layer}.self_attn.{name}_proj.weight"] = matrix(random, count, sizes.hidden_size)
        shape = (sizes.intermediate_size, sizes.hidden_size)
        for name, size in (("gate", shape), ("up", shape), ("down", shape[::-1])):
            weights[f"layers.{layer}.mlp.{name}_proj.weight"] = matrix(random, *size)
    return weights


VOICE_CONSTANTS = {"rows_of_8": np.array([-1, 8]), "minus_one": np.array([-1]), "zero": np.array(0)}


def voice(folder: Path, streams: bool, seed: int = 5) -> Model:
    """A singer of nonsense, in one graph or, when it `streams`, also in three."""
    random = np.random.default_rng(seed)
    text = {"embedding": matrix(random, len(LETTERS), 8), "four": np.array(4), **VOICE_CONSTANTS}
    decoder = {
        "conv": matrix(random, 160 * 8, 5).reshape(160, 8, 5),
        "thousandth": np.array(1e-3, np.float32),
        "one": np.array(1),
        "zero_1": np.array([0]),
        "one_1": np.array([1]),
        **VOICE_CONSTANTS,
    }
    graphs.save(folder / "style.onnx", graphs.STYLE, {})
    graphs.save(folder / "text.onnx", graphs.TEXT, text)
    graphs.save(folder / "decoder.onnx", graphs.VOICE_DECODER, decoder)
    join(folder)
    for name in () if streams else styletts2.STREAMING:
        (folder / f"{name}.onnx").unlink()
    np.savez(folder / "voices.npz", plain=matrix(random, 1, 8), odd=matrix(random, 1, 8))
    facts = {"sample_rate": 16000, "hop": 160, "symbols": list(LETTERS)}
    write(folder / "model.yaml", facts)
    return model(folder, "tts", "styletts2")


TINY: dict[str, dict[str, Callable[[Path], Model]]] = {
    "asr": {"pocketsphinx": words, "whisper": ears},
    "llm": {"mistral": mind},
    "tts": {"kokoro": kokoro.voice, "styletts2": lambda folder: voice(folder, streams=True)},
}

# Voices by what the contract's tests call them.
VOICES: dict[str, Callable[[Path], Model]] = TINY["tts"] | {
    "styletts2 whole": lambda folder: voice(folder, streams=False),
    "kokoro in windows": kokoro.cut_voice,
}

# Minds by what the contract's tests call them: the runtime, and what makes a model for it.
MINDS: dict[str, tuple[str, Callable[[Path], Model]]] = {
    "onnx": ("onnx", mind),
    "onnx with rounded activations": ("onnx", lambda folder: mind(folder, accuracy=ROUNDED)),
    "mlc": ("mlc", mlc_tiny.mind),
}


def join(folder: Path) -> None:
    """model.onnx from the graphs for streaming, the decoder from the first frame to the last."""
    style, text, decoder = (onnx.load(str(folder / f"{name}.onnx")).graph for name in styletts2.STREAMING)
    weights = {tensor.name: tensor for tensor in (*text.initializer, *decoder.initializer)}
    whole = onnx.parser.parse_model(graphs.WHOLE)
    nodes = [*style.node, *text.node, *whole.graph.node, *decoder.node]  # what has one name is one thing
    del whole.graph.node[:]
    whole.graph.node.extend(nodes)
    whole.graph.initializer.extend(weights.values())
    onnx.save(whole, str(folder / "model.onnx"))


def tokenizer() -> Tokenizer:
    """Every letter begins a word or goes on with one."""
    pieces = [*MARKS, *("Ġ" + letter for letter in LETTERS), *LETTERS, "Ġ"]
    merges = [("Ġ", letter) for letter in LETTERS]
    result = Tokenizer(models.BPE({piece: place for place, piece in enumerate(pieces)}, merges))
    result.add_special_tokens(list(MARKS))
    result.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    result.decoder = decoders.ByteLevel()
    return result


def matrix(random: np.random.Generator, rows: int, columns: int) -> graphs.npt.NDArray[np.float32]:
    """Random weights that keep the size of what passes through them."""
    weights = random.standard_normal((rows, columns)) / np.sqrt(min(rows, columns * 80))
    return weights.astype(np.float32)


def write(path: Path, values: dict[str, object]) -> None:
    """Names and values as YAML (of which JSON is a part)."""
    path.write_text(yaml.safe_dump(values), "utf-8")


def model(folder: Path, kind: str, engine: str) -> Model:
    """The folder as a row of the manifest would name it."""
    return Model("tiny", folder, kind, engine, "Apache-2.0", "tests", "tests/models/tiny.py", {})
