"""The factory self-test: each item passes on a toy that is well, and fails on one that is not."""

from __future__ import annotations

import dataclasses
import importlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from epsilon import selftest
from epsilon.__main__ import main
from epsilon.audio_files import read_audio
from epsilon.clock import Clock, ManualClock
from epsilon.config.board import Audio, Board, Body, load_board
from epsilon.config.character import Character, load_character
from epsilon.config.machine import Light
from epsilon.config.models import Model
from epsilon.devices import Card
from epsilon.devices.portaudio import PortAudioCard
from epsilon.devices.wav import WavCard
from epsilon.errors import DeviceError
from epsilon.hardware import Colour, Switches
from epsilon.realtime import Seat
from epsilon.ring import Samples
from epsilon.runtimes import onnx, rknn
from epsilon.selftest import comparing
from epsilon.selftest.bench import LIMIT_S, SPOKEN, Bench
from epsilon.selftest.found import FAIL, PASS, SKIP
from epsilon.selftest.items import accelerators, button, light, memory, models
from tests import virtual_card
from tests.models import npu, tiny
from tests.sounds import RATE_HZ, noise
from tools.echo_path import EchoCard, Room

DOUBLES = Path(__file__).parent / "doubles"
ROOM = Room(delay_ms=30.0, level_db=-10.0)


class HurriedClock(ManualClock):
    """Whoever sleeps on it moves it."""

    def sleep_until(self, time_s: float) -> None:
        self.advance_to(time_s)


class Desk:
    """Opens cards in a made-up room, and keeps them to see what was played."""

    def __init__(self, hears: Samples | None = None, room: Room | None = ROOM) -> None:
        self.hears = noise(12.0, 1e-3) if hears is None else hears
        self.room, self.cards = room, list[WavCard]()

    def open(self, audio: Audio, clock: Clock) -> Card:
        card = (
            EchoCard(audio, clock, self.hears, self.room) if self.room else WavCard(audio, clock, self.hears)
        )
        self.cards.append(card)
        return card

    def said(self) -> Samples:
        """What left the card that was opened last, without the silence around it."""
        sound = self.cards[-1].reply()
        places = np.flatnonzero(np.abs(sound) > 1e-6)
        return sound[places[0] : places[-1] + 1]


def no_card(audio: Audio, clock: Clock) -> Card:
    raise DeviceError("the card does not open: it is busy", "USB")


@pytest.fixture
def board() -> Board:
    return load_board("host")


@pytest.fixture(scope="module")
def character() -> Character:
    return load_character("odette")


@pytest.fixture
def bench(board: Board, character: Character) -> Callable[..., Bench]:
    def on(desk: Any = None, board: Board = board, **given: Any) -> Bench:
        opened = desk.open if isinstance(desk, Desk) else desk or Desk().open
        return Bench(board, character, HurriedClock(), given.pop("show", str), new_card=opened, **given)

    return on


def look(bench: Bench, name: str) -> tuple[str, str, dict[str, Any]]:
    found = selftest.examine(bench, name).found
    return found.verdict, found.what, found.figures


@pytest.mark.parametrize("name", selftest.item_names())
def test_an_item_has_what_the_contract_says_and_its_word_is_stored(name: str) -> None:
    module: Any = selftest.item(name)
    assert isinstance(module.ORDER, int) and module.SPOKEN and callable(module.check)
    assert len(read_audio(SPOKEN / f"{name}.wav"))


def test_memory_that_keeps_what_is_written_is_well(bench: Callable[..., Bench]) -> None:
    verdict, _, figures = look(bench(), "memory")
    assert verdict == PASS and figures["tested_mb"] >= memory.PIECE_MB


