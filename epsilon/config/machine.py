"""What a board is made of, apart from its stages: chip, system, body, what it does when unwell, its image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from epsilon.config.document import Table, nowhere
from epsilon.config.fields import setting

MOST_CORES = 256
ARCHITECTURES = ("amd64", "arm64")  # as Debian calls them
GOVERNORS = (
    "performance",
    "powersave",
    "ondemand",
    "conservative",
    "schedutil",
    "userspace",
)  # Linux's cpufreq
DDR_GOVERNORS = ("performance", "powersave", "dmc_ondemand", "simple_ondemand", "userspace")  # its devfreq
ACCELERATORS = ("cpu", "npu", "gpu")
PIN_KEYS = ("talk_button", "mute_switch", "volume_up", "volume_down", "power_button", "vibration")
COLOURS = ("red", "green", "blue")


@dataclass(frozen=True)
class Cores:
    """Cores of one kind."""

    ids: tuple[int, ...] = setting("their numbers, as Linux has them", low=0, high=MOST_CORES - 1)
    kind: str = setting("what they are called, say Cortex-A76", "")
    clock_mhz: float | None = setting("their highest clock", None, low=1, high=20_000)
    speed: float = setting(
        "work done in the time in which one core of the machine that the costs were measured on does 1",
        1.0,
        low=0.001,
        high=100,
    )
    bandwidth_gb_s: float = setting(
        "of memory, what one of them alone can draw; 0: all of it", 0.0, 0, 10_000
    )


@dataclass(frozen=True)
class Soc:
    """The chip. Nothing given: an unknown machine, of which nothing is checked."""

    chip: str = setting("what it is called", "")
    architecture: str | None = setting("none: that of the machine at hand", None, choices=ARCHITECTURES)
    cores: dict[str, Cores] = setting("its cores by kind", dict)
    npu: str | None = setting("its neural accelerator", None)
    npu_cores: int = setting("how many cores that has", 0, low=0, high=64)
    gpu: str | None = setting("its graphics processor, where OpenCL runs on it", None)
    memory_mb: float | None = setting("memory of the smallest model sold", None, low=16, high=4_000_000)
    bandwidth_gb_s: float | None = setting(
        "of its memory, sustained, all cores together", None, low=0.01, high=10_000
    )
    zones: tuple[str, ...] = setting("types of its thermal zones", ())
    gpio: dict[str, int] = setting("labels of its GPIO chips and how many lines each has", dict, 1, 1024)
    source: str = setting("where these facts are from", "")

    @property
    def name(self) -> str:
        """What people call it."""
        return self.chip or "this machine"

    @property
    def core_ids(self) -> tuple[int, ...]:
        """Every core there is, none of an unknown machine."""
        return tuple(sorted(core for kind in self.cores.values() for core in kind.ids))

    def kind_of(self, core: int) -> str | None:
        """The name that the file has for a core's kind."""
        return next((name for name, kind in self.cores.items() if core in kind.ids), None)

    def speed_of(self, core: int) -> float:
        """A core's speed relative to one of the machine that the costs were measured on; 1 where unknown."""
        name = self.kind_of(core)
        return 1.0 if name is None else self.cores[name].speed


@dataclass(frozen=True)
class Cost:
    """What a call of a model costs where nothing else runs, on one core. 0: nothing of that kind."""

    on: str = setting("what it runs on", "cpu", choices=ACCELERATORS)
    pass_ms: float = setting("any call: a partial heard, a phrase's first sound, a window", 0.0, 0, 60_000)
    second_ms: float = setting("more for a second of sound heard so far, or made", 0.0, 0, 60_000)
    prefill_ms: float = setting("more for a token read among others", 0.0, 0, 60_000)
    token_ms: float = setting("more for a token thought", 0.0, 0, 60_000)
    read_mb: float = setting("memory read in one call", 0.0, 0, 100_000)
    source: str = setting("who measured this, or how it was reckoned", "")


@dataclass(frozen=True)
class System:
    """What is asked of the operating system; where it refuses, the toy says so once and goes on."""

    lock_memory: bool = setting("the process stays in memory", False)
    governor: str | None = setting("of the frequency of the cores in use", None, choices=GOVERNORS)
    ddr_governor: str | None = setting("of the frequency of the memory", None, choices=DDR_GOVERNORS)
    irqs: dict[str, tuple[int, ...]] = setting(
        "interrupts by a part of their name, each with the cores that serve it", dict, 0, MOST_CORES - 1
    )


