"""Whisper folders with RANDOM weights in public shapes: `python -m tools.convert.asr.random_checkpoint`.

They recognise nothing. They are for checking the conversion and for measuring time and memory where no real
checkpoint may be had. Matrices are randn / sqrt(fan in), biases 0.02 randn, from a seed; the vocabulary is made
up: byte tokens, then invented pieces, then Whisper's special tokens at their public places.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LANGUAGES = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt "
    "la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc "
    "ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su"
).split()
TASKS = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
TIMESTAMPS = 1501
NOTICE = "RANDOM weights: for checks and for measuring time; it recognises nothing"


@dataclass(frozen=True)
class Shape:
    """The sizes of a checkpoint; the defaults are those of every English public one."""

    width: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    bands: int = 80
    pieces: int = 50256  # ordinary tokens
    languages: int = 99
    timestamps: int = TIMESTAMPS
    sound_positions: int = 1500
    text_positions: int = 448
    multilingual: bool = False


SHAPES = {
    "distil-small.en": Shape(768, 12, 12, 4),
    "tiny.en": Shape(384, 6, 4, 4),
    "miniature.en": Shape(64, 2, 2, 2, pieces=1000, languages=3, timestamps=5, sound_positions=200),
    "miniature": Shape(
        96, 3, 1, 2, 128, 1000, 4, 5, sound_positions=200, text_positions=96, multilingual=True
    ),
}


def pieces(count: int) -> tuple[list[str], list[tuple[str, str]]]:
    """`count` made-up ordinary tokens of a byte-level vocabulary and the merges that make them."""
    tokens = sorted(pre_tokenizers.ByteLevel.alphabet())
    grown = [first + second for first in ("Ġ", *LETTERS) for second in LETTERS]
    merges = [(one[:-1], one[-1]) for one in grown]
    while len(merges) < count - len(tokens):
        grown = [
            one + letter for one, letter in itertools.product(grown, LETTERS) if one[0] == "Ġ" or len(one) < 3
        ]
        merges += [(one[:-1], one[-1]) for one in grown]
    merges = merges[: count - len(tokens)]
    return tokens + [first + second for first, second in merges], merges


def special_tokens(shape: Shape) -> list[str]:
    """Whisper's special tokens in their order."""
    names = ["endoftext", "startoftranscript", *LANGUAGES[: shape.languages], *TASKS]
    times = [f"{0.02 * place:.2f}" for place in range(shape.timestamps)]
    return [f"<|{name}|>" for name in (*names, *times)]


def write_tokenizer(folder: Path, shape: Shape) -> dict[str, int]:
    """Writes vocab.json, merges.txt, added_tokens.json and tokenizer.json; returns the ids of special tokens."""
    tokens, merges = pieces(shape.pieces)
    vocabulary = {token: place for place, token in enumerate(tokens)}
    special = {token: len(tokens) + place for place, token in enumerate(special_tokens(shape))}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), "utf-8")
    (folder / "added_tokens.json").write_text(json.dumps(special), "utf-8")
    lines = ["#version: 0.2", *(f"{first} {second}" for first, second in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", "utf-8")
    settings = {"tokenizer_class": "WhisperTokenizer", "errors": "replace", "model_max_length": 1024}
    ends = dict.fromkeys(("bos_token", "eos_token", "unk_token", "pad_token"), "<|endoftext|>")
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | ends), "utf-8")
    (folder / "special_tokens_map.json").write_text(json.dumps(ends), "utf-8")
    return special


