"""How English words sound: CMUdict, and a small recurrent network for words it lacks.

Both come as data files inside the `ttstokenizer` package (CMUdict: BSD-2; network of g2p_en: Apache-2.0). The
package itself is never imported: importing it would import NLTK, which looks for downloads on the network.
"""

import importlib.util
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from epsilon.errors import ModelError

Floats = NDArray[np.float32]

_LETTERS = ("<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz")
_SOUNDS = tuple(
    "<pad> <unk> <s> </s> AA0 AA1 AA2 AE0 AE1 AE2 AH0 AH1 AH2 AO0 AO1 AO2 AW0 AW1 AW2 AY0 AY1 AY2 B CH D DH "
    "EH0 EH1 EH2 ER0 ER1 ER2 EY0 EY1 EY2 F G HH IH0 IH1 IH2 IY0 IY1 IY2 JH K L M N NG OW0 OW1 OW2 OY0 OY1 OY2 "
    "P R S SH T TH UH0 UH1 UH2 UW UW0 UW1 UW2 V W Y Z ZH".split()
)
_START, _STOP = _SOUNDS.index("<s>"), _SOUNDS.index("</s>")
_LONGEST_GUESS = 20  # phonemes
_CACHED_WORDS = 4096


def data_folder() -> Path:
    """Where cmudict.dict and the guesser's weights lie. Raises ModelError if the package is not installed."""
    found = importlib.util.find_spec("ttstokenizer")
    if found is None or not found.submodule_search_locations:
        raise ModelError("the pronouncing dictionary is missing", hint="pip install --no-deps ttstokenizer")
    return Path(found.submodule_search_locations[0])


class Guesser:
    """Spells a word's sounds from its letters: a GRU over letters, a GRU that writes phonemes (Park & Kim, g2p_en)."""

    def __init__(self, path: Path) -> None:
        """Read the network's weights (.npz)."""
        with np.load(path) as stored:
            self._weights: dict[str, Floats] = {name: stored[name] for name in stored.files}

    def guess(self, word: str) -> list[str]:
        """ARPAbet phonemes of `word` (a-z)."""
        state = np.zeros((1, self._weights["enc_w_hh"].shape[1]), np.float32)
        for letter in [*word, "</s>"]:
            at = _LETTERS.index(letter) if letter in _LETTERS else 1
            state = self._step("enc", self._weights["enc_emb"][at : at + 1], state)
        sounds: list[str] = []
        last = _START
        while len(sounds) < _LONGEST_GUESS:
            state = self._step("dec", self._weights["dec_emb"][last : last + 1], state)
            last = int(np.argmax(state @ self._weights["fc_w"].T + self._weights["fc_b"]))
            if last == _STOP:
                break
            sounds.append(_SOUNDS[last])
        return [sound for sound in sounds if not sound.startswith("<")]

    def _step(self, part: str, x: Floats, state: Floats) -> Floats:
        weights = self._weights
        inner = x @ weights[f"{part}_w_ih"].T + weights[f"{part}_b_ih"]
        outer = state @ weights[f"{part}_w_hh"].T + weights[f"{part}_b_hh"]
        third = state.shape[1]
        gates = 1 / (1 + np.exp(-(inner[:, : 2 * third] + outer[:, : 2 * third])))
        reset, keep = gates[:, :third], gates[:, third:]
        fresh = np.tanh(inner[:, 2 * third :] + reset * outer[:, 2 * third :])
        return np.asarray((1 - keep) * fresh + keep * state)


class Lexicon:
    """Words to phonemes. The dictionary stays one block of sorted lines that is searched: 4 MB, 60 as a dict."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` holds cmudict.dict and checkpoint20.npz; by default the installed package's. Raises ModelError."""
        folder = folder or data_folder()
        try:
            lines = (folder / "cmudict.dict").read_bytes().splitlines()
            self._guesser = Guesser(folder / "checkpoint20.npz")
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"cannot be read: {error}", where=str(folder)) from error
        lines.sort()  # a few are out of order, and a word that is missing must be missed quickly
        self._lines = b"\n" + b"\n".join(lines) + b"\n"
        self.find = lru_cache(_CACHED_WORDS)(self._find)

    def guess(self, word: str) -> tuple[str, ...]:
        """Phonemes of a word that the dictionary lacks, from its letters."""
        return tuple(self._guesser.guess(word))

    def _find(self, word: str) -> tuple[str, ...] | None:
        """The first pronunciation of `word` in the dictionary."""
        if not re.fullmatch(r"[a-z']+", word):
            return None
        at = self._bisect(word.encode())
        if at < 0:
            return None
        line = self._lines[at : self._lines.index(b"\n", at)].decode()
        return tuple(line.split("#")[0].split()[1:])

    def _bisect(self, word: bytes) -> int:
        """Where the first line of `word` starts, -1 if there is none; further pronunciations are `read(2) R IY1 D`."""
        lines, low, high, wanted = self._lines, 1, len(self._lines), word + b" "
        while low < high:
            middle = lines.rfind(b"\n", low - 1, (low + high) // 2) + 1
            if lines.startswith(wanted, middle):
                return middle
            end = lines.index(b"\n", middle)
            if lines[middle:end] < wanted:
                low = end + 1
            else:
                high = middle
        return -1
