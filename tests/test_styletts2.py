"""The StyleTTS2 engine by itself: how it cuts a phrase, and what it asks its graphs; the contract is held elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from epsilon.engines.protocols import Delivery
from epsilon.engines.tts import styletts2
from epsilon.realtime import Seat
from epsilon.runtimes import Array, Graph, onnx
from tests.models import tiny


class Counted:
    """A graph that counts how often it is asked."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.inputs, self.outputs, self.calls = graph, graph.inputs, graph.outputs, 0

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        self.calls += 1
        return self.graph(feeds)


@pytest.mark.parametrize("length", [1, 7, 8, 19, 20, 44, 45, 500])
def test_stretches_follow_each_other_and_end_with_the_phrase(length: int) -> None:
    cut = list(styletts2.spans(length, 100))
    assert cut[0][0] == 0 and cut[-1][1] == length
    assert all(end == start for (_, end), (start, _) in pairwise(cut))
    assert all(start < end for start, end in cut)


def test_the_first_stretches_are_short() -> None:
    assert list(styletts2.spans(60, 100)) == [(0, 7), (7, 19), (19, 44), (44, 60)]
    assert next(styletts2.spans(60, 100, 0.1)) == (0, 10)


def test_a_style_is_read_once_a_phrase_once_and_the_rest_for_every_chunk(tmp_path: Path) -> None:
    tiny.voice(tmp_path, streams=True)
    graphs = [Counted(onnx.load(tmp_path / f"{name}.onnx", Seat())) for name in styletts2.STREAMING]
    phrases = styletts2.StreamedPhrases(graphs[0], graphs[1], graphs[2], 100)
    voice = styletts2.StyleTts2(tmp_path, phrases, styletts2.Facts(tmp_path / "model.yaml"))
    plain, odd = voice.styles.values()
    spoken = [
        len(list(voice.speak("abcdefgh", Delivery(style)))) for style in (plain, plain, odd, np.array(odd))
    ]
    assert [graph.calls for graph in graphs] == [2, 4, sum(spoken)]
