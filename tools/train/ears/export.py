"""Makes the shipped model from a checkpoint: `python -m tools.train.ears.export --run FOLDER --out FOLDER`.

The graphs are what epsilon.engines.asr.whisper runs: an encoder that emits the decoder's cross keys and
values, and a decoder that scores any number of tokens in one pass and hands back its grown cache. Weights of
matrix products are int8.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import yaml
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn

from tools.train.ears import tokens
from tools.train.ears.augment import CONTEXTS_S
from tools.train.ears.features import BANDS, RATE_HZ
from tools.train.ears.model import Ears, Shape
from tools.train.runs import load_network
from tools.train.weights import store_halved

# (layer, head) of the decoder's cross-attention whose mean tells when a word was said.
ALIGNMENT_HEADS = ((1, 0), (1, 1), (1, 2), (1, 3))
MAX_S = 15  # longer utterances are cut at a word

_ENCODER_INPUTS, _ENCODER_OUTPUTS = ["mel"], ["cross_k", "cross_v"]
_DECODER_INPUTS = ["x", "past_k", "past_v", "cross_k", "cross_v"]
_DECODER_OUTPUTS = ["ids", "logprobs", "new_k", "new_v", "frames"]
_ENCODER_AXES = {"mel": {2: "frames"}, "cross_k": {3: "sound"}, "cross_v": {3: "sound"}}
_DECODER_AXES = {
    **{name: {1: "new"} for name in ("x", "ids", "logprobs", "frames")},
    **{name: {3: "past"} for name in ("past_k", "past_v")},
    **{name: {3: "sound"} for name in ("cross_k", "cross_v")},
    **{name: {3: "grown"} for name in ("new_k", "new_v")},
}


class Encoder(nn.Module):
    """mel [1, 80, 4T] → cross keys and values [layers, 1, heads, T, 64] of every decoder layer."""

    def __init__(self, ears: Ears) -> None:
        super().__init__()
        self.ears = ears

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        sound = self.ears.encode(mel)
        crosses = [layer.cross for layer in self.ears.decoder]
        keys = torch.stack([cross.split(cross.key(sound)) for cross in crosses])
        return keys, torch.stack([cross.split(cross.value(sound)) for cross in crosses])


class Decoder(nn.Module):
    """x [1, n, D] after a past of P → best ids and their log probabilities [1, n], caches of P + n, frames [1, n].

    `frames` says where in the sound each token was looked for: the frame that the alignment heads attend to most.
    """

    def __init__(self, ears: Ears) -> None:
        super().__init__()
        self.ears = ears

    def forward(
        self, x: Tensor, past_k: Tensor, past_v: Tensor, cross_k: Tensor, cross_v: Tensor
    ) -> tuple[Tensor, ...]:
        """See the class."""
        past, count = past_k.shape[3], x.shape[1]
        columns, rows = torch.arange(past + count)[None], torch.arange(count)[:, None] + past
        mask = (columns > rows).to(x.dtype) * -1e9
        keys, values, looks = [], [], []
        for i, layer in enumerate(self.ears.decoder):
            own = layer.own_norm(x)
            keys.append(torch.cat([past_k[i], layer.own.split(layer.own.key(own))], 2))
            values.append(torch.cat([past_v[i], layer.own.split(layer.own.value(own))], 2))
            weights = layer.own.weigh(layer.own.split(layer.own.query(own)), keys[i], mask)
            x = x + layer.own.mix(weights, values[i])
            across = layer.cross.weigh(layer.cross.split(layer.cross.query(layer.cross_norm(x))), cross_k[i])
            x = layer.feed(x + layer.cross.mix(across, cross_v[i]))
            looks.append(across)
        scores = torch.matmul(self.ears.decoder_norm(x), self.ears.embedding.weight.T)
        best, ids = torch.log_softmax(scores, -1).max(-1)
        aligned = torch.stack([looks[layer][:, head] for layer, head in ALIGNMENT_HEADS]).mean(0)
        return ids, best, torch.stack(keys), torch.stack(values), aligned.argmax(-1)


def load_ears(checkpoint: Path) -> Ears:
    """The network of a checkpoint, in evaluation mode."""
    ears: Ears = load_network(checkpoint, lambda shape: Ears(Shape(**shape)))
    return ears


def export_graphs(ears: Ears, folder: Path) -> None:
    """Writes encoder.onnx and decoder.onnx in float32."""
    shape = ears.shape
    cache = torch.randn(shape.decoder_layers, 1, shape.heads, 7, 64)
    sound = torch.randn(shape.decoder_layers, 1, shape.heads, 50, 64)
    x = torch.randn(1, 5, shape.width)
    with torch.no_grad():
        _export(Encoder(ears), (torch.randn(1, BANDS, 200),), folder / "encoder.onnx")
        _export(Decoder(ears), (x, cache, cache.clone(), sound, sound.clone()), folder / "decoder.onnx")


def _export(module: nn.Module, example: tuple[Tensor, ...], path: Path) -> None:
    encoder = isinstance(module, Encoder)
    torch.onnx.export(
        module.eval(),
        example,
        str(path),
        input_names=_ENCODER_INPUTS if encoder else _DECODER_INPUTS,
        output_names=_ENCODER_OUTPUTS if encoder else _DECODER_OUTPUTS,
        dynamic_axes=_ENCODER_AXES if encoder else _DECODER_AXES,
        opset_version=17,
        dynamo=False,
    )


def quantise(source: Path, target: Path) -> None:
    """Int8 weights for matrix products, a scale for each column; convolutions stay float32."""
    prepared = source.with_suffix(".prepared.onnx")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    quantize_dynamic(
        prepared,
        target,
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["MatMul", "Gemm"],
    )


def largest_difference(ears: Ears, folder: Path) -> float:
    """Between the float32 graphs and torch over all outputs, at a length not used for the export."""
    rng = np.random.default_rng(1)
    mel = rng.standard_normal((1, BANDS, 400)).astype(np.float32)
    keys, values = _run(folder / "encoder.onnx", {"mel": mel})
    with torch.no_grad():
        expected = list(Encoder(ears)(torch.from_numpy(mel)))
        past = rng.standard_normal((*keys.shape[:3], 3, 64)).astype(np.float32)
        feeds = {"x": rng.standard_normal((1, 4, ears.shape.width)).astype(np.float32)}
        feeds |= {"past_k": past, "past_v": past, "cross_k": keys, "cross_v": values}
        expected += list(Decoder(ears)(*(torch.from_numpy(array) for array in feeds.values())))
    found = [keys, values, *_run(folder / "decoder.onnx", feeds)]
    return max(float(np.abs(a - b.numpy()).max()) for a, b in zip(found, expected, strict=True))


def _run(path: Path, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return list(session.run(None, feeds))


def write_facts(ears: Ears, folder: Path) -> None:
    """Writes model.yaml: what the engine must be told about the graphs."""
    shape = ears.shape
    facts = {
        "family": "whisper",
        "sample_rate_hz": RATE_HZ,
        "bands": BANDS,
        "width": shape.width,
        "heads": shape.heads,
        "encoder_layers": shape.encoder_layers,
        "decoder_layers": shape.decoder_layers,
        "contexts": [50 * seconds for seconds in CONTEXTS_S],
        "padding_ms": 500,
        "positions": shape.decoder_positions,
        "start": [tokens.START],
        "end": tokens.END,
        "pad": tokens.PAD,
        "words": "lower",
        "max_s": MAX_S,
        "alignment_heads": [list(place) for place in ALIGNMENT_HEADS],
    }
    text = yaml.safe_dump(facts, sort_keys=False, default_flow_style=None)
    head = "# The pocket ears. `contexts` are in steps of 20 ms (two feature frames), as for any Whisper.\n"
    (folder / "model.yaml").write_text(head + text)


def export(run: Path, out: Path, int8: bool = True) -> None:
    """Writes every file of the model and prints the parity of the graphs and the size of the whole."""
    ears = load_ears(run / "checkpoint.pt")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        export_graphs(ears, Path(scratch))
        print(
            f"float32 graphs against torch: largest difference {largest_difference(ears, Path(scratch)):.1e}"
        )
        # The decoder computes in float32: int8 scales activations over a whole pass, so a draft verified in one
        # pass would not be what is decoded token by token.
        (quantise if int8 else shutil.copyfile)(Path(scratch, "encoder.onnx"), out / "encoder.onnx")
        store_halved(Path(scratch, "decoder.onnx"), out / "decoder.onnx")
    np.save(out / "embedding.npy", ears.embedding.weight.detach().numpy().astype(np.float16))
    np.save(out / "positions.npy", ears.positions.detach().numpy())
    shutil.copyfile(run / "tokenizer.json", out / "tokenizer.json")
    write_facts(ears, out)
    size = sum(path.stat().st_size for path in out.iterdir())
    print(f"{out}: {size / 1e6:.1f} MB")


def main() -> None:
    """Reads the options and exports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("build/train/ears"))
    parser.add_argument("--out", type=Path, default=Path("models/pocket/ears"))
    parser.add_argument("--float32", action="store_true", help="leave the encoder as it is")
    options = parser.parse_args()
    torch.set_num_threads(1)
    export(options.run, options.out, not options.float32)


if __name__ == "__main__":
    main()
