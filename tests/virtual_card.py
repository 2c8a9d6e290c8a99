"""A virtual sound card: a private PulseAudio daemon with two null sinks, reached by PortAudio through ALSA.

What is played into the sink `microphone` is what the card's microphone hears; what the toy says is the
monitor of the sink `speaker`. The daemon listens on a UNIX socket in a folder of its own and knows nothing of
the machine's sound. Both sinks run at 16 kHz in float, so every sample arrives as it was sent and losses can
be counted one by one.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from epsilon.ring import Samples

RATE_HZ = 16_000
CARD = "epsilon_virtual"  # microphone and speaker apart
LOOP = "epsilon_loop"  # the microphone hears the speaker
PROGRAMS = ("pulseaudio", "pacat", "parec")
PACKAGES = "apt install libportaudio2 libasound2-plugins pulseaudio pulseaudio-utils"
FORMAT = ["--raw", "--format=float32le", f"--rate={RATE_HZ}", "--channels=1"]
PLAY_MS, RECORD_MS = 500, 20  # a player far ahead makes no gaps of its own on a busy machine

ALSA = """</usr/share/alsa/alsa.conf>
pcm.epsilon_virtual {
  type asym
  playback.pcm { type pulse device speaker }
  capture.pcm { type pulse device microphone.monitor }
  hint { show on description "Epsilon's virtual card" }
}
pcm.epsilon_loop {
  type asym
  playback.pcm { type pulse device speaker }
  capture.pcm { type pulse device speaker.monitor }
  hint { show on description "Epsilon's virtual card, hearing itself" }
}
"""


def missing() -> str:
    """What a virtual card lacks on this machine, with the remedy; empty when it lacks nothing."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if not any(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")):
        absent.append("ALSA's pulse plugin")
    try:
        importlib.import_module("sounddevice")
    except OSError:
        absent.append("libportaudio")
    return f"no {', '.join(absent)}: {PACKAGES}" if absent else ""


class VirtualCard:
    """The running daemon; its folder is all that it touches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "PULSE_SERVER": f"unix:{folder}/socket",
            "PULSE_COOKIE": str(folder / "cookie"),
            "XDG_RUNTIME_DIR": str(folder),
            "ALSA_CONFIG_PATH": str(folder / "asound.conf"),
        }
        self._programs: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start the daemon and wait until it answers."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / "asound.conf").write_text(ALSA)
        sinks = [
            f"module-null-sink sink_name={name} rate={RATE_HZ} channels=1 format=float32le"
            for name in ("speaker", "microphone")
        ]
        socket = f"module-native-protocol-unix socket={self.folder}/socket auth-anonymous=1"
        options = "-n --daemonize=no --exit-idle-time=-1 --use-pid-file=no --no-cpu-limit=yes --disallow-exit"
        loads = [word for module in (socket, *sinks) for word in ("-L", module)]
        home = {"HOME": str(self.folder)}
        self._launch(["pulseaudio", *options.split(), "--realtime=no", "--high-priority=no", *loads], home)
        deadline = time.monotonic() + 10
        while not (self.folder / "socket").exists():
            if time.monotonic() > deadline or self._programs[-1].poll() is not None:
                raise RuntimeError((self.folder / "pulseaudio.log").read_text())
            time.sleep(0.05)  # a daemon that starts says so by its socket alone
        self._await_sinks(deadline)

    def stop(self) -> None:
        """End the daemon and everything that plays and records."""
        for program in reversed(self._programs):
            program.terminate()
            program.wait(10)

    def unplug(self) -> None:
        """The daemon dies at once: whoever uses the card gets no sound and no room any more."""
        for program in reversed(self._programs):
            program.kill()
            program.wait(10)
        self._programs.clear()
        (self.folder / "socket").unlink()

    def play(self, samples: Samples, into: str = "microphone") -> subprocess.Popen[bytes]:
        """Play samples [n] into a sink; the returned program ends when they are through.

        A short silence goes before them: a null sink swallows a little when its first client comes.
        """
        path = self.folder / f"play-{len(self._programs)}.raw"
        path.write_bytes(np.concatenate([np.zeros(RATE_HZ // 4), samples]).astype(np.float32).tobytes())
        return self._launch(
            ["pacat", "--playback", f"--device={into}", f"--latency-msec={PLAY_MS}", *FORMAT, str(path)]
        )

    def record(self, of: str = "speaker") -> Recording:
        """Begin to record what goes into a sink, the speaker's or the microphone's.

        A null sink that nobody listens to sleeps for up to two seconds; one that is recorded runs as a card does.
        """
        path = self.folder / f"record-{len(self._programs)}.raw"
        program = self._launch(
            ["parec", f"--device={of}.monitor", f"--latency-msec={RECORD_MS}", *FORMAT, str(path)]
        )
        return Recording(program, path)

    def _launch(self, command: list[str], extra: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        with (self.folder / f"{command[0]}.log").open("ab") as log:
            program = subprocess.Popen(
                command, env={**os.environ, **self.environment, **(extra or {})}, stdout=log, stderr=log
            )
        self._programs.append(program)
        return program

    def _await_sinks(self, deadline: float) -> None:
        command = ["pactl", "list", "short", "sinks"]
        environment = {**os.environ, **self.environment}
        while b"microphone" not in subprocess.run(command, env=environment, capture_output=True).stdout:
            if time.monotonic() > deadline:
                raise RuntimeError((self.folder / "pulseaudio.log").read_text())
            time.sleep(0.05)  # as above: the daemon loads its modules after it opens its socket


class Recording:
    """What left the speaker, as it comes."""

    def __init__(self, program: subprocess.Popen[bytes], path: Path) -> None:
        self._program, self._path = program, path

    def samples(self) -> Samples:
        """All samples [n] so far."""
        content = self._path.read_bytes() if self._path.exists() else b""
        return np.frombuffer(content[: len(content) // 4 * 4], np.float32)

    def stop(self) -> Samples:
        """End it and return the samples [n]."""
        self._program.terminate()
        self._program.wait(10)
        return self.samples()


@contextlib.contextmanager
def virtual_card(folder: Path) -> Iterator[VirtualCard]:
    """A running card that this process's PortAudio sees; the environment is as before afterwards."""
    card = VirtualCard(folder)
    card.start()
    before = {name: os.environ.get(name) for name in card.environment}
    os.environ.update(card.environment)
    try:
        look_again()
        yield card
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        card.stop()


def look_again() -> None:
    """PortAudio lists the cards once, when it starts: start it anew."""
    sounddevice = importlib.import_module("sounddevice")
    sounddevice._terminate()
    sounddevice._initialize()
