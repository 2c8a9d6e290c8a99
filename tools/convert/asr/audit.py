"""Where an encoder leaves the range of float16, and its cure: `python -m tools.convert.asr.audit MODEL`.

Runs recordings through the float32 graph with every operation's output exposed, and lists those that come
near 65504, or lose digits below 6e-5. `--cure scale|clamp|fp32|auto -o CURED.onnx` writes a cured graph, and
tells what float16 makes of both. Public Whisper encoders do exceed the limit: single channels of the residual
stream grow with each layer. float16 is imitated by rounding every stored number; no NPU has run this.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt
import onnx

from epsilon.errors import EpsilonError, ModelError
from tools.convert.asr.cures import Cure, cure
from tools.convert.asr.features import features, recordings
from tools.convert.asr.float_graph import float_encoder
from tools.convert.asr.half import rounded
from tools.convert.asr.ranges import Feeds, Range, measure, session_of
from tools.convert.asr.ranges_picture import bar, draw

EXACT = 1e-5  # largest difference that a scaled graph may have, relative to the largest number
WELL = 8  # how many healthy operations the table shows besides

Outputs = dict[str, npt.NDArray[np.float32]]


def audit(model: onnx.ModelProto, feeds: list[Feeds], every: bool, norms_in_half: bool) -> list[Range]:
    """Measures, prints the table and returns the ranges."""
    ranges = measure(model, feeds)
    ill = [one for one in ranges if one.verdict(norms_in_half) != "ok"]
    well = sorted((one for one in ranges if one not in ill), key=lambda one: one.headroom)
    shown = set(map(id, ranges if every else [*ill, *well[:WELL]]))
    print(
        f"{'':26} {'largest':>9} {'headroom':>9} {'squares':>9} {'small':>6} {'lost':>8}  verdict  operation"
    )
    for one in ranges:
        if id(one) in shown:
            inside = f"{one.inside:9.3g}" if one.inside else " " * 9
            numbers = f"{one.largest:9.4g} {one.headroom:8.3g}x {inside} {one.small:6.1%} {one.lost:8.1e}"
            print(f"{bar(one)} {numbers}  {one.verdict(norms_in_half):<7}  {one.op} {one.node}")
    print(f"{len(ranges)} operations on {len(feeds)} pieces of sound: {len(ill)} need care")
    return ranges


def treat(
    model: onnx.ModelProto, ranges: list[Range], feeds: list[Feeds], wanted: Cure, norms_in_half: bool
) -> onnx.ModelProto:
    """A cured copy, compared with the original in float32 and, both, in float16; ModelError if it is none."""
    cured = onnx.ModelProto()
    cured.CopyFrom(model)
    treated = cure(cured, ranges, wanted, norms_in_half)
    for line in treated.lines:
        print(f"  {line}")
    onnx.checker.check_model(cured)
    wide = run(model, feeds)
    far, _, _ = compared(wide, run(cured, feeds))
    print(f"cured against original, float32: largest difference {far:.1e} of the largest number")
    if treated.exact and far > EXACT:
        raise ModelError(f"the cure is not exact: {far:.1e}")
    for name, graph in (("original", model), ("cured", cured)):
        _, near, finite = compared(wide, run(rounded(graph, norms_in_half), feeds))
        print(f"{name} in float16 against float32: {finite:.2%} of the numbers are finite, cosine {near:.7f}")
    return cured


def run(model: onnx.ModelProto, feeds: list[Feeds]) -> list[Outputs]:
    """The graph's outputs for each feed."""
    session = session_of(model)
    names = [output.name for output in model.graph.output]
    return [dict(zip(names, session.run(names, one), strict=True)) for one in feeds]


def compared(wanted: list[Outputs], found: list[Outputs]) -> tuple[float, float, float]:
    """The largest difference, relative; the smallest cosine, 0 where there are no finite numbers; finite share."""
    far, near, finite = 0.0, 1.0, 1.0
    for right, ours in zip(wanted, found, strict=True):
        for name, array in right.items():
            there = np.isfinite(ours[name])
            finite = min(finite, float(there.mean()))
            clean = np.where(there, ours[name], 0.0).astype(np.float64)
            far = max(far, float(np.abs(clean - array).max() / np.abs(array).max()))
            sizes = float(np.linalg.norm(clean) * np.linalg.norm(array))
            near = min(near, float(np.vdot(clean, array)) / sizes if sizes else 0.0)
    return far, near, finite


def _feeds(model: onnx.ModelProto, folder: Path, context: int, pieces: int, name: str) -> list[Feeds]:
    shapes = {one.name: one.type.tensor_type.shape.dim for one in model.graph.input}
    if list(shapes) != ["mel"] or len(shapes["mel"]) != 3:
        raise ModelError(f"takes {list(shapes)}; only encoders, which take `mel`, are audited", name)
    bands = shapes["mel"][1].dim_value
    found = islice(features(recordings(folder), bands, shapes["mel"][2].dim_value or 2 * context), pieces)
    return [{"mel": mel} for mel in found]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.convert.asr.audit", description=__doc__)
    parser.add_argument("model", type=Path, help="a recogniser's model folder, or its encoder in ONNX")
    parser.add_argument("--calibration", type=Path, default=Path("tests/takes"), help="folder of recordings")
    parser.add_argument("--context", type=int, default=200, help="length of a piece in steps of 20 ms")
    parser.add_argument("--pieces", type=int, default=16, help="how many are run")
    parser.add_argument("--all", action="store_true", help="list every operation")
    parser.add_argument("--norms-in-half", action="store_true", help="LayerNormalization squares in float16")
    parser.add_argument("--picture", type=Path, help="draw the ranges into this .svg")
    parser.add_argument("--cure", choices=get_args(Cure), help="how to make it fit")
    parser.add_argument("-o", "--out", type=Path, help="where the cured graph goes")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Audits; code 2 when something is wrong."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if bool(chosen.cure) != bool(chosen.out):
        parser.error("--cure and -o go together")
    path = chosen.model / "encoder.onnx" if chosen.model.is_dir() else chosen.model
    try:
        model = float_encoder(path)
        feeds = _feeds(model, chosen.calibration, chosen.context, chosen.pieces, str(path))
        ranges = audit(model, feeds, chosen.all, chosen.norms_in_half)
        if chosen.picture:
            draw(chosen.picture, ranges, path.name)
        if chosen.cure:
            cured = treat(model, ranges, feeds, chosen.cure, chosen.norms_in_half)
            unfinished = chosen.out.with_name(f"{chosen.out.name}.part")
            onnx.save(cured, unfinished)
            unfinished.replace(chosen.out)
            print(f"written: {chosen.out}")
    except EpsilonError as mistake:
        print(mistake, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
