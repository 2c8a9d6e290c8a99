"""The manifest and the files it means: missing, cut short, swapped, and measured anew."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from epsilon.__main__ import main
from epsilon.config.models import find_model, read_manifest, verify
from epsilon.errors import ConfigError, ModelError

ROW = """\
tiny/ears:
  kind: asr
  engine: whisper
  licence: Apache-2.0
  source: made by a test
  made_by: pytest
  files: {}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with one measured model of two files and a card."""
    folder = tmp_path / "models/tiny/ears"
    folder.mkdir(parents=True)
    (folder / "encoder.onnx").write_bytes(b"encoder" * 100)
    (folder / "model.yaml").write_text("a: 1\n")
    (folder / "card.md").write_text("for people\n")
    (tmp_path / "models/manifest.yaml").write_text(ROW)
    monkeypatch.setenv("EPSILON_HOME", str(tmp_path))
    assert main(["models", "manifest", "--write"]) == 0
    return tmp_path


def test_measuring_keeps_what_was_written_by_hand(home: Path) -> None:
    row = yaml.safe_load((home / "models/manifest.yaml").read_text())["tiny/ears"]
    assert list(row["files"]) == ["encoder.onnx", "model.yaml"]
    assert row["files"]["encoder.onnx"]["size"] == 700
    assert {key: row[key] for key in ("kind", "source", "made_by")} == {
        "kind": "asr",
        "source": "made by a test",
        "made_by": "pytest",
    }
    before = (home / "models/manifest.yaml").read_text()
    assert main(["models", "manifest", "--write"]) == 0
    assert (home / "models/manifest.yaml").read_text() == before


def test_a_whole_model_passes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verify(find_model("tiny/ears"))
    assert main(["models", "verify"]) == 0
    assert capsys.readouterr().out.startswith("tiny/ears: as in the manifest")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"encoder", "expected 700 bytes, found 7"),
        (b"recoden" * 100, "expected sha256"),
        (None, "the file is missing"),
    ],
)
def test_a_damaged_model_is_named_with_what_was_expected_and_found(
    home: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, told: str
) -> None:
    file = home / "models/tiny/ears/encoder.onnx"
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    assert main(["models", "verify"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("models/tiny/ears/encoder.onnx: ")
    assert told in message


def test_the_model_s_checksum_follows_its_files(home: Path) -> None:
    before = find_model("tiny/ears").sha256
    (home / "models/tiny/ears/model.yaml").write_text("a: 2\n")
    assert main(["models", "manifest", "--write"]) == 0
    assert find_model("tiny/ears").sha256 != before


def test_an_unknown_model_names_the_nearest(home: Path) -> None:
    with pytest.raises(
        ModelError, match=r"no model 'tiny/earz'; there are: tiny/ears \(did you mean tiny/ears\?\)"
    ):
        find_model("tiny/earz")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("kind: asr", "kind: ars", r"manifest.yaml:3:9: no such choice 'ars'.*did you mean asr\?"),
        ("engine:", "engin:", r"manifest.yaml:4:3: no key 'engin'.*did you mean engine\?"),
        ("size: 700", "size: big", r"manifest.yaml:9:26: expected a plain number"),
        ("  kind: asr\n", "", r"key 'kind' is missing"),
    ],
)
def test_a_mistake_in_the_manifest(home: Path, old: str, new: str, told: str) -> None:
    path = home / "models/manifest.yaml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ConfigError, match=told):
        read_manifest()


def test_a_model_without_files_is_not_a_model(home: Path) -> None:
    (home / "models/manifest.yaml").write_text(ROW)
    with pytest.raises(ModelError, match="lists no files"):
        find_model("tiny/ears")


def test_the_shipped_models_are_the_ones_in_the_manifest(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["models", "verify"])
    assert code == 0, capsys.readouterr().err