def test_a_cell_that_changes_is_found(bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = memory.pattern
    written = iter(range(1_000_000))

    def stuck(number: int) -> memory.Piece:
        piece = whole(number)
        if next(written) == 0:
            piece[1234] ^= np.uint64(1 << 17)
        return piece

    monkeypatch.setattr(memory, "pattern", stuck)
    verdict, what, _ = look(bench(), "memory")
    assert verdict == FAIL and "2 cells" in what, "it is seen both ways round"


def test_pieces_of_memory_hold_different_numbers() -> None:
    assert len(np.intersect1d(memory.pattern(0)[::64], memory.pattern(1)[::64])) == 0


def test_less_memory_than_the_board_has_is_told(bench: Callable[..., Bench], board: Board) -> None:
    big = dataclasses.replace(board, soc=dataclasses.replace(board.soc, memory_mb=1e6))
    verdict, what, _ = look(bench(board=big), "memory")
    assert verdict == FAIL and "the board has 1000000" in what


def test_models_that_are_those_meant_are_well(bench: Callable[..., Bench]) -> None:
    verdict, _, figures = look(bench(), "models")
    assert verdict == PASS and "pocket/endpoint" in figures["models"] and figures["size_mb"] > 1


def test_every_damaged_model_is_named(
    bench: Callable[..., Bench], board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = models.read_manifest()
    for name in ("pocket/ears", "pocket/voice"):
        shutil.copytree(rows[name].folder, tmp_path / name)
        rows[name] = dataclasses.replace(rows[name], folder=tmp_path / name)
        damaged = tmp_path / name / "model.yaml"
        damaged.write_bytes(damaged.read_bytes()[:-1] + b"#")
    monkeypatch.setattr(models, "read_manifest", lambda: rows)
    verdict, what, _ = look(bench(), "models")
    assert verdict == FAIL and "ears/model.yaml" in what and "voice/model.yaml" in what


def test_a_room_is_heard(bench: Callable[..., Bench]) -> None:
    verdict, _, figures = look(bench(), "microphone")
    assert verdict == PASS and figures["noise_db"] == pytest.approx(-60, abs=1)


@pytest.mark.parametrize(
    ("heard", "told"),
    [
        (np.zeros(3 * RATE_HZ, np.float32), "pure silence"),
        (noise(3.0, 0.1), "-20 dB of noise"),
        (noise(3.0, 1e-3) + np.float32(0.1), "off by 10 %"),
        (np.sign(noise(3.0, 1e-3)), "clips"),
    ],
)
def test_a_sick_microphone_is_told(bench: Callable[..., Bench], heard: Samples, told: str) -> None:
    verdict, what, _ = look(bench(Desk(heard)), "microphone")
    assert verdict == FAIL and told in what


def test_the_loop_is_heard_with_its_delay_and_clearness(bench: Callable[..., Bench]) -> None:
    verdict, _, figures = look(bench(), "loop")
    assert verdict == PASS
    assert figures["delay_ms"] == pytest.approx(30, abs=1) and 20 < figures["snr_db"] < 40
    assert len([name for name in figures if name.startswith("from_")]) == 4


@pytest.mark.parametrize(
    ("room", "told"),
    [
        (Room(level_db=-80.0), "does not hear the speaker"),
        (Room(level_db=-35.0), "dB above the noise, 15 are right"),
        (Room(delay_ms=400.0), "400 ms late"),
        (Room(level_db=30.0), "clips"),
    ],
)
def test_a_sick_loop_is_told(bench: Callable[..., Bench], room: Room, told: str) -> None:
    verdict, what, _ = look(bench(Desk(room=room)), "loop")
    assert verdict == FAIL and told in what


class Muffled(Room):
    """A room behind a speaker that has nothing above 1200 Hz."""

    def response(self) -> npt.NDArray[np.float64]:
        taps = np.sinc(2 * 1200 / RATE_HZ * np.arange(-100, 101)) * np.hanning(201) * 2 * 1200 / RATE_HZ
        return np.convolve(super().response(), taps)


def test_a_speaker_without_its_high_notes_is_told(bench: Callable[..., Bench]) -> None:
    verdict, what, _ = look(bench(Desk(room=Muffled(delay_ms=30.0, level_db=-10.0))), "loop")
    assert verdict == FAIL and "from 2364 to 5000 Hz hardly anything" in what


def test_a_card_that_cannot_hear_itself_has_no_loop(bench: Callable[..., Bench]) -> None:
    assert look(bench(Desk(room=None)), "loop")[0] == SKIP


def test_a_card_that_does_not_open_fails_and_is_not_spoken_to(bench: Callable[..., Bench]) -> None:
    broken = bench(no_card)
    for name in ("microphone", "loop"):
        assert look(broken, name)[:2] == (FAIL, "USB: the card does not open: it is busy")
    broken.say("fail")


@pytest.fixture
def pins() -> Iterator[Any]:
    """gpiozero's own fake: pins without a board."""
    from gpiozero import Device
    from gpiozero.pins.mock import MockFactory

    before, Device.pin_factory = Device.pin_factory, MockFactory()
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = before


def with_body(board: Board, **body: Any) -> Board:
    return dataclasses.replace(board, body=Body(hardware="gpio", **body))


def test_a_button_that_is_pressed_is_well(bench: Callable[..., Bench], board: Board, pins: Any) -> None:
    shown: list[str] = []

    def press(text: str) -> None:
        shown.append(text)
        pins.pin(17).drive_low()

    desk = Desk()
    tried = bench(desk, with_body(board, talk_button="GPIO17"), show=press)
    assert look(tried, "button")[0] == PASS
    assert shown == [button.PLEASE]
    assert len(desk.said()) > RATE_HZ, "the request is spoken as well"


class HeldFromTheStart:
    """A body whose button is down when the toy is switched on."""

    def __init__(self, switches: Switches) -> None:
        self.switches, self.light = switches, DullRed()

    def start(self) -> None:
        self.switches.press(True)

    def stop(self) -> None: ...


def hands_off(switches: Switches, let_go: bool) -> None:
    if let_go:
        switches.press(False)


@pytest.mark.parametrize(("let_go", "verdict"), [(True, PASS), (False, FAIL)])
def test_letting_a_held_button_go_counts_and_holding_it_does_not(
    bench: Callable[..., Bench], board: Board, monkeypatch: pytest.MonkeyPatch, let_go: bool, verdict: str
) -> None:
    monkeypatch.setattr(button, "load_hardware", lambda board, switches: HeldFromTheStart(switches))
    monkeypatch.setattr(button, "PATIENCE_S", 0.0)
    tried: Bench = bench(
        board=with_body(board, talk_button="GPIO17"), show=lambda text: hands_off(tried.hands, let_go)
    )
    assert look(tried, "button")[0] == verdict


def test_a_button_that_nobody_moves_fails(
    bench: Callable[..., Bench], board: Board, pins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(button, "PATIENCE_S", 0.0)
    tried = bench(
        board=with_body(board, talk_button="GPIO17", mute_switch="GPIO27"),
        show=lambda text: pins.pin(27).drive_low(),
    )
    assert look(tried, "button")[:2] == (FAIL, "the talk button at GPIO17 did not move")


def test_a_board_without_pins_has_no_button(bench: Callable[..., Bench]) -> None:
    assert look(bench(), "button")[0] == SKIP


LIGHT = Light(red="GPIO5", green="GPIO6", blue="GPIO13")


@pytest.fixture
def dimming_pins() -> Iterator[Any]:
    """The same with pins that can be dimmed."""
    from gpiozero import Device
    from gpiozero.pins.mock import MockFactory, MockPWMPin

    before, Device.pin_factory = Device.pin_factory, MockFactory(pin_class=MockPWMPin)
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = before


def test_every_colour_is_shown_long_enough_to_be_seen(
    bench: Callable[..., Bench], board: Board, dimming_pins: Any
) -> None:
    tried = bench(board=with_body(board, light=LIGHT))
    verdict, _, figures = look(tried, "light")
    assert verdict == PASS and figures["colours"] == ["red", "green", "blue", "white"]
    assert tried.clock.now() == pytest.approx(4 * light.LOOK_S)
    history = [state for _, state in dimming_pins.pin(5).states]
    assert 1.0 in history and history[-1] == 0


class DullRed:
    """A light whose red pin does not follow."""

    there, colour = True, Colour(0, 0, 0)

    def show(self, colour: Colour) -> None:
        self.colour = colour._replace(red=colour.red * 0.4)

    def shown(self) -> Colour:
        return self.colour


def test_a_pin_that_does_not_follow_is_told(
    bench: Callable[..., Bench], board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = HeldFromTheStart(Switches())
    monkeypatch.setattr(light, "load_hardware", lambda board, switches: body)
    verdict, what, _ = look(bench(board=with_body(board, light=LIGHT)), "light")
    assert verdict == FAIL and "red is asked for and the pins give (0.4, 0, 0)" in what
    assert "white" in what and "green is" not in what


@pytest.mark.parametrize("item", ["light", "battery", "heat"])
def test_what_a_board_has_not_is_skipped(bench: Callable[..., Bench], board: Board, item: str) -> None:
    bare = dataclasses.replace(board, soc=dataclasses.replace(board.soc, zones=()))
    assert look(bench(board=bare), item)[0] == SKIP


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    """A folder that is taken for /sys."""
    for name, content in {
        "class/power_supply/cell/capacity": "84",
        "class/power_supply/cell/status": "Charging",
        "class/power_supply/cell/voltage_now": "3912000",
        "class/thermal/thermal_zone0/type": "soc-thermal",
        "class/thermal/thermal_zone0/temp": "43200",
        "class/thermal/thermal_zone1/type": "npu-thermal",
        "class/thermal/thermal_zone1/temp": "41000",
    }.items():
        path = tmp_path / "sys" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    return tmp_path / "sys"


def test_a_battery_that_is_there_is_well(bench: Callable[..., Bench], board: Board, sysfs: Path) -> None:
    verdict, what, figures = look(bench(board=with_body(board, battery="cell"), sysfs=sysfs), "battery")
    assert verdict == PASS and what == "it has 84 % and is being filled"
    assert figures == {"percent": 84, "charging": True, "voltage_v": 3.91}


@pytest.mark.parametrize(
    ("name", "volts", "told"),
    [("cell", "120000", "it has 0.12 V"), ("sell", "3912000", "did you mean cell?")],
)
def test_a_battery_that_is_not_well_is_told(
    bench: Callable[..., Bench], board: Board, sysfs: Path, name: str, volts: str, told: str
) -> None:
    (sysfs / "class/power_supply/cell/voltage_now").write_text(volts)
    verdict, what, _ = look(bench(board=with_body(board, battery=name), sysfs=sysfs), "battery")
    assert verdict == FAIL and told in what


def with_zones(board: Board, *zones: str) -> Board:
    return dataclasses.replace(board, soc=dataclasses.replace(board.soc, zones=zones))


def test_every_zone_is_read(bench: Callable[..., Bench], board: Board, sysfs: Path) -> None:
    tried = bench(board=with_zones(board, "soc-thermal", "npu-thermal"), sysfs=sysfs)
    verdict, what, figures = look(tried, "heat")
    assert verdict == PASS and what == "the hottest has 43 °C"
    assert figures == {"soc-thermal_c": 43.2, "npu-thermal_c": 41.0}


@pytest.mark.parametrize(
    ("zone", "temp", "told"),
    [
        ("npu-thermal", "95000", "npu-thermal has 95 °C"),
        ("npu-thermal", "-40000", "npu-thermal has -40 °C"),
        ("gpu-thermal", "41000", "no thermal zone 'gpu-thermal'"),
    ],
)
def test_a_zone_that_is_not_well_is_told(
    bench: Callable[..., Bench], board: Board, sysfs: Path, zone: str, temp: str, told: str
) -> None:
    (sysfs / "class/thermal/thermal_zone1/temp").write_text(temp)
    verdict, what, _ = look(bench(board=with_zones(board, "soc-thermal", zone), sysfs=sysfs), "heat")
    assert verdict == FAIL and told in what


def test_a_board_on_the_cpu_has_no_accelerator(bench: Callable[..., Bench]) -> None:
    assert look(bench(), "accelerators")[0] == SKIP


@pytest.fixture
def lite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The double of the NPU's package on what is taken for its board."""
    (tmp_path / "compatible").write_bytes(b"rockchip,rk3588\0")
    (tmp_path / "librknnrt.so").write_bytes(b"librknnrt version: 2.5.0 (made up)")
    monkeypatch.setattr(rknn.platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(rknn, "CHIPS_FILE", tmp_path / "compatible")
    monkeypatch.setattr(rknn, "LIBRARY", tmp_path / "librknnrt.so")
    monkeypatch.setattr(rknn, "DRIVER_FILES", ())
    monkeypatch.syspath_prepend(str(DOUBLES))
    RKNNLite = importlib.import_module("rknnlite.api").RKNNLite
    yield RKNNLite
    RKNNLite.broken.clear()
    for name in ("rknnlite.api", "rknnlite"):
        sys.modules.pop(name, None)


@pytest.fixture
def ears(tmp_path: Path) -> Model:
    folder = tmp_path / "ears"
    folder.mkdir()
    return tiny.ears(folder)


def with_ears(board: Board, ears: Model, runtime: str, monkeypatch: pytest.MonkeyPatch) -> Board:
    monkeypatch.setattr(accelerators, "find_model", lambda name: ears)
    asr = dataclasses.replace(
        board.stages["asr"], runtime=runtime, npu_cores=(0,) if runtime == "rknn" else ()
    )
    return dataclasses.replace(board, stages=board.stages | {"asr": asr})


def test_an_accelerator_that_computes_as_the_cpu_is_well(
    bench: Callable[..., Bench], board: Board, ears: Model, lite: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    npu.beside(ears.folder / "encoder.onnx", (100, 200, 300, 400))
    tried = bench(board=with_ears(board, ears, "rknn", monkeypatch))
    verdict, _, figures = look(tried, "accelerators")
    assert verdict == PASS and figures["asr_encoder_likeness"] > 0.999
    assert "asr_decoder_likeness" not in figures, "the decoder runs on the CPU there"


def test_an_accelerator_that_computes_otherwise_is_told(
    bench: Callable[..., Bench], board: Board, ears: Model, lite: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    npu.beside(ears.folder / "encoder.onnx", (100, 200, 300, 400))
    right = lite.inference
    monkeypatch.setattr(
        lite, "inference", lambda *given, **named: [a[..., ::-1] for a in right(*given, **named)]
    )
    verdict, what, _ = look(bench(board=with_ears(board, ears, "rknn", monkeypatch)), "accelerators")
    assert verdict == FAIL and "rknn computes 'encoder' otherwise than the CPU" in what


def test_an_accelerator_that_does_not_run_is_told(
    bench: Callable[..., Bench], board: Board, ears: Model, lite: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    npu.beside(ears.folder / "encoder.onnx", (100, 200, 300, 400))
    lite.broken.add("inference")
    verdict, what, _ = look(bench(board=with_ears(board, ears, "rknn", monkeypatch)), "accelerators")
    assert verdict == FAIL and what.startswith("asr:") and "the NPU did not run it" in what


def test_voice_and_ears_on_openvino_compute_as_the_cpu_does(
    bench: Callable[..., Bench], board: Board
) -> None:
    pytest.importorskip("openvino")
    stages = {name: dataclasses.replace(board.stages[name], runtime="openvino") for name in ("asr", "tts")}
    tried = bench(board=dataclasses.replace(board, stages=board.stages | stages))
    verdict, what, figures = look(tried, "accelerators")
    assert verdict == PASS, what
    assert figures["asr_encoder_likeness"] > 0.95 and figures["tts_decoder_likeness"] > 0.95


def test_minds_are_compared_by_their_scores(tmp_path: Path) -> None:
    minds = []
    for name, seed in (("one", 4), ("same", 4), ("other", 5)):
        (tmp_path / name).mkdir()
        minds.append(onnx.load_decoder(tiny.mind(tmp_path / name, seed), Seat()))
    one, same, other = minds
    assert comparing.compare_decoders(one, same).likeness > 0.999
    assert comparing.compare_decoders(one, other).likeness < accelerators.LEAST_LIKENESS


@pytest.mark.parametrize("found", [[1.0, np.nan], [1.0, 0.0, 0.0], [0.0, 0.0]])
def test_nonsense_is_like_nothing(found: list[float]) -> None:
    assert comparing.likeness(np.array(found), np.array([1.0, 1.0])) == 0.0


def lines_of(bench: Bench, names: list[str]) -> tuple[bool, list[dict[str, Any]]]:
    lines: list[str] = []
    well = selftest.run_all(bench, names, lines.append)
    return well, [json.loads(line) for line in lines]


def test_the_whole_says_pass(bench: Callable[..., Bench]) -> None:
    desk = Desk()
    well, lines = lines_of(bench(desk), ["models", "button"])
    assert well and [line["item"] for line in lines] == ["models", "button", "all"]
    assert lines[-1] | {"board": "host", "character": "odette", "verdict": PASS} == lines[-1]
    np.testing.assert_allclose(desk.said(), stored("pass"), atol=1e-6)


def test_the_whole_says_what_failed(bench: Callable[..., Bench]) -> None:
    desk = Desk(np.zeros(RATE_HZ, np.float32))
    well, lines = lines_of(bench(desk), ["models", "microphone"])
    assert not well and lines[-1]["failed"] == ["microphone"] and lines[-1]["verdict"] == FAIL
    np.testing.assert_allclose(desk.said(), stored("fail", "microphone"), atol=1e-6)


def stored(*names: str) -> Samples:
    sound = np.concatenate([read_audio(SPOKEN / f"{name}.wav") for name in names])
    places = np.flatnonzero(np.abs(sound) > 1e-6)
    return sound[places[0] : places[-1] + 1]


def test_silence_is_kept_where_it_is_asked_for(bench: Callable[..., Bench]) -> None:
    desk = Desk()
    bench(desk, aloud=False).say("pass")
    assert not desk.cards


def test_what_there_is_no_time_for_fails(bench: Callable[..., Bench]) -> None:
    late = bench()
    assert isinstance(late.clock, HurriedClock)
    late.clock.advance_to(LIMIT_S)
    assert look(late, "models")[:2] == (FAIL, "not begun: the time for the whole test was over")


def test_the_command_prints_a_line_an_item_and_says_it_by_its_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["selftest", "--silent", "--item", "models"]) == 0
    assert [json.loads(line)["verdict"] for line in capsys.readouterr().out.splitlines()] == [PASS, PASS]
    monkeypatch.setattr(models, "verify", lambda model: no_card(load_board("host").audio, HurriedClock()))
    assert main(["selftest", "--silent", "--item", "models"]) == 1
    assert main(["selftest", "--item", "modles"]) == 2
    assert "did you mean models?" in capsys.readouterr().err


@pytest.mark.card
def test_a_virtual_card_that_hears_itself_passes(tmp_path: Path, board: Board, character: Character) -> None:
    if missing := virtual_card.missing():
        pytest.skip(missing)
    from epsilon.clock import MonotonicClock

    looped = dataclasses.replace(board, audio=dataclasses.replace(board.audio, card=virtual_card.LOOP))
    with virtual_card.virtual_card(tmp_path / "card") as virtual:
        virtual.play(noise(30.0, 1e-3), into="speaker")
        recording = virtual.record()
        tried = Bench(looped, character, MonotonicClock(), str, new_card=PortAudioCard)
        well, lines = lines_of(tried, ["microphone", "loop"])
        heard = recording.stop()
    assert well, lines
    assert lines[1]["snr_db"] > 15 and 0 < lines[1]["delay_ms"] < 350
    assert np.abs(heard[-RATE_HZ:]).max() > 0.05, "the verdict was spoken last"
