"""festival as one process that stays: text in, 16 kHz int16 samples out."""

from __future__ import annotations

import re
import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np
import soxr

from tools.train.speech.voices import RATE_HZ, Samples

_DONE = "done"
_FROM_UTTERANCE = {  # mean and standard deviation of F0 in Hz, of the voices whose pitch can be set
    "kal_diphone": (105.0, 14.0),
    "ked_diphone": (105.0, 14.0),
}


class Festival:
    """Speaks by festival's voices, such as `ked_diphone` or `cmu_us_slt_arctic_hts`."""

    def __init__(self) -> None:
        try:
            self._process = subprocess.Popen(
                ["festival", "--pipe"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        except FileNotFoundError as error:
            raise RuntimeError("festival is missing: tools/system_packages train installs it") from error
        self._folder = tempfile.TemporaryDirectory()
        self._voices = set(re.findall(r"\w+", " ".join(self._order("(print (voice.list))"))))

    def speak(self, text: str, voice: str, stretch: float = 1.0, pitch: float = 1.0) -> Samples:
        """`stretch` multiplies durations, `pitch` the mean F0 where the voice allows it (diphones)."""
        if voice not in self._voices:
            raise RuntimeError(f"festival has no voice {voice!r}: tools/system_packages train installs it")
        path = Path(self._folder.name, "spoken.wav")
        path.unlink(missing_ok=True)
        self._order(f"(voice_{voice})")
        self._order(f"(Parameter.set 'Duration_Stretch {stretch:.3f})")
        if voice in _FROM_UTTERANCE:
            mean_hz, spread_hz = _FROM_UTTERANCE[voice]
            self._order(
                f"(set! int_lr_params '((target_f0_mean {mean_hz * pitch:.1f}) (target_f0_std {spread_hz})"
                " (model_f0_mean 170) (model_f0_std 34)))"
            )
        plain = text.replace("\\", "").replace('"', "")
        self._order(f'(utt.save.wave (set! spoken (utt.synth (Utterance Text "{plain}"))) "{path}" \'riff)')
        if not path.exists():
            raise RuntimeError(f"festival could not speak {text!r} as {voice!r}")
        with wave.open(str(path)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
            rate_hz = file.getframerate()
        return (
            samples if rate_hz == RATE_HZ else np.asarray(soxr.resample(samples, rate_hz, RATE_HZ), np.int16)
        )

    def close(self) -> None:
        """Ends the process."""
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def _order(self, expression: str) -> list[str]:
        """Sends one expression and waits until it is evaluated; → what it printed, nothing after an error."""
        sent, answers = self._process.stdin, self._process.stdout
        if sent is None or answers is None:
            raise RuntimeError("festival runs without pipes")
        sent.write(f'{expression}\n(format t "\\n{_DONE}\\n")\n(fflush nil)\n')
        sent.flush()
        lines: list[str] = []
        for line in answers:
            if line.strip() == _DONE:
                return lines
            lines.append(line)
        raise RuntimeError(f"festival stopped at {expression}")
