"""Audio files: every common form is read alike, every broken one gets one clear error."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from epsilon.audio_files import RATE_HZ, finished, read_audio, write_wav
from epsilon.errors import AudioFileError
from epsilon.ring import Samples


def tone(rate_hz: int, seconds: float = 0.5) -> Samples:
    time_s = np.arange(int(rate_hz * seconds)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "PCM_U8"])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_width_is_read_alike(tmp_path: Path, subtype: str, channels: int) -> None:
    path = tmp_path / "in.wav"
    soundfile.write(path, np.repeat(tone(RATE_HZ)[:, None], channels, axis=1), RATE_HZ, subtype=subtype)
    np.testing.assert_allclose(read_audio(path), tone(RATE_HZ), atol=0.01 if subtype == "PCM_U8" else 1e-4)


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_every_rate_becomes_16_khz(tmp_path: Path, rate_hz: int, ending: str) -> None:
    path = tmp_path / f"in.{ending}"
    soundfile.write(path, tone(rate_hz), rate_hz)
    sound = read_audio(path)
    assert sound.dtype == np.float32
    assert len(sound) == pytest.approx(RATE_HZ / 2, abs=2)
    middle = slice(RATE_HZ // 10, RATE_HZ // 3)  # the ends ring
    np.testing.assert_allclose(sound[middle], tone(RATE_HZ)[middle], atol=0.01)


def test_stereo_is_averaged(tmp_path: Path) -> None:
    path = tmp_path / "in.wav"
    soundfile.write(path, np.stack([tone(RATE_HZ), -tone(RATE_HZ)], axis=1), RATE_HZ)
    assert np.abs(read_audio(path)).max() < 1e-4


def wav(
    data: bytes, *, data_length: int | None = None, format_length: int = 16, rate_hz: int = RATE_HZ
) -> bytes:
    """A 16-bit mono WAV file whose header may lie."""
    head = struct.pack("<4sIHHIIHH", b"fmt ", format_length, 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    body = head + struct.pack("<4sI", b"data", len(data) if data_length is None else data_length) + data
    return struct.pack("<4sI4s", b"RIFF", 4 + len(body), b"WAVE") + body


BROKEN = {
    "0 bytes": (b"", "is empty: 0 bytes"),
    "text": (b"hello, I am not a sound\n" * 20, "cannot be read as audio: .* (WAV and FLAC are known)"),
    "header only": (wav(b"")[:44], "holds no sound: its data is 0 bytes long"),
    "half a header": (wav(b"")[:30], "damaged"),
    "truncated": (
        wav(bytes(3200))[:2000],
        "truncated or damaged: its data is 3200 bytes long, the file has 1956",
    ),
    "no length": (wav(bytes(320), data_length=0xFFFFFFFF), "its data is 4294967295 bytes long"),
    "lying format": (
        wav(bytes(320), format_length=0x66666666),
        "its part 'fmt ' claims to be 1717986918 bytes",
    ),
    "lying rate": (wav(bytes(882), rate_hz=1_092_676), "claims 1092676 Hz"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_says_what_is_wrong(tmp_path: Path, name: str) -> None:
    path = tmp_path / "in.wav"
    content, message = BROKEN[name]
    path.write_bytes(content)
    with pytest.raises(AudioFileError, match=re.escape(str(path)) + ".*") as caught:
        read_audio(path)
    assert re.search(message.replace("(", r"\(").replace(")", r"\)"), str(caught.value))


@pytest.mark.parametrize("worst", [np.nan, np.inf])
def test_what_is_not_a_number_is_refused(tmp_path: Path, worst: float) -> None:
    sound = tone(RATE_HZ)
    sound[100] = worst
    soundfile.write(tmp_path / "in.wav", sound, RATE_HZ, subtype="FLOAT")
    with pytest.raises(AudioFileError, match="sample 100 is not a number"):
        read_audio(tmp_path / "in.wav")


def test_a_truncated_flac_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.flac"
    soundfile.write(path, tone(RATE_HZ, 2.0), RATE_HZ)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioFileError):
        read_audio(path)


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    write_wav(tmp_path / "hello.wav", tone(RATE_HZ))
    with pytest.raises(
        AudioFileError, match=r"helo\.wav: no such file; there are: hello\.wav .*did you mean hello"
    ):
        read_audio(tmp_path / "helo.wav")
    with pytest.raises(AudioFileError, match="is a folder"):
        read_audio(tmp_path)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_wav(tmp_path / "new" / "out.wav", tone(RATE_HZ))
    np.testing.assert_allclose(read_audio(tmp_path / "new" / "out.wav"), tone(RATE_HZ), atol=1e-4)


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), finished(tmp_path / "out.txt") as unfinished:
        unfinished.write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(AudioFileError, match="cannot be written"):
        write_wav(tmp_path / "file" / "out.wav", tone(RATE_HZ))
