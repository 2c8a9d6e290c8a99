"""What a board file says of its machine: chip, pins, memory, costs, ladder, image; all that is wrong is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from epsilon.config import pins, units
from epsilon.config.board import load_board
from epsilon.config.document import Problems, read
from epsilon.config.machine_checks import size_mb
from epsilon.config.models import File, Model
from epsilon.errors import ConfigError

BOARD = """\
character: tim
audio: {device: wav}
stages:
  capture: {engine: none}
  vad: {engine: silero}
  asr: {engine: whisper, model: ears, runtime: rknn, npu_cores: [0]}
  llm: {engine: mistral, model: mind, runtime: onnx}
  phrases: {}
  tts: {engine: styletts2, model: voice, runtime: rknn, npu_cores: [1]}
  effects: {}
  playback: {}
soc:
  chip: RK3588
  architecture: arm64
  cores:
    little: {kind: Cortex-A55, ids: [0, 1, 2, 3], clock: 1.8 GHz, speed: 0.2}
    big: {kind: Cortex-A76, ids: [4, 5, 6, 7], clock: 2400 MHz, speed: 0.5, bandwidth: 9 GB/s}
  npu: RKNPU
  npu_cores: 3
  gpu: Mali
  memory: 4 GB
  bandwidth: 20 GB/s
  zones: [soc-thermal]
  gpio: {gpio0: 32, gpio1: 32, gpio4: 32}
costs:
  ears: {on: npu, pass: 12 ms, read: 20 MB, source: made up}
  silero: {pass: 0.2 ms}
system: {lock_memory: true, governor: performance, irqs: {fea10000: [0]}}
body:
  hardware: gpio
  chip: gpio1
  talk_button: GPIO4_B2
  mute_switch: GPIO3
  light: {red: GPIO0_D4, green: GPIO0_D5, blue: GPIO1_C6}
ladder: {low_battery: 20 %, critical_battery: 5 %, hot: 80 °C, cool: 70 °C, smaller: {asr: {cores: [3]}}}
budget: {memory: 600 MB}
image:
  kernel: vendor
  inputs:
    vendor: {file: kernel.tar, source: the vendor, at: 32 KiB}
  packages: [alsa-utils]
"""
ROW = "{name}: {{kind: {kind}, engine: {engine}, licence: x, source: y, made_by: z, files: {{{files}}}}}\n"
FILE = "f.bin: {{size: {size}, sha256: ab}}"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with a board of every key, all of them right, and models of 20 and 2000 MB."""
    (tmp_path / "boards").mkdir()
    (tmp_path / "characters/tim").mkdir(parents=True)
    (tmp_path / "models").mkdir()
    (tmp_path / "boards/toy.yaml").write_text(BOARD)
    (tmp_path / "characters/tim/character.yaml").write_text("summary: Tim\n")
    rows = []
    for name, kind, engine in (
        ("ears", "asr", "whisper"),
        ("mind", "llm", "mistral"),
        ("voice", "tts", "styletts2"),
    ):
        for prefix, size in (("", 20_000_000), ("large_", 2_000_000_000)):
            row = ROW.format(name=prefix + name, kind=kind, engine=engine, files=FILE.format(size=size))
            rows.append(row)
    (tmp_path / "models/manifest.yaml").write_text("".join(rows))
    monkeypatch.setenv("EPSILON_HOME", str(tmp_path))
    return tmp_path