def generation_settings(shape: Shape, special: dict[str, int]) -> dict[str, Any]:
    """What generation_config.json of a public checkpoint says, with this vocabulary's ids."""
    eot, sot = special["<|endoftext|>"], special["<|startoftranscript|>"]
    marks = {token: id_ for token, id_ in special.items() if not token[2].isdigit()}
    never = [id_ for token, id_ in marks.items() if token.strip("<|>") in (*TASKS[:5], "startoftranscript")]
    settings: dict[str, Any] = {
        "bos_token_id": eot,
        "eos_token_id": eot,
        "pad_token_id": eot,
        "decoder_start_token_id": sot,
        "max_length": shape.text_positions,
        "max_initial_timestamp_index": 50,
        "no_timestamps_token_id": special["<|notimestamps|>"],
        "prev_sot_token_id": special["<|startofprev|>"],
        "return_timestamps": False,
        "suppress_tokens": sorted(
            [1, 2, 7, 8, 9, 10, 14, 25, 26, 27, 28, 29, 31, 58, 59, 60, 61, 62, 63, *never]
        ),
        "begin_suppress_tokens": [220, eot],
        "is_multilingual": shape.multilingual,
        "alignment_heads": [
            [layer, head]
            for layer in range(shape.decoder_layers // 2, shape.decoder_layers)
            for head in (0, 1)
        ],
    }
    if shape.multilingual:
        languages = [f"<|{name}|>" for name in LANGUAGES[: shape.languages]]
        settings["lang_to_id"] = {token: special[token] for token in languages}
        settings["task_to_id"] = {task: special[f"<|{task}|>"] for task in TASKS[:2]}
    return settings


def randomise(model: torch.nn.Module, seed: int) -> None:
    """Matrices randn / sqrt(fan in), biases 0.02 randn; norms and the encoder's fixed positions stay."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.dim() >= 2 and "encoder.embed_positions" not in name:
                fan_in = weights[0].numel()
                weights.copy_(torch.randn(weights.shape, generator=generator) / math.sqrt(fan_in))
            elif name.endswith("bias"):
                weights.copy_(torch.randn(weights.shape, generator=generator) * 0.02)


def make(folder: Path, shape: Shape, seed: int = 1) -> WhisperForConditionalGeneration:
    """Writes the Hugging Face folder and returns the model."""
    folder.mkdir(parents=True, exist_ok=True)
    special = write_tokenizer(folder, shape)
    settings = generation_settings(shape, special)
    ends = {
        key: settings[key]
        for key in ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
    }
    config = WhisperConfig(
        vocab_size=shape.pieces + len(special),
        num_mel_bins=shape.bands,
        d_model=shape.width,
        encoder_layers=shape.encoder_layers,
        encoder_attention_heads=shape.heads,
        decoder_layers=shape.decoder_layers,
        decoder_attention_heads=shape.heads,
        encoder_ffn_dim=4 * shape.width,
        decoder_ffn_dim=4 * shape.width,
        max_source_positions=shape.sound_positions,
        max_target_positions=shape.text_positions,
        random_weights=True,
        notice=NOTICE,
        **ends,
    )
    model = WhisperForConditionalGeneration(config).eval()
    randomise(model, seed)
    model.generation_config = GenerationConfig(**settings)
    model.save_pretrained(folder)
    seconds = shape.sound_positions // 50
    features = {"feature_extractor_type": "WhisperFeatureExtractor", "feature_size": shape.bands}
    features |= {"chunk_length": seconds, "hop_length": 160, "n_fft": 400, "sampling_rate": 16000}
    features |= {"n_samples": seconds * 16000, "nb_max_frames": seconds * 100, "padding_value": 0.0}
    features |= {
        "processor_class": "WhisperProcessor",
        "return_attention_mask": False,
        "padding_side": "right",
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(features), "utf-8")
    (folder / "README.md").write_text(f"# {folder.name}\n\n{NOTICE}.\n", "utf-8")
    return model


def main() -> None:
    """Reads the options and writes a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("--out", type=Path, help="default: build/convert/<shape>-random")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    out = options.out or Path("build/convert") / f"{options.shape}-random"
    model = make(out, SHAPES[options.shape], options.seed)
    millions = sum(weights.numel() for weights in model.parameters()) / 1e6
    print(f"{out}: {options.shape}, {millions:.1f} million RANDOM weights, seed {options.seed}")


if __name__ == "__main__":
    main()
