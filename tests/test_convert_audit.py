"""The float16 audit, on random weights with planted outliers: what it sees, and that each cure cures."""

from __future__ import annotations

import os
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from epsilon.audio_files import write_wav
from epsilon.config.folders import root
from tests.models import outliers
from tools.convert.asr import audit, rknn
from tools.convert.asr.cures import CLAMP, Cure, cure
from tools.convert.asr.half import KEPT_KEY, rounded
from tools.convert.asr.ranges import LIMIT, Feeds, Range, measure
from tools.convert.asr.ranges_picture import bar, draw
from tools.convert.asr.scaling import Scaling

TOOLKIT = Path(os.environ.get("RKNN_PYTHON", root() / "build/rknn-venv/bin/python"))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two seconds of noise that grows."""
    folder = tmp_path_factory.mktemp("sound")
    noise = np.random.default_rng(0).standard_normal(32_000) * np.linspace(0.001, 0.1, 32_000)
    write_wav(folder / "noise.wav", noise.astype(np.float32))
    return folder


def feeds() -> list[Feeds]:
    """Noise of the shape of features."""
    rng = np.random.default_rng(5)
    return [{"mel": rng.standard_normal((1, 80, 40)).astype(np.float32)} for _ in range(2)]


def by_name(ranges: list[Range]) -> dict[str, Range]:
    """Ranges by tensor."""
    return {one.tensor: one for one in ranges}


def half(
    model: onnx.ModelProto, against: onnx.ModelProto, norms_in_half: bool = False
) -> tuple[float, float]:
    """Cosine and finite share of a graph in float16 against another in float32."""
    found = audit.run(rounded(model, norms_in_half), feeds())
    return audit.compared(audit.run(against, feeds()), found)[1:]


def cured(wanted: Cure, model: onnx.ModelProto, norms_in_half: bool = False) -> tuple[onnx.ModelProto, bool]:
    """A cured copy, and whether it says that it is exact."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    treated = cure(copy, measure(copy, feeds()), wanted, norms_in_half)
    onnx.checker.check_model(copy)
    return copy, treated.exact


def test_the_planted_channel_is_found_and_nothing_else() -> None:
    ranges = by_name(measure(outliers.encoder(), feeds()))
    over = {name for name, one in ranges.items() if one.verdict() == "over"}
    assert over == {"layer0.narrow.b", "layer0.narrow.out", "layer0.x2", "layer1.x1", "layer1.x2"}
    assert ranges["layer0.x2"].largest == pytest.approx(outliers.PLANTED, rel=1e-3)
    assert ranges["layer0.x2"].headroom == pytest.approx(LIMIT / outliers.PLANTED, rel=1e-3)
    assert ranges["last.norm"].inside > LIMIT, "its squares, where a LayerNormalization computes in float16"
    assert not [
        name
        for name, one in by_name(measure(outliers.encoder(1.0), feeds())).items()
        if one.verdict() != "ok"
    ]


def test_near_is_within_four_times_and_squares_count_where_they_are_asked_for() -> None:
    ranges = by_name(measure(outliers.encoder(20_000.0), feeds()))
    assert ranges["layer1.x2"].verdict() == "near"
    ranges = by_name(measure(outliers.encoder(1_000.0), feeds()))
    assert (
        ranges["last.norm"].verdict() == "ok" and ranges["last.norm"].verdict(norms_in_half=True) == "inside"
    )


def test_numbers_below_what_float16_resolves_are_found() -> None:
    model = outliers.encoder(1.0)
    for constant in model.graph.initializer:
        if constant.name in ("layer1.value.w", "layer1.value.b"):
            faint = numpy_helper.to_array(constant) * np.float32(1e-6)
            constant.CopyFrom(numpy_helper.from_array(faint, constant.name))
    ranges = by_name(measure(model, feeds()))
    assert ranges["layer1.value.out"].verdict() == "small" and ranges["layer1.value.out"].small > 0.9
    assert ranges["layer0.value.out"].verdict() == "ok"


def test_float16_breaks_on_the_original_and_not_on_a_healthy_one() -> None:
    sick, well = outliers.encoder(), outliers.encoder(1.0)
    assert half(sick, sick) == (0.0, 0.0)
    cosine, finite = half(well, well)
    assert finite == 1.0 and 0.99999 < cosine < 1.0, "it is rounded, and little"