def edit(home: Path, old: str, new: str) -> None:
    """Replace the one place of the board where `old` stands."""
    path = home / "boards/toy.yaml"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_a_board_with_every_key_is_read_with_its_units(home: Path) -> None:
    board = load_board("toy")
    assert board.soc.core_ids == tuple(range(8))
    assert (board.soc.kind_of(3), board.soc.kind_of(9)) == ("little", None)
    assert (board.soc.speed_of(4), board.soc.speed_of(9)) == (0.5, 1.0)
    assert board.soc.cores["little"].clock_mhz == 1800
    assert (board.soc.memory_mb, board.soc.bandwidth_gb_s) == (4000, 20)
    assert board.soc.cores["big"].bandwidth_gb_s == 9
    assert (board.costs["ears"].pass_ms, board.costs["ears"].read_mb) == (12, 20)
    assert board.system.irqs == {"fea10000": (0,)}
    assert (board.ladder.hot_c, board.ladder.low_battery_percent) == (80, 20)
    assert board.image.inputs["vendor"].at_kib == 32
    assert dict(board.body.pins())[("light", "blue")] == "GPIO1_C6"


def test_nothing_is_asked_of_an_unknown_machine(home: Path) -> None:
    text = (
        BOARD[: BOARD.index("soc:")].replace("npu_cores: [1]", "npu_cores: [1, 2]").replace("[1, 2]", "[1]")
    )
    (home / "boards/toy.yaml").write_text(text.replace("capture: {", "capture: {cores: [99], "))
    board = load_board("toy")
    assert board.soc.core_ids == () and board.image.kernel is None


def test_a_ladders_smaller_stages_are_laid_over_the_boards(home: Path) -> None:
    board = load_board("toy")
    smaller = board.with_stages(board.ladder.smaller)
    assert smaller.stages["asr"].cores == (3,)
    assert smaller.stages["asr"].model == "ears"
    assert smaller.stages["tts"] == board.stages["tts"]
    assert not smaller.ladder.smaller.items, "there is nothing smaller than that"


def test_a_plan_is_laid_over_the_boards_stages_and_checked(home: Path) -> None:
    board = load_board("toy")
    plan = home / "plan.yaml"
    plan.write_text("llm: {cores: [6]}\n")
    planned = board.with_stages(read(plan, Problems()))
    assert planned.stages["llm"].cores == (6,)
    assert planned.ladder == board.ladder
    plan.write_text("llm: {cores: [8]}\n")
    with pytest.raises(ConfigError, match=r"plan.yaml:1:14: no core 8: .* 0 to 7 \(nearest: 7\)"):
        board.with_stages(read(plan, Problems()))


