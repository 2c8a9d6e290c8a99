"""Kokoro's files drop in as they are published: how words are spelt, which style is taken, and what a cut costs."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from epsilon.config import whole
from epsilon.config.board import load_board
from epsilon.config.character import Mood, load_character
from epsilon.engines.protocols import Delivery
from epsilon.engines.tts import phonemes, styletts2
from epsilon.engines.tts.ipa import IDS, from_arpabet
from epsilon.engines.tts.kokoro import (
    MOST_SYMBOLS,
    SHORT_FRAMES,
    STRETCH_FRAMES,
    STRETCHES,
    Kokoro,
    audible,
    passes,
    spoken,
    stretches,
)
from epsilon.engines.tts.kokoro_files import style_names
from epsilon.errors import ConfigError, ModelError
from epsilon.realtime import Seat
from epsilon.ring import Samples
from epsilon.runtimes import onnx
from tests.found import load
from tests.models import kokoro
from tests.models.kokoro import Sizes
from tools.convert.voice.measuring import compare

LONG = "My little boat went down the river and around the old stone bridge before anyone woke up."
SHORT = "No."
NEAR_DB = -6.0  # a long phrase in windows: the difference to the whole is at least so far under it
SPECTRA_DB = 4.5


def spelt(text: str) -> str:
    """As Kokoro reads it, without the pads and the last mark."""
    return "".join(from_arpabet(phonemes.spell(text), text).symbols).strip("$").rstrip(".")


@pytest.mark.parametrize(
    ("text", "ipa"),
    [
        ("hello", "həlˈO"),
        ("water", "wˈɔɾəɹ"),
        ("little", "lˈɪɾᵊl"),
        ("button", "bˈʌʔn"),
        ("weather", "wˈɛðəɹ"),
        ("bird", "bˈɜɹd"),
        ("purple", "pˈɜɹpᵊl"),
        ("now say boy", "nˈW sˈA bˈY"),
        ("measure", "mˈɛʒəɹ"),
        ("a judge of cats", "ɐ ʤˈʌʤ ʌv kˈæts"),
    ],
)
def test_words_are_spelt_as_misaki_does(text: str, ipa: str) -> None:
    assert spelt(text) == ipa


def test_a_space_follows_a_mark_and_every_symbol_has_its_word() -> None:
    text = "Well, is it 23?"
    found = from_arpabet(phonemes.spell(text), text)
    assert "".join(found.symbols) == "$wˈɛl, ɪz ɪt twˈɛnti θɹˈi?$"
    assert list(found.words) == sorted(found.words)
    assert {found.words[place] for place, symbol in enumerate(found.symbols) if symbol == "θ"} == {3}


@pytest.mark.parametrize("text", ["zzyzx blorf", "💡 ünïcode 东京", "won't y'all", "", "...", "3.14 kg"])
def test_nothing_fails(text: str) -> None:
    found = from_arpabet(phonemes.spell(text), text)
    assert set(found.symbols) <= set(IDS) and len(found.words) == len(found.symbols)


def test_the_symbols_have_the_ids_of_the_published_vocabulary() -> None:
    known = {"$": 0, ";": 1, "?": 6, " ": 16, "A": 24, "a": 43, "æ": 72, "ɹ": 123, "ˈ": 156, "ᵻ": 177}
    assert {symbol: IDS[symbol] for symbol in known} == known
    assert len(set(IDS.values())) == len(IDS) == 115


def say(voice: Any, symbols: Sequence[str]) -> Samples:
    style = next(iter(voice.styles.values()))
    return np.concatenate([chunk.samples for chunk in voice.speak(symbols, Delivery(style))])


@pytest.mark.parametrize(
    "sizes",
    [Sizes(), Sizes(tokens="input_ids", sound="waveform"), Sizes(tokens="input_ids", durations="duration")],
    ids=["tokens to audio", "input_ids to waveform", "with durations"],
)
def test_every_published_interface_is_taken(sizes: Sizes, tmp_path: Path) -> None:
    voice = load(kokoro.voice(tmp_path, sizes))
    symbols = voice.spell("Hello there.", more=False).symbols
    first, *others = voice.speak(symbols, Delivery(voice.styles["af_plain"]))
    assert first.sample_rate_hz == 24_000
    if sizes.durations:
        assert first.ends[-1] == sum(len(chunk.samples) for chunk in (first, *others))


def test_the_style_is_that_of_so_many_symbols(tmp_path: Path) -> None:
    voice = load(kokoro.voice(tmp_path))
    table = voice.styles["af_plain"].reshape(-1, 256)
    for said, row in ((1, 0), (7, 6), (510, 509), (600, 509)):
        feeds = voice.feeds(["$", *"a" * said, "$"], Delivery(voice.styles["af_plain"]))
        np.testing.assert_array_equal(feeds["style"], table[row : row + 1])


def test_styles_lie_in_one_archive_or_a_voice_a_file(tmp_path: Path) -> None:
    kokoro.voice(tmp_path, names=["af_one"])
    (tmp_path / "voices").mkdir()
    np.ones((510, 1, 256), np.float32).tofile(tmp_path / "voices" / "am_raw.bin")
    np.savez(tmp_path / "more.npz", bf_more=np.zeros((510, 256), np.float32))
    assert style_names(tmp_path) == ["af_one", "am_raw", "bf_more"]
    voice = load(kokoro.voice(tmp_path, names=["af_one"]))
    assert voice.styles["am_raw"].shape == (510 * 256,) and voice.styles["am_raw"].all()


def test_a_file_that_is_no_table_is_named(tmp_path: Path) -> None:
    model = kokoro.voice(tmp_path)
    (tmp_path / "odd.bin").write_bytes(b"\0" * 10)
    with pytest.raises(ModelError, match=r"odd\.bin.*rows of 256"):
        load(model)


@pytest.mark.parametrize("names", [style_names, styletts2.style_names])
def test_an_archive_that_is_damaged_or_one_array_is_named(
    names: Callable[[Path], list[str]], tmp_path: Path
) -> None:
    for content in (b"", b"PK rubbish", b"rubbish"):
        (tmp_path / "voices.npz").write_bytes(content)
        with pytest.raises(ModelError, match=r"voices\.npz: cannot be read as styles"):
            names(tmp_path)
    with (tmp_path / "voices.npz").open("wb") as file:
        np.save(file, np.zeros(256, np.float32))
    with pytest.raises(ModelError, match=r"voices\.npz: .*one array without a name"):
        names(tmp_path)
    with zipfile.ZipFile(tmp_path / "voices.npz", "w") as file:  # as a checkpoint of PyTorch is
        file.writestr("archive/data.pkl", "?")
    with pytest.raises(ModelError, match=r"voices\.npz: .*archive/data\.pkl in it is no array"):
        names(tmp_path)


def test_two_graphs_are_one_too_many(tmp_path: Path) -> None:
    model = kokoro.voice(tmp_path)
    (tmp_path / "kokoro-v1.0.fp16.onnx").write_bytes(b"")
    with pytest.raises(
        ModelError, match=r"one graph here, found kokoro-v1\.0\.fp16\.onnx, kokoro-v1\.0\.onnx"
    ):
        load(model)


def test_another_graph_is_refused(tmp_path: Path) -> None:
    model = kokoro.voice(tmp_path, Sizes(tokens="x"))
    with pytest.raises(ModelError, match="none of input_ids, tokens among x, style, speed"):
        load(model)


def test_what_is_too_long_is_said_in_passes_cut_at_spaces() -> None:
    symbols = ["$", *"some words " * 100, "$"]
    found = list(passes(symbols))
    assert [symbol for one in found for symbol in one if symbol != "$"] == symbols[1:-1]
    assert all(one[0] == one[-1] == "$" and len(one) <= MOST_SYMBOLS + 2 for one in found)
    assert all(one[-2] == " " for one in found)
    assert list(passes(["$", "a", "$"])) == [["$", "a", "$"]]
    assert [len(one) for one in passes("b" * 600)] == [512, 92]


def test_pitch_is_refused_when_the_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = kokoro.voice(tmp_path)
    monkeypatch.setattr(whole, "find_model", lambda name: model)
    board, character = load_board("host"), load_character("odette")
    plain = replace(character.voice, style="af_plain", pitch=0.0, moods={})
    whole.check_pair(board, replace(character, voice=plain))
    for voice in (replace(plain, pitch=2.0), replace(plain, moods={"glad": Mood(pitch=1.0)})):
        with pytest.raises(
            ConfigError, match=r"has no pitch \(leave it at 0 and use the effect pitch instead\)"
        ):
            whole.check_pair(board, replace(character, voice=voice))
    with pytest.raises(ConfigError, match=r"no style 'af_plane'.*af_plain"):
        whole.check_pair(board, replace(character, voice=replace(plain, style="af_plane")))


def test_pitch_that_was_not_in_the_files_is_refused_as_well(tmp_path: Path) -> None:
    voice = load(kokoro.voice(tmp_path))
    with pytest.raises(ModelError, match="the voice has no pitch"):
        next(voice.speak(["$", "a", "$"], Delivery(voice.styles["af_plain"], pitch=1.0)))


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Kokoro:
    """A voice in windows."""
    voice = load(kokoro.cut_voice(tmp_path_factory.mktemp("cut")))
    assert isinstance(voice, Kokoro)
    return voice


def say_whole(voice: Kokoro, symbols: Sequence[str]) -> Samples:
    """By the same front and the vocoder as it was published, whose norms look at the whole phrase."""
    feeds = voice.feeds(symbols, Delivery(next(iter(voice.styles.values()))))
    read = onnx.load(voice.folder / "front.onnx", Seat())(feeds)
    window = {"frames": read["frames"], "source": read["source"], "style": feeds["style"]}
    sound: Samples = onnx.load(voice.folder / "whole.onnx", Seat())(window)["audio"].reshape(-1)
    begin, stop = spoken(read["durations"].reshape(-1) * (len(sound) // int(read["durations"].sum())))
    return sound[begin:stop]


def test_a_short_phrase_in_windows_is_the_whole(cut: Kokoro) -> None:
    symbols = cut.spell(SHORT, more=False).symbols
    np.testing.assert_allclose(say(cut, symbols), say_whole(cut, symbols), atol=2e-4)


def test_a_long_phrase_in_windows_is_near_the_whole(cut: Kokoro) -> None:
    symbols = cut.spell(LONG, more=False).symbols
    found = compare(say(cut, symbols), say_whole(cut, symbols))
    assert found.error_db < NEAR_DB and found.spectral_db < SPECTRA_DB and abs(found.level_db) < 1


def test_windows_join_without_a_seam(cut: Kokoro, monkeypatch: pytest.MonkeyPatch) -> None:
    symbols = cut.spell(LONG, more=False).symbols
    windowed = say(cut, symbols)
    monkeypatch.setattr("epsilon.engines.tts.kokoro.spans", lambda length, *_: [(0, length)])
    np.testing.assert_allclose(windowed, say(cut, symbols), atol=2e-4)


def test_little_of_the_pads_silence_is_let_out() -> None:
    assert spoken(np.array([6000, 1200, 3000, 9600])) == (4200, 12000)
    assert spoken(np.array([600, 1200, 1800])) == (0, 3600)
    assert spoken(np.array([600])) == (0, 600)
    sound = np.zeros(20_000, np.float32)
    sound[7000:9000] = 0.5
    assert audible(sound) == (5200, 10_799)
    assert audible(np.zeros(10, np.float32)) == (0, 10) and audible(np.zeros(0, np.float32)) == (0, 0)


def test_a_sample_of_a_long_phrase_is_measured_and_all_of_a_short_one() -> None:
    assert stretches(5) == [(0, 5)] and stretches(SHORT_FRAMES) == [(0, SHORT_FRAMES)]
    found = stretches(1000)
    assert len(found) == STRETCHES and found[0][0] == 0 and found[-1][1] == 1000
    assert all(end - start == STRETCH_FRAMES for start, end in found)
