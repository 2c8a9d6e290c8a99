"""The torch modules as ONNX graphs (opset 17, the tracing exporter: what onnxruntime, OpenVINO and the RK3588's
toolkit all read), each compared with torch at lengths that it was not traced at."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tools.convert.asr.network import Decoder, Encoder
from tools.convert.asr.numbers import Arrays

OPSET = 17
TRACED_CONTEXT, OTHER_CONTEXT = 100, 150  # encoder frames of 20 ms
ENCODER_OUTPUTS = ["cross_k", "cross_v"]
_ENCODER_AXES = {"mel": {2: "frames"}, "cross_k": {3: "sound"}, "cross_v": {3: "sound"}}
_DECODER_AXES = {
    **{name: {1: "new"} for name in ("x", "ids", "logprobs", "frames", "no_speech")},
    **{name: {3: "past"} for name in ("past_k", "past_v")},
    **{name: {3: "sound"} for name in ("cross_k", "cross_v")},
    **{name: {3: "grown"} for name in ("new_k", "new_v")},
}


def export_encoder(encoder: Encoder, path: Path, context: int | None = None) -> None:
    """Writes the encoder in float32: for sound of any length, or for `context` frames of 20 ms alone."""
    encoder.context = context
    mel = torch.randn(1, bands(encoder), 2 * (context or TRACED_CONTEXT))
    axes = {} if context else _ENCODER_AXES
    try:
        _export(encoder, (mel,), path, ["mel"], ENCODER_OUTPUTS, axes)
    finally:
        encoder.context = None


def export_decoder(decoder: Decoder, path: Path) -> None:
    """Writes the decoder in float32, for any number of tokens, any past and any length of sound."""
    names = [*decoder.input_names, *decoder.output_names]
    axes = {name: _DECODER_AXES[name] for name in names if name in _DECODER_AXES}
    feeds = tuple(torch.from_numpy(array) for array in decoder_feeds(decoder, 5, 7, 50).values())
    _export(decoder, feeds, path, decoder.input_names, decoder.output_names, axes)


def bands(encoder: Encoder) -> int:
    """How many mel bands the encoder takes."""
    return int(encoder.conv1.in_channels)


def decoder_feeds(decoder: Decoder, new: int, past: int, sound: int, seed: int = 1) -> Arrays:
    """Random inputs of the decoder by name: `new` rows after `past`, over `sound` encoder frames."""
    rng = np.random.default_rng(seed)
    layers, attention = len(decoder.layers), decoder.layers[0].own
    width = attention.heads * attention.width

    def cache(length: int) -> np.ndarray:
        shape = (layers, 1, attention.heads, length, attention.width)
        return rng.standard_normal(shape).astype(np.float32)

    feeds: Arrays = {"x": rng.standard_normal((1, new, width)).astype(np.float32)}
    feeds |= {"past_k": cache(past), "past_v": cache(past), "cross_k": cache(sound), "cross_v": cache(sound)}
    if decoder.mark_start:
        feeds["first"] = np.array([1], np.int64)
    return feeds


def run_encoder(encoder: Encoder, mel: np.ndarray) -> Arrays:
    """The outputs of the torch module by name."""
    with torch.no_grad():
        outputs = encoder(torch.from_numpy(mel))
    return _named(ENCODER_OUTPUTS, outputs)


def run_decoder(decoder: Decoder, feeds: Arrays) -> Arrays:
    """The outputs of the torch module by name."""
    with torch.no_grad():
        outputs = decoder(*(torch.from_numpy(feeds[name]) for name in decoder.input_names))
    return _named(decoder.output_names, outputs)


def _named(names: list[str], outputs: tuple[Tensor, ...]) -> Arrays:
    return {name: output.numpy() for name, output in zip(names, outputs, strict=True)}


def _export(
    module: torch.nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    inputs: list[str],
    outputs: list[str],
    axes: dict[str, dict[int, str]],
) -> None:
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated; rknn-toolkit2 reads no other's
        torch.onnx.export(
            module.eval(),
            example,
            str(path),
            input_names=inputs,
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
