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
from tools.convert.asr.written_out import write_out

Tell = Callable[[str], None]
GRAPHS, TABLES = ("encoder.onnx", "decoder.onnx"), ("embedding.npy", "positions.npy")


@dataclass
class Work:
    """A conversion under way."""

    source: Checkpoint
    folder: Path  # being filled
    plain: Path  # the same in float32; a graph over 2 GB is many files
    options: Options
    tell: Tell
    clips: list[Clip]
    checks: list[Check] = field(default_factory=list)

    def check(self, checks: Iterator[Check]) -> None:
        """Tells and keeps the checks; ModelError at the first that fails."""
        self.checks += told(checks, self.tell)

    def ears(self, plain: bool = False) -> Greedy:
        """The recogniser so far."""
        return read(self.plain if plain else self.folder, self.source.start, self.source.end)


def run(folder: Path, out: Path, options: Options, tell: Tell) -> Converted:
    """See tools.convert.asr.convert."""
    tell(f"reading {folder}")
    source = checkpoint.load(folder, options)
    _describe(source, tell)
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
        places = Path(scratch, "made"), Path(scratch, "float32")
        for place in places:
            place.mkdir()
        work = Work(source, *places, options, tell, sound.clips(options.calibration))
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
    work.check(against_generate(source, work.ears(plain=True), work.clips))
    _finish_graphs(work, vocabulary)
    smallest = _smallest_context(work, vocabulary)
    lengths = contexts.offered(options.contexts_s, source.longest_context)
    listed = [length for length in lengths if length >= smallest] or [smallest]
    versions = {module.__name__: str(module.__version__) for module in (torch, transformers, onnxruntime)}
    facts.write(work.folder, source, options, listed, smallest, versions)
    facts.write_card(work.folder / "README.md", out.name, source, options, work.checks, versions)
    tell("checksums")
    files = {path.name: measure(path) for path in sorted(work.folder.iterdir()) if path.suffix != ".md"}
    made_by = f"python -m tools.convert.asr {source.folder.name}"
    name = options.source or source.folder.name
    return Converted(out, files, options.licence, name, made_by, tuple(work.checks), source.random)


def _write_tables(work: Work) -> None:
    """The token embedding and the positions; the embedding with half the digits unless all are asked for."""
    decoder = work.source.model.model.decoder
    weights = decoder.embed_tokens.weight, decoder.embed_positions.weight
    for name, table in zip(TABLES, weights, strict=True):
        np.save(work.plain / name, table.detach().numpy().astype(np.float32))
    np.save(work.folder / TABLES[0], weights[0].detach().numpy().astype(np.float16))
    np.save(work.folder / TABLES[1], weights[1].detach().numpy().astype(np.float32))


def _export(work: Work) -> None:
    encoder, decoder = work.source.encoder(), work.source.decoder()
    paths = [work.plain / name for name in GRAPHS]
    work.tell("exporting the encoder")
    export_encoder(encoder, paths[0])
    work.tell("exporting the decoder")
    export_decoder(decoder, paths[1])
    work.tell("comparing with torch and with transformers' generate")
    work.check(against_torch(encoder, decoder, *paths))


def _finish_graphs(work: Work, vocabulary: Tokenizer) -> None:
    """Leaves encoder.onnx and decoder.onnx, and what OpenVINO reads if it was asked for."""
    plain = [work.plain / name for name in GRAPHS]
    if work.options.openvino:
        from tools.convert.asr import openvino_files

        work.tell("int8 weights for OpenVINO")
        work.check(openvino_files.write(plain[0], plain[1], work.folder))
    if work.options.precision == "float32":
        _keep_plain(work)
        return
    work.tell("int8: the encoder")
    quick = work.plain / "written_out.onnx"
    write_out(plain[0], quick)
    quantise(quick, work.folder / GRAPHS[0], "whole")
    work.tell("int8: the decoder")
    quantise(plain[1], work.folder / GRAPHS[1], "rows")
    whole = work.ears(plain=True)
    work.check(against_float32(work.source, work.ears(), whole, work.clips, vocabulary))


def _keep_plain(work: Work) -> None:
    names = [*GRAPHS, *TABLES]
    if {path.name for path in work.plain.iterdir()} != set(names):
        raise ModelError("in float32 a graph is over 2 GB", str(work.source.folder), "convert it to int8")
    for name in names:
        (work.plain / name).replace(work.folder / name)


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
