"""Makes the sound of the takes from their scripts: python -m tools.takes.make [NAME …]

The users of these takes are synthesisers, flite and espeak-ng, so that nobody's voice is in the repository. A script
is tests/takes/NAME/script.yaml: who is talked to, how loud the room is, and what happens in it one after the other.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from epsilon.audio_files import read_audio, write_wav
from epsilon.ring import Samples

RATE_HZ = 16_000
FOLDER = Path("tests/takes")
SPEECH_PEAK = 0.4


def main() -> None:
    """Make the takes named, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a folder of tests/takes (default: all)")
    chosen = parser.parse_args()
    for script in sorted(FOLDER.glob("*/script.yaml")):
        if not chosen.names or script.parent.name in chosen.names:
            sound = perform(yaml.safe_load(script.read_text(encoding="utf-8")))
            write_wav(script.parent / "in.wav", sound)
            print(f"{script.parent / 'in.wav'}: {len(sound) / RATE_HZ:.1f} s")


def perform(script: dict[str, Any]) -> Samples:
    """The samples [n] of a script."""
    events = [_event(event) for event in script["user"]]
    sound = np.concatenate(events)
    room = np.random.default_rng(script.get("seed", 1)).standard_normal(len(sound))
    return (sound + room * 10 ** (script["room_db"] / 20)).astype(np.float32)


def _event(event: dict[str, Any]) -> Samples:
    match event:
        case {"wait_s": seconds}:
            return np.zeros(round(seconds * RATE_HZ), np.float32)
        case {"say": text, "voice": voice}:
            return _speech(text, voice.split())
        case {"knock": count}:
            return np.concatenate([_knock() for _ in range(count)])
    raise SystemExit(f"no such event: {event}")


def _speech(text: str, voice: list[str]) -> Samples:
    """Say it with `flite NAME` or `espeak NAME`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        program, name = voice
        commands = {
            "flite": ["flite", "-voice", name, "-t", text, "-o", str(path)],
            "espeak": ["espeak-ng", "-v", name, "-s", "150", "-w", str(path), text],
        }
        subprocess.run(commands[program], check=True)
        samples = _trimmed(read_audio(path))
    return samples * (SPEECH_PEAK / float(np.abs(samples).max()))


def _trimmed(samples: Samples) -> Samples:
    """Without the synthesiser's silence around it, so that a wait lasts as long as it says."""
    loud = np.flatnonzero(np.abs(samples) > 0.005)
    return samples[loud[0] : loud[-1] + 1]


def _knock() -> Samples:
    """A dull short sound that is no speech, and the pause after it."""
    time_s = np.arange(RATE_HZ // 2) / RATE_HZ
    return (0.3 * np.sin(2 * np.pi * 90 * time_s) * np.exp(-time_s * 60)).astype(np.float32)


if __name__ == "__main__":
    main()
