"""Boards and characters that are wrong: every mistake is told with file, line and nearest name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from epsilon.config import units
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.config.folders import root
from epsilon.errors import ConfigError, nearest
from epsilon.parts import seat_of

BOARD = """\
character: tim
audio: {device: wav, rate: 16 kHz, block: 10 ms}
stages:
  capture: {engine: none}
  vad: {engine: silero}
  asr: {engine: whisper, model: ears, runtime: onnx}
  llm: {engine: mistral, model: mind, runtime: onnx}
  phrases: {}
  tts: {engine: styletts2, model: voice, runtime: onnx}
  effects: {}
  playback: {}
turn: {silence: 0.7 s}
soc: {cores: {all: {ids: [0, 1, 2, 3]}}, npu: RKNPU, npu_cores: 3}
"""
CHARACTER = """\
summary: Somebody for tests.
persona: Tim is a test.
voice: {style: plain}
lines: {trouble: Oh., low_battery: Ah., goodbye: Bye.}
"""
ROW = "{name}: {{kind: {kind}, engine: {engine}, licence: x, source: y, made_by: z, files: {{}}}}\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with one board, one character and three models, all of them right."""
    (tmp_path / "boards").mkdir()
    (tmp_path / "characters/tim").mkdir(parents=True)
    (tmp_path / "models").mkdir()
    (tmp_path / "boards/bench.yaml").write_text(BOARD)
    (tmp_path / "characters/tim/character.yaml").write_text(CHARACTER)
    kinds = (
        ("ears", "asr", "whisper"),
        ("topics", "asr", "pocketsphinx"),
        ("mind", "llm", "mistral"),
        ("voice", "tts", "styletts2"),
    )
    rows = [ROW.format(name=name, kind=kind, engine=engine) for name, kind, engine in kinds]
    (tmp_path / "models/manifest.yaml").write_text("".join(rows))
    monkeypatch.setenv("EPSILON_HOME", str(tmp_path))
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    """Replace the one place where `old` stands."""
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_a_right_board_is_read_with_its_units(home: Path) -> None:
    board = load_board("bench")
    assert (board.name, board.character) == ("bench", "tim")
    assert (board.audio.rate_hz, board.audio.block_frames, board.audio.lead_frames) == (16_000, 160, 960)
    assert board.turn.silence_ms == 700
    assert board.turn.hop_ms == 320  # the default
    assert board.stages["asr"].model == "ears"
    assert board.place("turn", "silence") == "boards/bench.yaml:12:17"


def test_npu_cores_reach_the_seat(home: Path) -> None:
    edit(home / "boards/bench.yaml", "ears, runtime: onnx", "ears, runtime: rknn, npu_cores: [0, 1]")
    board = load_board("bench")
    assert seat_of(board, "asr").npu_cores == (0, 1)
    assert seat_of(board, "llm").npu_cores == ()


def test_a_board_can_be_named_by_its_path(home: Path) -> None:
    elsewhere = home / "elsewhere.yaml"
    shutil.copy(home / "boards/bench.yaml", elsewhere)
    assert load_board(str(elsewhere)).name == "elsewhere"


