"""Openers as sound: each has a file of its own, and only those that are recorded are there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from epsilon.config.character import load_character
from epsilon.opener_clips import clip_path, read_clips, store_clip


def test_what_is_stored_is_read_again(tmp_path: Path) -> None:
    odette = replace(load_character("odette"), path=tmp_path / "character.yaml", openers=("Oh,", "Oh!", "Hm"))
    assert read_clips(odette, odette.openers) == {}
    store_clip(odette, "Oh,", np.full(800, 0.25, np.float32))
    store_clip(odette, "Oh!", np.full(400, 0.5, np.float32))
    clips = read_clips(odette, odette.openers)
    assert {text: len(samples) for text, samples in clips.items()} == {"Oh,": 800, "Oh!": 400}
    np.testing.assert_allclose(clips["Oh,"], 0.25, atol=1e-3)


def test_the_file_is_named_after_the_words() -> None:
    odette = load_character("odette")
    assert clip_path(odette, "Oh, yes!").name == "oh-comma-yes-bang.wav"
