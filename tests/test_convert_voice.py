"""A published Kokoro graph is cut where its vocoder begins: the parts are the whole, and what windows cost is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from epsilon.engines.protocols import Delivery
from epsilon.engines.tts.kokoro import Kokoro, load_whole, spoken
from epsilon.realtime import Seat
from epsilon.runtimes import onnx as runtime
from epsilon.runtimes import openvino
from tests.found import load
from tests.models import kokoro, tiny
from tests.models.kokoro import SIGHT, Sizes
from tools.convert.voice import __main__ as convert_voice
from tools.convert.voice import cut
from tools.convert.voice.measuring import compare
from tools.convert.voice.parts import Walk
from tools.convert.voice.surgery import with_tables

GRAPH = "kokoro-v1.0.onnx"
INTERFACES = [Sizes(), Sizes(tokens="input_ids", sound="waveform", durations="duration")]


@pytest.mark.parametrize("sizes", INTERFACES, ids=["as first published", "with durations"])
def test_front_and_vocoder_are_the_published_graph(sizes: Sizes, tmp_path: Path) -> None:
    voice = load_whole(kokoro.voice(tmp_path, sizes), runtime, Seat())
    cut(tmp_path / GRAPH, tmp_path)
    feeds = voice.feeds(voice.spell("Hello there.", more=False).symbols, Delivery(voice.styles["af_plain"]))
    fixed = tmp_path / "fixed.onnx"
    onnx.save(with_tables(onnx.load(tmp_path / GRAPH)), fixed)
    published = runtime.load(fixed, Seat())(feeds)[sizes.sound].reshape(-1)
    front, whole, meter, vocoder = (
        runtime.load(tmp_path / f"{name}.onnx", Seat()) for name in ("front", "whole", "meter", "vocoder")
    )
    read = front(feeds)
    window = {"frames": read["frames"], "source": read["source"], "style": feeds["style"]}
    np.testing.assert_allclose(whole(window)["audio"].reshape(-1), published, atol=1e-4)
    given = vocoder(window | meter(window))["audio"].reshape(-1)
    np.testing.assert_allclose(given, published, atol=1e-4)
    assert read["durations"].sum() * 2 == read["frames"].shape[2]


def test_the_tool_says_what_windows_cost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = kokoro.voice(tmp_path)
    assert convert_voice.main([str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert f"a window is decoded with {SIGHT} frames before and {SIGHT} after it, of 300 samples" in said
    assert "said in windows" in said and "said again by the graph" in said
    names = {"front.onnx", "meter.onnx", "vocoder.onnx", "windows.yaml", GRAPH, "voices-v1.0.bin"}
    assert {path.name for path in tmp_path.iterdir()} == names
    voice = load(model)
    assert isinstance(voice, Kokoro)
    chunks = list(
        voice.speak(voice.spell("Hello there.", more=False).symbols, Delivery(voice.styles["af_plain"]))
    )
    assert chunks[0].ends[-1] == sum(len(chunk.samples) for chunk in chunks)


def test_the_parts_run_on_openvino(tmp_path: Path) -> None:
    """The phase of a bin with no energy is anybody's guess: both are given the same excitation."""
    model = kokoro.cut_voice(tmp_path)
    voice = load(model, openvino)
    symbols = voice.spell("Hello there.", more=False).symbols
    delivery = Delivery(voice.styles["af_plain"])
    feeds = voice.feeds(symbols, delivery)
    said = sum(len(chunk.samples) for chunk in voice.speak(symbols, delivery))
    read = [graphs.load(tmp_path / "front.onnx", Seat())(feeds) for graphs in (runtime, openvino)]
    np.testing.assert_allclose(read[1]["frames"], read[0]["frames"], atol=1e-4)
    window = {"frames": read[0]["frames"], "source": read[0]["source"], "style": feeds["style"]}
    sounds = []
    for graphs in (runtime, openvino):
        meter, vocoder = (graphs.load(tmp_path / f"{name}.onnx", Seat()) for name in ("meter", "vocoder"))
        sounds.append(vocoder(window | meter(window))["audio"].reshape(-1))
    durations = read[0]["durations"].reshape(-1)
    begin, stop = spoken(durations * (len(sounds[0]) // int(durations.sum())))
    assert stop - begin == said and compare(sounds[1], sounds[0]).error_db < -60


def test_a_graph_of_another_kind_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.voice(tmp_path, streams=False)
    assert convert_voice.main([str(tmp_path)]) == 2
    assert (
        "model.onnx: is not a graph that can be cut: it has no upsampler in float32"
        in capsys.readouterr().err
    )


def test_a_file_that_is_no_graph_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / GRAPH).write_bytes(b"rubbish" * 50)
    assert convert_voice.main([str(tmp_path)]) == 2
    assert f"{GRAPH}: is no ONNX graph" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [GRAPH]


def test_seams_are_found_by_structure_not_by_name(tmp_path: Path) -> None:
    seams = Walk(kokoro.network(Sizes()), tmp_path).seams()
    assert seams.tokens == "tokens" and seams.sound == "audio"
    assert seams.frames.startswith("Conv") and seams.source.startswith("Concat")
    assert seams.durations.startswith("Cast") and seams.alignment.startswith("Cast")


def test_a_voice_is_as_loud_as_itself() -> None:
    sound = np.sin(np.arange(5000) / 7).astype(np.float32)
    assert compare(sound, sound).spectral_db == 0
    assert compare(2 * sound, sound).level_db == pytest.approx(6.02, abs=0.01)
    assert compare(1.1 * sound, sound).error_db == pytest.approx(-20, abs=0.01)
