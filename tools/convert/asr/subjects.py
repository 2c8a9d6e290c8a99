"""Recognisers that can be squeezed, the pocket ears and Hugging Face's Whisper, seen the same way."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from epsilon.dsp.mel import filters
from epsilon.errors import ModelError
from tools.convert.asr import Options, convert
from tools.convert.asr.checkpoint import load
from tools.convert.asr.export import bands, export_decoder, export_encoder
from tools.convert.asr.network import MASKED
from tools.train.ears import tokens
from tools.train.ears.export import Decoder, Encoder, export_graphs, load_ears, quantise, write_facts
from tools.train.weights import store_halved


class Subject(Protocol):
    """A recogniser to squeeze. The methods take the original or a squeezed copy of it."""

    model: Any
    filters: NDArray[np.float32]  # [201, bands], power to bands
    start: list[int]
    end: int
    random: bool  # its weights mean nothing: it recognises nothing

    def sound(self, model: Any, mel: Tensor) -> Tensor:
        """Features [B, bands, frames] → what the encoder makes of them [B, T, D]."""

    def scores(self, model: Any, tokens: Tensor, sound: Tensor) -> Tensor:
        """Tokens [B, n] → scores [B, n, V] of each next token."""

    def watched(self, model: Any) -> list[nn.Module]:
        """Modules whose outputs a squeezed copy must match."""

    def halves(self, model: Any) -> tuple[nn.Module, nn.Module]:
        """Encoder and decoder as they become graphs."""

    def write_graphs(self, model: Any, folder: Path) -> None:
        """Writes encoder.onnx and decoder.onnx as exported."""

    def write_int8(self, folder: Path) -> None:
        """Writes the whole model folder as it ships unsqueezed, with int8 weights."""


class Pocket:
    """The pocket ears from a checkpoint of their training, tokenizer.json beside it."""

    start, end, random = [tokens.START], tokens.END, False

    def __init__(self, checkpoint: Path) -> None:
        self._tokenizer = checkpoint.parent / "tokenizer.json"
        if not self._tokenizer.is_file():
            raise ModelError("there is no tokenizer.json beside the checkpoint", where=str(checkpoint))
        self.model, self.filters = load_ears(checkpoint), filters()

    def sound(self, model: Any, mel: Tensor) -> Tensor:
        """See Subject."""
        return model.encode(mel)

    def scores(self, model: Any, tokens: Tensor, sound: Tensor) -> Tensor:
        """See Subject."""
        return model.decode(tokens, sound)

    def watched(self, model: Any) -> list[nn.Module]:
        """Every layer, and the keys and values that the decoder looks at."""
        crosses = [layer.cross for layer in model.decoder]
        return [*model.encoder, *model.decoder, *(part for c in crosses for part in (c.key, c.value))]

    def halves(self, model: Any) -> tuple[nn.Module, nn.Module]:
        """See Subject."""
        return Encoder(model), Decoder(model)

    def write_graphs(self, model: Any, folder: Path) -> None:
        """See Subject."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracing exporter is deprecated
            export_graphs(model, folder)

    def write_int8(self, folder: Path) -> None:
        """See Subject; the decoder has float16 weights, as in the export of the training."""
        folder.mkdir()
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            self.write_graphs(self.model, Path(scratch))
            quantise(Path(scratch, "encoder.onnx"), folder / "encoder.onnx")
            store_halved(Path(scratch, "decoder.onnx"), folder / "decoder.onnx")
        np.save(folder / "embedding.npy", self.model.embedding.weight.detach().numpy().astype(np.float16))
        np.save(folder / "positions.npy", self.model.positions.detach().numpy())
        shutil.copyfile(self._tokenizer, folder / "tokenizer.json")
        write_facts(self.model, folder)


class Pair(nn.Module):
    """Encoder and decoder of a Whisper in one module, to be copied and squeezed together."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder


class Whisper:
    """A Hugging Face Whisper or distil-whisper folder."""

    def __init__(self, folder: Path) -> None:
        checkpoint = load(folder)
        self._folder, source = folder, checkpoint.model.model.decoder
        self.model = Pair(checkpoint.encoder(), checkpoint.decoder())
        self._embedding = source.embed_tokens.weight.detach().clone()
        self._positions = source.embed_positions.weight.detach().clone()
        self.filters = filters(bands(self.model.encoder))
        self.start, self.end, self.random = list(checkpoint.start), checkpoint.end, checkpoint.random

    def sound(self, model: Any, mel: Tensor) -> Tensor:
        """One utterance after the other, as the graph is made for one."""
        return torch.cat([model.encoder.hidden(one[None]) for one in mel])

    def scores(self, model: Any, tokens: Tensor, sound: Tensor) -> Tensor:
        """See Subject."""
        return torch.cat(
            [self._scores(model, ids, one[None]) for ids, one in zip(tokens, sound, strict=True)]
        )

    def _scores(self, model: Any, ids: Tensor, sound: Tensor) -> Tensor:
        decoder, count = model.decoder, len(ids)
        x = (self._embedding[ids] + self._positions[:count])[None]
        mask = torch.full((count, count), MASKED).triu(1)
        for layer, cross in zip(decoder.layers, model.encoder.crosses, strict=True):
            nothing = x.new_zeros(1, layer.own.heads, 0, layer.own.width)
            crossed = (cross.split(cross.key(sound)), cross.split(cross.value(sound)))
            x = layer(x, (nothing, nothing), crossed, mask)[0]
        return decoder.head(decoder.norm(x))

    def watched(self, model: Any) -> list[nn.Module]:
        """Every layer, and the keys and values that the decoder looks at."""
        crosses = [part for cross in model.encoder.crosses for part in (cross.key, cross.value)]
        return [*model.encoder.layers, *model.decoder.layers, *crosses]

    def halves(self, model: Any) -> tuple[nn.Module, nn.Module]:
        """See Subject."""
        return model.encoder, model.decoder

    def write_graphs(self, model: Any, folder: Path) -> None:
        """See Subject."""
        export_encoder(model.encoder, folder / "encoder.onnx")
        export_decoder(model.decoder, folder / "decoder.onnx")

    def write_int8(self, folder: Path) -> None:
        """What the converter makes of the checkpoint."""
        convert(self._folder, folder, Options())


def open_subject(source: Path) -> Subject:
    """The recogniser in a Hugging Face folder, or in a checkpoint of the pocket ears; ModelError if there is none."""
    if source.is_dir() and not (source / "checkpoint.pt").is_file():
        return Whisper(source)
    checkpoint = source / "checkpoint.pt" if source.is_dir() else source
    if not checkpoint.is_file():
        raise ModelError("there is no such checkpoint", where=str(checkpoint))
    return Pocket(checkpoint)