def test_squares_break_only_where_norms_compute_in_half() -> None:
    model = outliers.encoder(1_000.0)
    assert half(model, model)[1] == 1.0
    cosine, finite = half(model, model, norms_in_half=True)
    assert finite < 1.0 or cosine < 0.99
    healed, exact = cured("scale", model, norms_in_half=True)
    assert exact
    cosine, finite = half(healed, model, norms_in_half=True)
    assert finite == 1.0 and cosine > 0.999


def test_scaling_is_exact_and_free_and_cures() -> None:
    model = outliers.encoder()
    healed, exact = cured("scale", model)
    assert exact
    assert audit.compared(audit.run(model, feeds()), audit.run(healed, feeds()))[0] < 1e-6
    cosine, finite = half(healed, model)
    assert finite == 1.0 and cosine > 0.9999
    assert len(healed.graph.node) == len(model.graph.node), "it is folded into weights that are there"
    assert max(one.largest for one in measure(healed, feeds())) < LIMIT / 4


@pytest.mark.parametrize(
    ("tensor", "with_it"),
    [
        ("layer1.x2", "layer0.x1"),  # the residual stream: read by norms, whose epsilon shrinks with it
        ("layer0.widen.out.gelu", ""),  # made by a product with a constant, read by one with weights
        ("layer0.mixed", ""),  # made by a product of two that vary: a factor behind it
        ("layer0.scaled", ""),  # read by a softmax: a factor before it
        ("layer0.turned", "layer0.key.product"),  # moved about on the way
        ("layer0.own.norm", ""),  # made by a norm, read by three products
    ],
)
def test_a_scale_is_made_up_for_wherever_the_tensor_is_read(tensor: str, with_it: str) -> None:
    model = outliers.encoder(1.0)
    before = audit.run(model, feeds())
    ranges = by_name(measure(model, feeds()))
    group = Scaling(model, ranges)
    group.plan(tensor)
    group.carry_out(6)
    onnx.checker.check_model(model)
    assert audit.compared(before, audit.run(model, feeds()))[0] < 2e-6
    after = by_name(measure(model, feeds()))
    for name in filter(None, (tensor, with_it)):
        assert after[name].largest == pytest.approx(ranges[name].largest / 64, rel=1e-4)


def test_clamping_says_that_it_changes_something_and_cures() -> None:
    model = outliers.encoder()
    healed, exact = cured("clamp", model)
    assert not exact
    far, _, _ = audit.compared(audit.run(model, feeds()), audit.run(healed, feeds()))
    assert far > 0
    cosine, finite = half(healed, model)
    assert finite == 1.0 and cosine > 0.99
    assert max(one.largest for one in measure(healed, feeds()) if one.op == "Clip") == CLAMP


def test_keeping_float32_is_noted_in_the_graph_and_cures_what_can_mix() -> None:
    model = outliers.encoder()
    healed, exact = cured("fp32", model)
    assert exact and {entry.key for entry in healed.metadata_props} == {KEPT_KEY}
    cosine, finite = half(healed, model)
    assert finite == 1.0 and cosine > 0.9999


def not_linear() -> onnx.ModelProto:
    """Planted outliers that an Erf reads: no scale passes it."""
    model = outliers.encoder()
    nodes = list(model.graph.node)
    place = next(at for at, node in enumerate(nodes) if node.name == "last.norm")
    nodes[place].input[0] = "bent"
    nodes.insert(place, helper.make_node("Erf", ["layer1.x2"], ["bent"], "bent"))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def test_what_cannot_be_scaled_is_told_and_auto_clamps_it() -> None:
    model = not_linear()
    with pytest.raises(audit.ModelError, match=r"cannot be scaled exactly: Add layer0.narrow.*--cure auto"):
        cured("scale", model)
    healed, exact = cured("auto", model)
    assert not exact and half(healed, model)[1] == 1.0
    healed, exact = cured("auto", outliers.encoder())
    assert exact, "where scaling works nothing is clamped"