MISTAKES = [  # what is changed, into what, and what the message must hold
    ("[4, 5, 6, 7]", "[3, 4]", ["17:34", "core 3 is one of 'little'"]),
    ("[4, 5, 6, 7]", "[]", ["17:34", "no core is listed"]),
    ("  npu_cores: 3\n", "", ["13:3", "'npu' and 'npu_cores'"]),
    ("clock: 1.8 GHz", "clock: 1.8 G", ["16:58", "MHz or GHz"]),
    ("[1]", "[0]", ["9:68", "NPU core 0 belongs to stage 'asr'", "free: 1, 2"]),
    ("  npu_cores: 3", "  npu_cores: 1", ["9:68", "NPU's cores are 0", "nearest: 0"]),
    (
        "  npu: RKNPU\n  npu_cores: 3\n",
        "",
        ["6:48", "RK3588 has no NPU for 'rknn'", "there are: onnx, openvino"],
    ),
    ("chip: gpio1", "chip: gpio5", ["31:9", "no GPIO chip 'gpio5'", "gpio0, gpio1, gpio4"]),
    ("GPIO4_B2", "GPIO2_B2", ["32:16", "no GPIO chip 'gpio2' for pin 'GPIO2_B2'", "gpio4"]),
    ("mute_switch: GPIO3", "mute_switch: GPIO32", ["33:16", "lines of gpio1 are 0 to 31", "nearest: GPIO31"]),
    ("mute_switch: GPIO3", "mute_switch: GPIO4_B2", ["33:16", "pin 'GPIO4_B2' is the talk button"]),
    ("mute_switch: GPIO3", "mute_switch: GPIO22", ["34:49", "pin 'GPIO1_C6' is the mute switch"]),
    ("blue: GPIO1_C6", "blue: GPIO1_E6", ["34:49", "no pin 'GPIO1_E6'"]),
    ("  chip: gpio1\n", "", ["32:16", "pin 'GPIO3' needs the key 'chip'"]),
    (
        "hardware: gpio\n",
        "hardware: gpio\n  volume_knob: {a: GPIO1, b: GPIO4_A1}\n",
        ["31:30", "on one chip", "gpio1"],
    ),
    (
        "hardware: gpio\n",
        "hardware: gpio\n  volume_knob: {a: GPIO3, b: GPIO4}\n",
        ["31:20", "is the mute switch"],
    ),
    ("hardware: gpio", "hardware: gpoi", ["30:13", "no hardware 'gpoi'", "did you mean gpio?"]),
    ("hardware: gpio", "hardware: none", ["32:16", "a talk button needs `hardware`"]),
    ("fea10000: [0]", "fea10000: [8]", ["28:69", "no core 8", "nearest: 7"]),
    ("governor: performance", "governor: perfomance", ["28:39", "did you mean performance?"]),
    ("critical_battery: 5 %", "critical_battery: 25 %", ["35:47", "should be below low_battery, 20 %"]),
    ("cool: 70 °C", "cool: 90 °C", ["35:70", "should be below hot, 80 °C"]),
    ("{cores: [3]}", "{cores: [9]}", ["35:100", "no core 9", "nearest: 7"]),
    ("smaller: {asr:", "smaller: {azr:", ["35:87", "no stage 'azr'", "did you mean asr?"]),
    ("  ears: {on", "  eers: {on", ["26:3", "no model or engine 'eers'", "did you mean ears?"]),
    ("memory: 600 MB", "memory: 5 GB", ["36:18", "RK3588 has only 4000 MB", "nearest: 4000 MB"]),
    ("memory: 600 MB", "memory: 50 MB", ["36:18", "the models alone need 60 MB", "nearest: 60 MB"]),
    (
        "model: mind",
        "model: large_mind",
        ["7:33", "needs 2000 MB and more", "budget is 600 MB", "fitting: mind"],
    ),
    ("kernel: vendor", "kernel: vendro", ["38:11", "no kernel 'vendro'", "did you mean vendor?"]),
    ("kernel: vendor", "kernel: linux-image-x;reboot", ["38:11", "no package of Debian is named"]),
    ("  architecture: arm64\n", "", ["13:3", "'architecture'"]),
    ("architecture: arm64", "architecture: amr64", ["14:17", "did you mean arm64?"]),
    ("at: 32 KiB", "at: 32 kB", ["40:56", "KiB or MiB"]),
    ("source: the vendor,", "source: the vendor, sha256: AB,", ["40:60", "64 digits"]),
    ("[alsa-utils]", "[alsa utils]", ["41:13", "no package of Debian"]),
]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [one for one in MISTAKES if one[2]],
    ids=[one[1].strip()[:40] for one in MISTAKES if one[2]],
)
def test_a_mistake_is_told_with_its_place_and_the_nearest_value(
    home: Path, old: str, new: str, told: list[str]
) -> None:
    edit(home, old, new)
    with pytest.raises(ConfigError) as caught:
        load_board("toy")
    place, *parts = told
    fitting = [
        line for line in str(caught.value).splitlines() if line.startswith(f"boards/toy.yaml:{place}: ")
    ]
    assert fitting, str(caught.value)
    for part in parts:
        assert any(part in line for line in fitting), fitting


def test_an_accelerator_that_the_chip_lacks(home: Path) -> None:
    edit(home, "  gpu: Mali\n", "")
    edit(home, "model: mind, runtime: onnx", "model: mind, runtime: mlc, device: opencl")
    edit(home, "silero: {pass", "mind: {on: gpu, pass")
    with pytest.raises(ConfigError) as caught:
        load_board("toy")
    assert [one.message for one in (caught.value, *caught.value.others)] == [
        "RK3588 has no GPU for 'opencl'; there are: cpu",
        "RK3588 has no GPU; there are: cpu, npu (did you mean npu?)",
    ]


