"""Words that nobody knows are read as they are spelt: no sound is lost or made up, and one syllable has the beat."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from epsilon.engines.tts.letters import agrees, read_letters
from epsilon.engines.tts.pronunciation import pronounce
from epsilon.engines.tts.symbols import TOKENS

READ = {
    "pettim": "P EH1 T IH0 M",
    "gledton": "G L EH1 D T AH0 N",
    "viakra": "V IY0 AA1 K R AH0",
    "shorvka": "SH AO1 R V K AH0",
    "xithsha": "Z IH1 TH SH AH0",
    "wistallrick": "W IH1 S T AH0 L R IH0 K",
    "jeevra": "JH IY1 V R AH0",
    "quyckia": "K W IH1 K IY0 AH0",
    "tobrella": "T OW0 B R EH1 L AH0",
    "mirette": "M IH0 R EH1 T",
    "selverrmund": "S EH1 L V AH0 R M AH0 N D",
    "thomina": "TH OW0 M IY1 N AH0",
    "craizzbert": "K R EY1 Z B ER0 T",
    "knuffle": "N AH1 F AH0 L",
    "phoom": "F UW1 M",
    "zane": "Z EY1 N",
    "gring": "G R IH1 NG",
    "bongo": "B AA1 NG G OW0",
}


@pytest.mark.parametrize(("word", "sounds"), READ.items())
def test_a_made_up_name_is_read_by_its_letters(word: str, sounds: str) -> None:
    assert " ".join(read_letters(word)) == sounds


def test_a_guess_counts_where_it_has_the_sounds_that_are_written() -> None:
    assert agrees("dathis", tuple("D AE1 TH IH0 S".split()))
    assert not agrees("pettim", tuple("P EH1 T IH0 M AH0 N".split()))
    assert not agrees("gledton", tuple("G L EH1 T AH0 N".split()))
    assert pronounce("pettim") == tuple(READ["pettim"].split())


@settings(max_examples=100, deadline=None)
@given(some.text(alphabet="abcdefghijklmnopqrstuvwxyz", max_size=40))
def test_any_letters_give_known_sounds_and_at_most_one_beat(word: str) -> None:
    sounds = read_letters(word)
    assert set(sounds) <= set(TOKENS)
    vowels = [sound for sound in sounds if sound[-1] in "01"]
    assert sum(sound.endswith("1") for sound in vowels) == bool(vowels)
