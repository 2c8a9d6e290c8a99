"""Fetching ears from a hub on the loopback device: whole, interrupted, damaged, refused, without room or network.

What is fetched here are a few random bytes, and a stand-in converts them; the last test converts a tiny
checkpoint with random weights for real.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from epsilon.__main__ import main
from epsilon.config.board import load_board
from epsilon.config.ears import best_ears
from epsilon.config.folders import root
from epsilon.config.models import find_model, measure, read_pulled, verify
from tests.hub import LOOPBACK, Hub, serving

pytest.importorskip("huggingface_hub", reason="the extra `pull` is not installed")

import huggingface_hub.constants
import huggingface_hub.hf_api

import tools.pull
from tools.convert.asr import Converted, Options

REPOSITORY = "distil-whisper/distil-small.en"
WEIGHTS = bytes(range(256)) * 2000
FILES = {
    "config.json": b'{"model_type": "whisper"}',
    "generation_config.json": b"{}",
    "tokenizer.json": b'{"model": 1}',
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"not wanted",
    "README.md": b"not wanted",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What ships, without its models' files, and a conversion that only copies."""
    shutil.copytree(root() / "boards", tmp_path / "boards")
    shutil.copytree(root() / "characters", tmp_path / "characters")
    (tmp_path / "models").mkdir()
    shutil.copy(root() / "models/manifest.yaml", tmp_path / "models")
    monkeypatch.setenv("EPSILON_HOME", str(tmp_path))
    monkeypatch.setattr(tools.pull, "NEEDED", ())
    monkeypatch.setattr(tools.pull, "convert", copied)
    return tmp_path


def copied(folder: Path, out: Path, options: Options, tell: Callable[[str], None]) -> Converted:
    """In place of the conversion, which needs packages that these tests do without."""
    out.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copy(folder / name, out / name)
    files = {path.name: measure(path) for path in sorted(out.iterdir())}
    return Converted(out, files, options.licence, options.source, "a test")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(Hub(REPOSITORY, dict(FILES))) as served:
        point_at(served.address, monkeypatch)
        yield served