@dataclass(frozen=True)
class Light:
    """A light of three colours."""

    red: str = setting("its pin")
    green: str = setting("its pin")
    blue: str = setting("its pin")
    active_low: bool = setting("a low pin lights it: its colours share their plus", False)


@dataclass(frozen=True)
class Knob:
    """A knob that turns without end: a rotary encoder."""

    a: str = setting("the pin of its first contact, which leads when it is turned clockwise")
    b: str = setting("the pin of its second")


@dataclass(frozen=True)
class Body:
    """What hands can reach. A pin is GPIO17, line 17 of `chip`, or GPIO4_B3 where each bank is a chip."""

    hardware: str = setting("the module of epsilon/hardware", "none")
    chip: str | None = setting("label of the GPIO chip of pins that do not name theirs", None)
    talk_button: str | None = setting("the pin of the talk button", None)
    mute_switch: str | None = setting("the pin of the switch that turns the microphone off", None)
    volume_up: str | None = setting("the pin of the key for louder", None)
    volume_down: str | None = setting("the pin of the key for quieter", None)
    volume_knob: Knob | None = setting("the pins of a knob that is turned for louder and quieter", None)
    power_button: str | None = setting("the pin of the key that, held, turns the toy off", None)
    vibration: str | None = setting("the pin of the motor", None)
    light: Light | None = setting("the pins of the light", None)
    battery: str | None = setting("its name below /sys/class/power_supply", None)
    hold_for_selftest: bool = setting("the talk button held at power-on starts the self-test", True)

    def pins(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Every pin in use, each with its keys below `body`."""
        for key in PIN_KEYS:
            if (pin := getattr(self, key)) is not None:
                yield (key,), pin
        if self.light is not None:
            yield from ((("light", colour), getattr(self.light, colour)) for colour in COLOURS)
        if self.volume_knob is not None:
            yield ("volume_knob", "a"), self.volume_knob.a
            yield ("volume_knob", "b"), self.volume_knob.b


@dataclass(frozen=True)
class Ladder:
    """When the toy is unwell, and what it runs then."""

    low_battery_percent: float = setting("the toy says that it is tired", 20.0, low=1, high=90)
    critical_battery_percent: float = setting("it says goodbye and turns off", 5.0, low=0, high=50)
    hot_c: float = setting("it moves to what `smaller` says", 80.0, low=30, high=120)
    cool_c: float = setting("it moves back", 70.0, low=20, high=119)
    smaller: Table = setting("stages while hot: only what differs", nowhere)


@dataclass(frozen=True)
class Input:
    """A file of somebody else that an image needs and that Debian has not."""

    file: str = setting("its name below the folder for inputs")
    source: str = setting("where to get it")
    sha256: str | None = setting(
        "its checksum in hexadecimal; none: not known yet, the build prints it", None
    )
    at_kib: float | None = setting("where it is written on the disk; none: not there", None, low=0, high=1e6)


@dataclass(frozen=True)
class Image:
    """What `make image` builds. Without a kernel there is no image for this board."""

    suite: str = setting("the release of Debian", "bookworm")
    kernel: str | None = setting("Debian's package, or the name of an input", None)
    inputs: dict[str, Input] = setting("files of others by name", dict)
    console: str = setting("the serial port of messages", "ttyS0")
    device_tree: str | None = setting("the file below the kernel's device trees", None)
    packages: tuple[str, ...] = setting("further packages of Debian", ())
    boot_mb: float = setting("size of the boot partition", 96.0, low=32, high=2_000)
    root_mb: float = setting("size of each root partition", 384.0, low=64, high=16_000)
    data_mb: float = setting("size of the data partition", 32.0, low=8, high=1_000_000)
    cmdline: str = setting("further words of the kernel's command line", "")
    compression: str = setting("of the root", "squashfs-zstd", choices=("squashfs-zstd", "erofs-lz4hc"))
    usb_updates: bool = setting("a stick with a signed bundle updates the toy", True)
