"""A Hugging Face folder as model.onnx: it computes what transformers does with the weights as they were rounded."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from epsilon.config.models import Model
from epsilon.engines.llm.mistral import Mistral, load
from epsilon.errors import ModelError
from epsilon.realtime import Seat
from epsilon.runtimes import onnx as runtime
from tools.convert.llm import Options, convert
from tools.convert.llm.random_checkpoint import Sizes, write

onnx = pytest.importorskip("onnx", reason="onnx comes with the training extras")

SIZES = Sizes(layers=3, width=64, inner=96, heads=4, kv_heads=2, head_dim=16, vocabulary=128, context=96)
PROMPT = [1, 2, 70, 9, 33, 34, 12, 3]


def converted(folder: Path, sizes: Sizes = SIZES, **options: Any) -> Model:
    write(folder / "checkpoint", sizes)
    return convert(folder / "checkpoint", folder / "mind", Options("onnx", **options), lambda _: None)


def greedy(mind: Mistral, count: int) -> list[int]:
    seq = mind.start()
    mind.append(seq, PROMPT)
    for _ in range(count):
        mind.append(seq, [int(mind.logits(seq).argmax())])
    return seq.ids[len(PROMPT) :]


def test_the_folder_is_a_model_that_the_engine_loads(tmp_path: Path) -> None:
    model = converted(tmp_path)
    assert set(model.files) == {"model.onnx", "config.json", "tokenizer.json", "chat.yaml"}
    assert len(greedy(load(model, runtime, Seat()), 20)) == 20


def test_what_is_rounded_is_asked_for(tmp_path: Path) -> None:
    for activations, level in (("fp32", 1), ("int8", 4)):
        model = converted(tmp_path, activations=activations)
        config = json.loads((model.folder / "config.json").read_text("utf-8"))
        assert config["quantization"] == {"bits": 4, "block_size": 32, "accuracy_level": level}
        assert (load(model, runtime, Seat()).decoder.tolerance < 1e-3) == (activations == "fp32")


def test_a_shorter_context_is_that_of_the_caches(tmp_path: Path) -> None:
    assert load(converted(tmp_path, context=40), runtime, Seat()).limit == 40
    with pytest.raises(ModelError, match="no context of 97"):
        converted(tmp_path, context=97)


@pytest.mark.train
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("model_type", ["mistral", "llama"])
def test_it_says_what_transformers_says(model_type: str, tied: bool, tmp_path: Path) -> None:
    model = converted(tmp_path, replace(SIZES, model_type=model_type, tied=tied), activations="fp32")
    network = rounded(tmp_path / "checkpoint", model.folder / "model.onnx")
    mind = load(model, runtime, Seat())
    said = greedy(mind, 60)
    seq, ids = mind.start(), [*PROMPT, *said]
    for place, token in enumerate(ids):
        mind.append(seq, [token])
        expected = scores(network, ids[: place + 1])
        np.testing.assert_allclose(mind.logits(seq), expected, atol=1e-4)
        if place >= len(PROMPT) - 1 and place + 1 < len(ids):
            assert expected.argmax() == ids[place + 1]


@pytest.mark.train
def test_positions_are_scaled_as_llama_3_scales_them(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="transformers comes with the training extras")
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    from tools.convert.llm.architecture import read
    from tools.convert.llm.onnx.positions import frequencies

    write(tmp_path, replace(SIZES, model_type="llama", theta=500000.0))
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    config["rope_scaling"] = {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    }
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    expected, _ = ROPE_INIT_FUNCTIONS["llama3"](LlamaConfig.from_pretrained(tmp_path), "cpu")
    np.testing.assert_allclose(frequencies(read(tmp_path)), expected.numpy(), rtol=1e-6)


def rounded(checkpoint: Path, graph: Path) -> Any:
    """transformers' network with the int4 weights of the graph, the embedding in half precision."""
    torch = pytest.importorskip("torch", reason="torch comes with the training extras")
    transformers = pytest.importorskip("transformers", reason="transformers comes with the training extras")
    from tools.train.mind.graph import dequantise

    network = transformers.AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()
    stored = {one.name: onnx.numpy_helper.to_array(one) for one in onnx.load(graph).graph.initializer}
    head = network.get_output_embeddings()
    network.config.tie_word_embeddings = False
    head.weight = torch.nn.Parameter(head.weight.clone())
    weights = dict(network.named_parameters())
    with torch.no_grad():
        for name, value in weights.items():
            if (short := name.removeprefix("model.")) in stored:
                value.copy_(torch.from_numpy(stored[short].astype(np.float32)))
        for name in [one for one in stored if one.endswith(".codes")]:
            first = name.removesuffix(".codes")
            rows = dequantise(stored[name], stored[f"{first}.scales"], 4)
            for part in stacked(first):
                place = (
                    head.weight if part in ("lm_head", "embed_tokens") else weights[f"model.{part}.weight"]
                )
                place.copy_(torch.from_numpy(rows[: len(place)]))
                rows = rows[len(place) :]
    return network


def stacked(first: str) -> list[str]:
    """The projections whose rows lie one after another under the name of the first."""
    for names in (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj")):
        if first.endswith(names[0]):
            return [first.replace(names[0], name) for name in names]
    return [first]


def scores(network: Any, ids: list[int]) -> Any:
    import torch

    with torch.no_grad():
        return network(torch.tensor([ids])).logits[0, -1].numpy()