def point_at(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """huggingface_hub reads the address when it is imported, and keeps it."""
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", address)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


def no_model_is_there(home: Path) -> bool:
    there = [
        path.name
        for path in (home / "models").glob("pulled/*")
        if path.name not in (".fetched", "manifest.yaml")
    ]
    return not there and not read_pulled()


def test_a_checkpoint_is_fetched_converted_registered_used_and_removed(
    home: Path, hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "pull", "distil-small.en"]) == 0
    assert sorted(hub.sent) == [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    model = find_model("pulled/distil-small.en")
    verify(model)
    assert (model.folder / "model.safetensors").read_bytes() == WEIGHTS
    assert model.licence == "mit" and model.source.startswith(f"huggingface.co/{REPOSITORY} at 0123")
    assert not list((home / "models/pulled/.fetched").iterdir())
    assert best_ears(load_board("host")).model == "pulled/distil-small.en"
    capsys.readouterr()
    assert main(["models", "list"]) == 0
    assert "pulled/distil-small.en: asr, whisper, 0.5 MB, mit" in capsys.readouterr().out
    assert (
        main(["models", "manifest"]) == 2
    )  # the shipped models' files are not here; pulled ones are no matter
    assert main(["models", "remove", "distil-small.en"]) == 0
    assert no_model_is_there(home)


def test_an_interrupted_fetch_goes_on_where_it_broke_off(
    home: Path, hub: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 100)
    hub.break_after = 1000
    assert main(["models", "pull", "distil-small.en"]) == 2
    message = capsys.readouterr().err
    assert "the same command goes on" in message and "Traceback" not in message
    assert no_model_is_there(home)
    (part,) = (home / "models/pulled/.fetched").glob("*/model.safetensors.part")
    had = part.stat().st_size
    assert 0 < had < len(WEIGHTS) and part.read_bytes() == WEIGHTS[:had]
    hub.break_after = None
    hub.ranges.clear()
    hub.sent.clear()
    assert main(["models", "pull", "distil-small.en"]) == 0
    assert hub.sent == ["model.safetensors"] and hub.ranges == [f"bytes={had}-"]
    assert (home / "models/pulled/distil-small.en/model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_wrong_checksum_is_refused(
    home: Path, hub: Hub, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    hub.wrong.add(name)
    assert main(["models", "pull", "distil-small.en"]) == 2
    assert f"{name}: its checksum is not the hub's" in capsys.readouterr().err
    assert no_model_is_there(home)
    assert not list((home / "models/pulled/.fetched").glob(f"*/{name}*"))


def test_a_repository_that_is_not_there(home: Path, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "pull", "nobody/nothing"]) == 2
    assert "nobody/nothing: is not on the hub" in capsys.readouterr().err
    assert no_model_is_there(home)


def test_a_repository_without_fitting_weights(
    home: Path, hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    del hub.files["model.safetensors"]
    assert main(["models", "pull", "distil-small.en"]) == 2
    assert "has no weights as safetensors" in capsys.readouterr().err
    assert hub.sent == []


def test_no_network(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    point_at(f"http://{LOOPBACK}:9", monkeypatch)  # the port of `discard`, where nobody listens
    assert main(["models", "pull", "distil-small.en"]) == 2
    message = capsys.readouterr().err
    assert "the hub cannot be reached" in message and "Traceback" not in message
    assert no_model_is_there(home)


def test_a_full_disk_is_told_before_anything_is_fetched(
    home: Path, hub: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(home)._replace(free=10_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert main(["models", "pull", "distil-small.en"]) == 2
    assert "too little disk: 51 MB are needed, 10 MB are free" in capsys.readouterr().err
    assert hub.sent == []


def test_a_place_that_cannot_be_written(home: Path, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "models/pulled").write_text("a file where the folder should be")
    assert main(["models", "pull", "distil-small.en"]) == 2
    assert "models/pulled: cannot be written" in capsys.readouterr().err


def test_a_folder_on_disk_needs_no_network(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert main(["models", "pull", str(folder), "--name", "own-ears"]) == 0
    assert find_model("pulled/own-ears").source == str(folder)
    assert folder.is_dir()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["distil-smal.en"], "did you mean distil-small.en?"),
        (["./nowhere"], "./nowhere: is no folder"),
        (["distil-small.en", "--name", "../up"], "'../up' cannot be a model's name"),
    ],
)
def test_bad_input(home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str) -> None:
    assert main(["models", "pull", *arguments]) == 2
    assert told in capsys.readouterr().err
    assert no_model_is_there(home)


def test_a_name_that_is_taken_is_refused(home: Path, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "pull", "distil-small.en"]) == 0
    assert main(["models", "pull", "distil-small.en"]) == 2
    assert "there is a model 'pulled/distil-small.en' already" in capsys.readouterr().err


def test_missing_packages_are_named_before_anything_is_fetched(
    home: Path, hub: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools.pull, "NEEDED", ("no_such_package",))
    assert main(["models", "pull", "distil-small.en"]) == 2
    assert "needs no_such_package" in capsys.readouterr().err
    assert hub.sent == []


def test_what_the_toy_runs_never_loads_what_fetches() -> None:
    sources = (root() / "epsilon").rglob("*.py")
    assert not [path for path in sources if "huggingface_hub" in path.read_text("utf-8")]


def test_telemetry_is_off(home: Path, hub: Hub) -> None:
    assert main(["models", "pull", "distil-small.en"]) == 0
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"


@pytest.mark.train
def test_a_checkpoint_with_random_weights_goes_all_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers", reason="the extra `convert` is not installed")
    from epsilon.engines.asr import whisper
    from epsilon.realtime import Seat
    from epsilon.runtimes import onnx
    from tests.sounds import vowels
    from tools.convert.asr.random_checkpoint import SHAPES, make

    folder = tmp_path / "checkpoint"
    folder.mkdir()
    make(folder, SHAPES["miniature.en"], seed=1)
    (tmp_path / "models").mkdir()
    shutil.copy(root() / "models/manifest.yaml", tmp_path / "models")
    monkeypatch.setenv("EPSILON_HOME", str(tmp_path))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    with serving(Hub("openai/whisper-tiny.en", files)) as served:
        point_at(served.address, monkeypatch)
        assert main(["models", "pull", "tiny.en"]) == 0
    model = find_model("pulled/whisper-tiny.en")
    verify(model)
    ears: Any = whisper.load(model, onnx, Seat())
    hearing = ears.start()
    ears.hear(hearing, vowels(1.0, seed=1))
    ears.finish(hearing)
    assert model.source.startswith("RANDOM")