@pytest.mark.parametrize("wanted", ["auto", "clamp"])
def test_the_command_tells_before_and_after_and_writes_the_cured_graph(
    tmp_path: Path, sound: Path, capsys: pytest.CaptureFixture[str], wanted: str
) -> None:
    path, out = tmp_path / "encoder.onnx", tmp_path / "cured.onnx"
    onnx.save(outliers.encoder(), path)
    options = ["--calibration", str(sound), "--context", "100", "--cure", wanted, "-o", str(out)]
    assert audit.main([str(tmp_path), *options, "--picture", str(tmp_path / "ranges.svg")]) == 0
    told = capsys.readouterr().out
    assert "original in float16 against float32: 0.00% of the numbers are finite, cosine 0.0000000" in told
    assert re.search(r"cured in float16 against float32: 100\.00% .* finite, cosine (0\.99|1\.00)", told)
    assert "over     Add layer1.x2" in told
    assert audit.main([str(out), "--calibration", str(sound), "--context", "100"]) == 0
    assert "over" not in capsys.readouterr().out
    assert sorted(one.name for one in tmp_path.iterdir()) == ["cured.onnx", "encoder.onnx", "ranges.svg"]


def test_bad_input_is_one_message_and_nothing_is_written(
    tmp_path: Path, sound: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    onnx.save(not_linear(), tmp_path / "bent.onnx")
    (tmp_path / "words.onnx").write_text("words")
    out = tmp_path / "cured.onnx"
    cure_it = ["--cure", "scale", "-o", str(out)]
    for name, options, told in (
        ("bent.onnx", ["--calibration", str(sound), *cure_it], "cannot be scaled exactly"),
        ("words.onnx", ["--calibration", str(sound), *cure_it], "words.onnx: is no ONNX graph"),
        ("none.onnx", ["--calibration", str(sound)], "none.onnx: cannot be read"),
        ("bent.onnx", ["--calibration", str(tmp_path)], "holds no .wav file"),
    ):
        assert audit.main([str(tmp_path / name), *options]) == 2
        assert told in capsys.readouterr().err
    assert not out.exists()


def test_the_npu_is_not_given_a_graph_that_keeps_float32(tmp_path: Path, sound: Path) -> None:
    healed, _ = cured("fp32", outliers.encoder())
    onnx.save(healed, tmp_path / "kept.onnx")
    (tmp_path / "model.yaml").write_text("bands: 80\ncontexts: [100]\n")
    wish = rknn.Wish(tmp_path, (100,), tmp_path / "kept.onnx", sound)
    with pytest.raises(audit.ModelError, match="keeps numbers in float32, which the NPU cannot"):
        rknn.convert(wish, Path("/nowhere/python"))


@pytest.mark.rknn
def test_the_toolkits_simulator_breaks_on_the_original_and_takes_the_cured(tmp_path: Path) -> None:
    if not TOOLKIT.is_file():
        pytest.skip(f"{TOOLKIT} is missing: make it with tools.convert.asr.rknn, or name one in $RKNN_PYTHON")
    (tmp_path / "model.yaml").write_text("bands: 80\ncontexts: [100]\n")
    speech = root() / "tests/takes"
    wish = rknn.Wish(tmp_path, (100,), tmp_path / "encoder.onnx", speech)
    onnx.save(outliers.encoder(), wish.encoder)
    with pytest.raises(audit.ModelError, match=r"cross_k at 100, cross_v at 100 is not alike.*audit"):
        rknn.convert(wish, TOOLKIT)
    for wanted in ("scale", "clamp"):
        options = ["--calibration", str(speech), "--cure", wanted, "-o", str(tmp_path / f"{wanted}.onnx")]
        assert audit.main([str(wish.encoder), *options]) == 0
        cured_wish = rknn.Wish(tmp_path, (100,), tmp_path / f"{wanted}.onnx", speech)
        assert rknn.convert(cured_wish, TOOLKIT).is_file()


def test_the_picture_and_the_bars_show_the_limit(tmp_path: Path) -> None:
    ranges = [Range("a", "Add", "a <b>", 1.0), Range("b", "Add", "b", 2 * LIMIT)]
    draw(tmp_path / "ranges.svg", ranges, "x & y")
    bars = ElementTree.parse(tmp_path / "ranges.svg").getroot().iter("{http://www.w3.org/2000/svg}title")
    assert [one.text for one in bars] == ["Add a <b>: 1, ok", "Add b: 1.31e+05, over"]
    assert "|" in bar(ranges[0]) and "X" in bar(ranges[1])
    assert bar(ranges[0]).count("#") < bar(ranges[1]).count("#")
