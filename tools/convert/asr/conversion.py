"""The steps of a conversion, in order, each checked before the next."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import transformers
from tokenizers import Tokenizer

from epsilon.config.models import measure
from epsilon.errors import ModelError
from tools.convert.asr import Check, Converted, Options, checkpoint, contexts, facts, sound, tokenizer
from tools.convert.asr.checkpoint import Checkpoint
from tools.convert.asr.comparison import against_float32, against_generate, against_torch
from tools.convert.asr.export import export_decoder, export_encoder
from tools.convert.asr.greedy import Greedy, read
from tools.convert.asr.numbers import told
from tools.convert.asr.quantise import quantise
from tools.convert.asr.sound import Clip

Tell = Callable[[str], None]
PLAIN_ENCODER, PLAIN_DECODER = "float32.encoder.onnx", "float32.decoder.onnx"


@dataclass
class Work:
    """A conversion under way."""

    source: Checkpoint
    folder: Path  # being filled
    options: Options
    tell: Tell
    clips: list[Clip]
    checks: list[Check] = field(default_factory=list)

    def check(self, checks: Iterator[Check]) -> None:
        """Tells and keeps the checks; ModelError at the first that fails."""
        self.checks += told(checks, self.tell)

    def ears(self, encoder: str = "", decoder: str = "") -> Greedy:
        """The graphs so far."""
        return read(self.folder, self.source.start, self.source.end, encoder, decoder)


def run(folder: Path, out: Path, options: Options, tell: Tell) -> Converted:
    """See tools.convert.asr.convert."""
    tell(f"reading {folder}")
    source = checkpoint.load(folder, options)
    _describe(source, tell)
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
        work = Work(source, Path(scratch, out.name), options, tell, sound.clips(options.calibration))
        work.folder.mkdir()
        converted = _fill(work, out)
        _move(work.folder, out, Path(scratch, "before"))
    size = sum(file.size for file in converted.files.values())
    tell(f"{out}: {size / 1e6:.1f} MB, {len(converted.checks)} checks passed")
    return converted


def _describe(source: Checkpoint, tell: Tell) -> None:
    if source.random:
        tell("its weights are RANDOM: checks and times mean something, recognised words do not")
    if not source.alignment_is_known:
        tell(
            "no alignment_heads in generation_config.json: every head of the later half of the layers is used"
        )
    if source.suppression.no_speech is None:
        tell("its tokenizer has no no-speech token: the output no_speech is left out")


def _fill(work: Work, out: Path) -> Converted:
    source, options, tell = work.source, work.options, work.tell
    vocabulary = tokenizer.write(source.folder, work.folder / "tokenizer.json")
    _write_tables(work)
    _export(work)
    work.check(against_generate(source, work.ears(PLAIN_ENCODER, PLAIN_DECODER), work.clips))
    _quantise(work, vocabulary)
    smallest = _smallest_context(work, vocabulary)
    lengths = contexts.offered(options.contexts_s, source.longest_context)
    listed = [length for length in lengths if length >= smallest] or [smallest]
    versions = {module.__name__: str(module.__version__) for module in (torch, transformers, onnxruntime)}
    facts.write(work.folder, source, options, listed, smallest, versions)
    facts.write_card(work.folder, source, options, work.checks, versions)
    tell("checksums")
    files = {path.name: measure(path) for path in sorted(work.folder.iterdir()) if path.suffix != ".md"}
    made_by = f"python -m tools.convert.asr {source.folder.name}"
    name = options.source or source.folder.name
    return Converted(out, files, options.licence, name, made_by, tuple(work.checks), source.random)


def _write_tables(work: Work) -> None:
    """The token embedding and the positions; half of the width unless exactness is asked for."""
    decoder = work.source.model.model.decoder
    width = np.float32 if work.options.precision == "float32" else np.float16
    embedding, positions = decoder.embed_tokens.weight, decoder.embed_positions.weight
    np.save(work.folder / "embedding.npy", embedding.detach().numpy().astype(width))
    np.save(work.folder / "positions.npy", positions.detach().numpy().astype(np.float32))


def _export(work: Work) -> None:
    encoder, decoder = work.source.encoder(), work.source.decoder()
    work.tell("exporting the encoder")
    export_encoder(encoder, work.folder / PLAIN_ENCODER)
    work.tell("exporting the decoder")
    export_decoder(decoder, work.folder / PLAIN_DECODER)
    work.tell("comparing with torch and with transformers' generate")
    work.check(against_torch(encoder, decoder, work.folder / PLAIN_ENCODER, work.folder / PLAIN_DECODER))


def _quantise(work: Work, vocabulary: Tokenizer) -> None:
    """Leaves encoder.onnx and decoder.onnx, and what OpenVINO reads if it was asked for."""
    plain = work.folder / PLAIN_ENCODER, work.folder / PLAIN_DECODER
    if work.options.precision == "int8":
        work.tell("int8: the encoder")
        quantise(plain[0], work.folder / "encoder.onnx", "whole")
        work.tell("int8: the decoder")
        quantise(plain[1], work.folder / "decoder.onnx", "rows")
        whole = work.ears(PLAIN_ENCODER, PLAIN_DECODER)
        work.check(against_float32(work.source, work.ears(), whole, work.clips, vocabulary))
    if work.options.openvino:
        from tools.convert.asr import openvino_files

        work.tell("int8 weights for OpenVINO")
        work.check(openvino_files.write(*plain, work.folder))
    for path, name in zip(plain, ("encoder.onnx", "decoder.onnx"), strict=True):
        if work.options.precision == "int8":
            path.unlink()
        else:
            path.rename(work.folder / name)


def _smallest_context(work: Work, vocabulary: Tokenizer) -> int:
    offered = contexts.offered(work.options.contexts_s, work.source.longest_context)
    if work.options.min_context_s is not None:
        return contexts.STEPS_PER_SECOND * work.options.min_context_s
    if work.source.random or not work.clips:
        why = "the weights are random" if work.source.random else "there is no speech to measure on"
        work.tell(f"the smallest safe context is not measured: {why}; {offered[0] / 50:g} s is taken")
        return offered[0]
    work.tell("measuring the smallest safe context")
    longest = work.source.longest_context
    trials = contexts.measure(work.ears(), vocabulary.decode, work.clips, offered, longest, work.tell)
    return contexts.smallest_safe(trials)


def _move(made: Path, out: Path, before: Path) -> None:
    """Puts the finished folder in its place; what was there goes with the scratch folder."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise ModelError("is there and is no folder", where=str(out))
    if out.exists():
        shutil.move(out, before)
    made.rename(out)