MISTAKES = [  # what is changed, into what, and what the message must hold
    ("rate: 16 kHz", "rat: 16 kHz", ["boards/bench.yaml:2:22", "no key 'rat'", "did you mean rate?"]),
    ("rate: 16 kHz", "rate: 16", ["boards/bench.yaml:2:28", "Hz or kHz", "'16'"]),
    ("rate: 16 kHz", "rate: 16 MHz", ["boards/bench.yaml:2:28", "Hz or kHz"]),
    ("rate: 16 kHz", "rate: 1 kHz", ["boards/bench.yaml:2:28", "out of range", "8000 Hz"]),
    ("block: 10 ms", "block: fast", ["boards/bench.yaml:2:43", "expected a number with a unit"]),
    (
        "audio: {device: wav, rate: 16 kHz, block: 10 ms}",
        "audio: loud",
        ["boards/bench.yaml:2:8", "key: value"],
    ),
    ("device: wav, ", "", ["boards/bench.yaml:2:8", "key 'device' is missing"]),
    ("device: wav", "device: wave", ["boards/bench.yaml:2:17", "no device 'wave'", "did you mean wav?"]),
    (
        "character: tim",
        "character: tom",
        ["boards/bench.yaml:1:12", "no character 'tom'", "did you mean tim?"],
    ),
    ("character: tim", "character: 7", ["boards/bench.yaml:1:12", "put it in quotes"]),
    (
        "engine: whisper",
        "engine: wisper",
        ["boards/bench.yaml:6:17", "no engine for asr", "did you mean whisper?"],
    ),
    ("engine: whisper, ", "", ["boards/bench.yaml:6:8", "stage 'asr' needs the key 'engine'"]),
    ("model: ears", "model: earz", ["boards/bench.yaml:6:33", "no model 'earz'", "did you mean ears?"]),
    (
        "model: ears",
        "model: mind",
        ["boards/bench.yaml:6:33", "is for llm, not for asr", "for asr: ears, topics"],
    ),
    (
        "ears, runtime: onnx",
        "ears, runtime: onyx",
        ["6:48", "no runtime for asr 'onyx'", "did you mean onnx?"],
    ),
    ("ears, runtime: onnx", "ears, runtime: rknn", ["6:48", "needs the key 'npu_cores'"]),
    ("ears, runtime: onnx", "ears, runtime: rknn, npu_cores: [3]", ["6:66", "out of range", "to 2"]),
    ("ears, runtime: onnx", "ears, runtime: rknn, npu_cores: [0, 2]", ["6:65", "[0, 1] or [0, 1, 2]"]),
    ("ears, runtime: onnx", "ears, runtime: onnx, npu_cores: [0]", ["6:65", "are for the runtime rknn"]),
    ("model: ears", "model: topics", ["6:33", "is for the engine 'pocketsphinx'"]),
    ("turn: {", "turn: {engine: gru, ", ["12:7", "engine 'gru' needs the key 'model'"]),
    ("turn: {", "turn: {model: ears, ", ["12:15", "engine 'silence' takes no model"]),
    ("engine: silero", "engine: silero, model: ears", ["5:32", "stage 'vad' takes no model"]),
    (
        "  phrases: {}",
        "  phrazes: {}",
        ["boards/bench.yaml:8:3", "no stage 'phrazes'", "did you mean phrases?"],
    ),
    ("  effects: {}\n", "", ["boards/bench.yaml:4:3", "stage 'effects' is missing"]),
    ("phrases: {}", "phrases: {cores: [1, 1]}", ["boards/bench.yaml:8:20", "listed twice"]),
    ("phrases: {}", "phrases: {cores: [4]}", ["boards/bench.yaml:8:20", "no core 4", "0 to 3"]),
    ("phrases: {}", "phrases: {cores: 1}", ["boards/bench.yaml:8:20", "should be a list"]),
    ("phrases: {}", "phrases: {priority: 1.5}", ["boards/bench.yaml:8:23", "a whole number"]),
    ("phrases: {}", "phrases: {priority: 100}", ["boards/bench.yaml:8:23", "out of range"]),
    ("phrases: {}", "phrases: {}\n  phrases: {}", ["boards/bench.yaml:9:3", "given twice", "8:3"]),
    ("phrases: {}", "phrases: {", ["boards/bench.yaml:10", "is not YAML"]),
    ("phrases: {}", "phrases: *other", ["boards/bench.yaml:8:12", "references"]),
    ("soc: {", "? [a]\n: {", ["boards/bench.yaml:13:3", "a key must be a word"]),
    (
        "character: tim\n",
        "extends: bensh\n",
        ["boards/bench.yaml:1:10", "no board 'bensh'", "did you mean bench?"],
    ),
    ("character: tim\n", "extends: bench\n", ["boards/bench.yaml:1:10", "extends itself"]),
]


@pytest.mark.parametrize(("old", "new", "told"), MISTAKES, ids=[new.strip()[:40] for _, new, _ in MISTAKES])
def test_a_mistake_is_told_with_its_place_and_the_nearest_name(
    home: Path, old: str, new: str, told: list[str]
) -> None:
    edit(home / "boards/bench.yaml", old, new)
    with pytest.raises(ConfigError) as caught:
        load_board("bench")
    for part in told:
        assert part in str(caught.value)


