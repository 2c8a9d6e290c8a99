"""Checkpoint to files the toy loads: four graphs, the styles, and a page that says what the numbers mean.

`python -m tools.train.voice.export` on any checkpoint, also while training goes on.

model.onnx is the whole voice (input_ids, style, speed, pitch -> audio, durations). The same weights are cut in
three for streaming: style.onnx, which a style needs once, text.onnx, which must see the whole phrase, and
decoder.onnx, everything behind it. Before anything is written the largest value is looked up: near the end
of what fp16 holds, a runtime of half precision would garble, and nothing is exported.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch import Tensor, nn

from epsilon.engines.tts.phonemes import convert
from epsilon.engines.tts.symbols import PAD, TOKENS
from epsilon.errors import EpsilonError
from tools.evaluate.voice.faults import level_db
from tools.train.voice.bends import SoundSide, Styled, TextSide
from tools.train.voice.largest import check
from tools.train.voice.model import Sizes, Voice
from tools.train.voice.source import HOP_SAMPLES, SAMPLE_RATE_HZ
from tools.train.weights import share

OPSET = 17
LOUDNESS_DB = -15.0  # of every voice: RMS of the louder half of 20 ms frames, below full scale
_SAMPLES = (
    "The quick brown fox, and seven lazy dogs, jump over the moon!",
    "Would you like to know what I found in the garden?",
    "Nobody came on Tuesday. It rained all day, and the soup was cold.",
)


_AXES = {  # that differ from phrase to phrase
    "input_ids": {1: "tokens"},
    "durations": {0: "tokens"},
    "text": {0: "tokens"},
    "audio": {0: "n"},
}
_PHRASE, _READ = ("input_ids", "style", "speed", "pitch"), ("durations", "text")
_BENDS = ("text_bends", "sound_bends")  # what text.onnx and decoder.onnx read in place of the style
_WINDOW = (*_READ, "sound_bends", "pitch", "span", "phase")
_PLAINLY = (torch.ones(1), torch.zeros(1))  # speed and pitch


@dataclass(frozen=True)
class Style:
    """A name in voices.npz: which trained voice it is."""

    voice: str
    what: str


STYLES: Mapping[str, Style] = {
    "bright": Style("slt", "a clear female voice"),
    "low": Style("rms", "a low male voice"),
    "middle": Style("awb", "a Scottish male voice, higher than `low`"),
    "odette": Style("slt", "the character Odette: as bright"),
    "bram": Style("rms", "the character Bram: as low"),
}


def load_checkpoint(path: Path) -> tuple[Voice, list[str]]:
    """The averaged weights of a checkpoint and the names of its voices."""
    state: dict[str, Any] = torch.load(path, weights_only=True)
    voice = Voice(Sizes(len(TOKENS)), len(state["voices"]))
    voice.load_state_dict(state["averaged"], strict=False)
    return voice.eval(), state["voices"]


def _ids(text: str) -> Tensor:
    return torch.tensor([[TOKENS.index(symbol) for symbol in convert(text)]])


@torch.no_grad()
def match_levels(voice: Voice) -> None:
    """Set the decoder's `level` so that each trained voice is LOUDNESS_DB loud."""
    styles = voice.styles.weight.detach()
    loudness = [
        np.mean([level_db(voice(_ids(text), s[None], *_PLAINLY)[0].numpy()) for text in _SAMPLES])
        for s in styles
    ]
    gains = torch.tensor((LOUDNESS_DB - np.array(loudness)) * np.log(10) / 20, dtype=torch.float32)
    voice.decoder.level = torch.linalg.pinv(styles) @ gains


def export(checkpoint: Path, folder: Path) -> None:
    """Write the four graphs, voices.npz and model.yaml into `folder`.

    Raises TooLarge where values do not fit fp16.
    """
    voice, names = load_checkpoint(checkpoint)
    match_levels(voice)
    ids = _ids(_SAMPLES[0])
    styles = {name: voice.styles.weight[names.index(style.voice)].detach() for name, style in STYLES.items()}
    largest = check(voice, list(styles.values()), list(styles))
    print(f"largest value {largest.value:.1f}: {largest.where}")
    folder.mkdir(parents=True, exist_ok=True)
    _graphs(voice, ids, next(iter(styles.values()))[None], folder)
    vectors: dict[str, Any] = {name: style.numpy() for name, style in styles.items()}
    np.savez(folder / "voices.npz", **vectors)
    (folder / "model.yaml").write_text(_page(voice), encoding="utf-8")


def _graphs(voice: Voice, ids: Tensor, style: Tensor, folder: Path) -> None:
    speed, pitch = _PLAINLY
    with torch.no_grad():
        text_bends, sound_bends = Styled(voice)(style)
        durations, text = voice.read(ids, style, speed)
    window = (durations, text, sound_bends, pitch, torch.tensor([20, 30]), torch.zeros(1))
    phrase, reads = (ids, text_bends, speed), ("input_ids", "text_bends", "speed")
    _write(voice, (ids, style, speed, pitch), folder / "model.onnx", _PHRASE, ("audio", "durations"))
    _write(Styled(voice), (style,), folder / "style.onnx", ("style",), _BENDS)
    _write(TextSide(voice), phrase, folder / "text.onnx", reads, _READ)
    _write(SoundSide(voice), window, folder / "decoder.onnx", _WINDOW, ("audio", "phase_behind"))
    exact = {tuple(buffer.shape) for buffer in voice.source.buffers()}
    share({name: folder / f"{name}.onnx" for name in ("model", "style", "text", "decoder")}, exact)


def _write(
    module: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> None:
    torch.onnx.export(
        module.eval(),
        example,
        str(path),
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_axes={name: _AXES[name] for name in (*inputs, *outputs) if name in _AXES},
        opset_version=OPSET,
        dynamo=False,  # the tracing exporter: needs no further package and gives plain operators
    )


def _page(voice: Voice) -> str:
    facts = {
        "sample_rate": SAMPLE_RATE_HZ,
        "hop": HOP_SAMPLES,
        "style_size": voice.styles.embedding_dim,
        "pad": PAD,
        "symbols": list(TOKENS),
        "styles": {name: style.what for name, style in STYLES.items()},
        "teachers": {name: style.voice for name, style in STYLES.items()},
    }
    head = (
        "# What the graphs of this voice take and give; written by tools/train/voice/export.py.\n"
        "# sample_rate in Hz, hop in samples per frame.\n"
        "# symbols: a symbol's place is its id; phrases stand between two pads.\n"
    )
    return head + yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=110)


def main() -> None:
    """Export one checkpoint; exits with an error where values do not fit fp16."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the model goes")
    parser.add_argument("--checkpoint", type=Path, default=Path("build/train/voice/last.pt"))
    options = parser.parse_args()
    try:
        export(options.checkpoint, options.folder)
    except EpsilonError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