def test_mistakes_of_both_passes_are_told_at_once(home: Path) -> None:
    edit(home, "clock: 1.8 GHz", "clock: fast")
    edit(home, "runtime: onnx", "runtime: onyx")
    edit(home, "phrases: {}", "phrases: {cores: [8], priorty: 3}")
    edit(home, "GPIO4_B2", "GPIO4_B9")
    edit(home, "[alsa-utils]", "[7]")
    with pytest.raises(ConfigError) as caught:
        load_board("toy")
    found = [(one.where.partition(":")[2], one.message) for one in (caught.value, *caught.value.others)]
    assert [where for where, _ in found] == ["7:48", "8:20", "8:25", "16:58", "32:16", "41:14"], found


def test_what_follows_from_a_broken_entry_is_not_told(home: Path) -> None:
    edit(home, "engine: whisper", "engine: 7")
    edit(home, "engine: mistral", "engine: mistrol")  # nor that its model is for another one
    edit(home, "GPIO4_B2", "GPIO4_B9")
    with pytest.raises(ConfigError) as caught:
        load_board("toy")
    assert [one.where for one in (caught.value, *caught.value.others)] == [
        "boards/toy.yaml:6:17",
        "boards/toy.yaml:7:17",
        "boards/toy.yaml:32:16",
    ]


def test_a_key_that_there_is_not_hides_nothing(home: Path) -> None:
    edit(home, "phrases: {}", "phrases: {priorty: 3}")
    edit(home, "{cores: [3]}", "{cores: [9]}")
    with pytest.raises(ConfigError) as caught:
        load_board("toy")
    assert [one.where for one in (caught.value, *caught.value.others)] == [
        "boards/toy.yaml:8:13",
        "boards/toy.yaml:35:100",
    ]


@pytest.mark.parametrize(
    ("name", "chip", "found"),
    [
        ("GPIO17", "pinctrl-rp1", ("pinctrl-rp1", 17)),
        ("GPIO17", None, (None, 17)),
        ("GPIO4_B3", None, ("gpio4", 11)),
        ("GPIO1_D7", "other", ("gpio1", 31)),
        ("J8:11", None, (None, None)),
        ("BOARD11", "pinctrl-rp1", ("pinctrl-rp1", None)),
    ],
)
def test_pins(name: str, chip: str | None, found: tuple[str | None, int | None]) -> None:
    pin = pins.parse(name, chip)
    assert (pin.chip, pin.line) == found


@pytest.mark.parametrize("name", ["GPIO", "GPIO4_E1", "GPIO4_A8", "PA7", ""])
def test_what_is_no_pin(name: str) -> None:
    with pytest.raises(ValueError, match="GPIO4_B3"):
        pins.parse(name, None)


@pytest.mark.parametrize(
    ("text", "suffix", "number"),
    [
        ("2.4 GHz", "mhz", 2400),
        ("8 MiB", "kib", 8192),
        ("17 GB/s", "gb_s", 17),
        ("80 °C", "c", 80),
        ("80C", "c", 80),
    ],
)
def test_units_of_a_machine(text: str, suffix: str, number: float) -> None:
    assert units.parse(text, suffix) == number


def test_large_numbers_are_written_out() -> None:
    assert units.show(4_000_000, "mb") == "4000000 MB"
    assert units.show(0.01, "percent") == "0.01 %"


def test_a_model_for_two_runtimes_counts_once() -> None:
    files = {
        "encoder.rknn": File("ab", 5_000_000),
        "encoder.onnx": File("ab", 8_000_000),
        "words.json": File("ab", 1_000_000),
    }
    model = Model("m", Path(), "asr", "whisper", "x", "y", "z", files)
    assert size_mb(model) == 6


def test_a_units_suffix_may_have_two_words() -> None:
    assert units.split_name("bandwidth_gb_s") == ("bandwidth", "gb_s")
    assert units.split_name("first_answer_ms") == ("first_answer", "ms")