def test_all_mistakes_of_a_file_are_told_together_in_its_order(home: Path) -> None:
    edit(home / "boards/bench.yaml", "rate: 16 kHz", "rat: 16 kHz")
    edit(home / "boards/bench.yaml", "npu_cores: 3", "npu_cores: many")
    edit(home / "boards/bench.yaml", "silence: 0.7 s", "silence: 0.7 h")
    with pytest.raises(ConfigError) as caught:
        load_board("bench")
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        f"boards/bench.yaml:{at}" for at in ("2:22", "12:17", "13:65")
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"# nothing\n", "is empty"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"- a\n", "key: value"),
        (b"a: \x00", "is not YAML"),
        (b"[" * 5_000, "nested too deeply"),
    ],
)
def test_a_file_that_holds_no_settings(home: Path, content: bytes, told: str) -> None:
    (home / "boards/bench.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=told) as caught:
        load_board("bench")
    assert "boards/bench.yaml" in str(caught.value)


def test_an_unknown_board_names_the_ones_there_are(home: Path) -> None:
    with pytest.raises(ConfigError, match=r"no board 'banch'; there are: bench \(did you mean bench\?\)"):
        load_board("banch")
    with pytest.raises(ConfigError, match="there is no such file"):
        load_board(str(home / "none.yaml"))


def test_extends_lays_a_board_over_another(home: Path) -> None:
    (home / "boards/child.yaml").write_text(
        "extends: bench\naudio: {block: 20 ms}\nstages: {asr: {cores: [1, 2]}}\n"
    )
    board = load_board("child")
    assert (board.audio.block_ms, board.audio.rate_hz, board.audio.device) == (20, 16_000, "wav")
    assert (board.stages["asr"].cores, board.stages["asr"].engine) == ((1, 2), "whisper")
    (home / "boards/child.yaml").write_text(
        "extends: bench\naudio: {block: 20 m}\nstages: {asr: {cores: [9]}}\n"
    )
    with pytest.raises(ConfigError, match=r"boards/child.yaml:2:16"):
        load_board("child")


def test_characters(home: Path) -> None:
    character = load_character("tim")
    assert (character.voice.speed, character.sampling.seed, character.effects) == (1.0, 0, ())
    path = home / "characters/tim/character.yaml"
    path.write_text(CHARACTER + "effects: [{name: room, options: {mix: 0.2}}]\n")
    character = load_character("tim")
    assert character.effects[0].name == "room"
    assert character.effects[0].options.place("mix") == "characters/tim/character.yaml:5:39"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("persona:", "persuna:", ["characters/tim/character.yaml:2:1", "did you mean persona?"]),
        (
            "style: plain",
            "style: plain, speed: 9",
            ["tim/character.yaml:3:30", "out of range: from 0.5 to 2"],
        ),
        ("Tim is a test.", "a " * 81, ["tim/character.yaml:2:10", "81 words", "at most 80"]),
        (
            "{style: plain}",
            "{style: plain, moods: {very sad: {}}}",
            ["tim/character.yaml:3:41", "no tag can ask for the mood 'very sad'"],
        ),
        ("goodbye: Bye.", "goodby: Bye.", ["4:41", "did you mean goodbye?"]),
        ("voice: {style: plain}", "voice: {style: plain}\neffects: [loud]", ["4:11", "key: value"]),
        ("summary: Somebody for tests.", 'summary: ""', ["1:10", "expected text, found none"]),
    ],
)
def test_a_mistake_in_a_character(home: Path, old: str, new: str, told: list[str]) -> None:
    edit(home / "characters/tim/character.yaml", old, new)
    with pytest.raises(ConfigError) as caught:
        load_character("tim")
    for part in told:
        assert part in str(caught.value)


def test_an_unknown_character_names_the_ones_there_are(home: Path) -> None:
    with pytest.raises(ConfigError, match=r"no character 'timm'; there are: tim \(did you mean tim\?\)"):
        load_character("timm")


@pytest.mark.parametrize(
    ("text", "suffix", "number"),
    [
        ("16 kHz", "hz", 16_000),
        ("20ms", "ms", 20),
        ("1.5 s", "ms", 1_500),
        ("3.5 GB", "mb", 3_500),
        ("2 %", "percent", 2),
    ],
)
def test_units(text: str, suffix: str, number: float) -> None:
    assert units.parse(text, suffix) == number


def test_names_that_are_like_nothing_get_no_guess() -> None:
    assert nearest("xyz", ["odette", "bram"]) == "; there are: bram, odette"
    assert nearest("xyz", []) == "; there are none"


def test_the_root_is_the_checkout_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EPSILON_HOME", raising=False)
    assert (root() / "pyproject.toml").is_file()
