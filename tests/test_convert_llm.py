"""Hugging Face folders of Mistral and Llama networks: what is read, what is refused, what becomes of the weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from epsilon.config.models import render
from epsilon.errors import ModelError
from tools.convert.llm import Options, __main__, architecture, checkpoint, conversion, convert
from tools.convert.llm.context import context
from tools.convert.llm.mlc import directory, quantise
from tools.convert.llm.random_checkpoint import Sizes, write, write_safetensors
from tools.convert.llm.safetensors_file import Weights

SIZES = Sizes(layers=2, width=64, inner=96, heads=4, kv_heads=2, head_dim=32, vocabulary=96, context=96)

SCALING = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "checkpoint", SIZES)
    return tmp_path / "checkpoint"


def change(folder: Path, **values: Any) -> None:
    """Other values in config.json; None takes one away."""
    path = folder / "config.json"
    config = json.loads(path.read_text()) | values
    path.write_text(json.dumps({name: value for name, value in config.items() if value is not None}))


# what is read


def test_a_network_is_described_by_its_config(folder: Path) -> None:
    found = architecture.read(folder)
    assert (found.num_hidden_layers, found.hidden_size, found.head_dim) == (2, 64, 32)
    assert found.marks == {"bos_token_id": 1, "eos_token_id": 4, "pad_token_id": 0}
    assert found.longest_context == 96


def test_what_older_folders_leave_out(folder: Path) -> None:
    change(folder, head_dim=None, num_key_value_heads=None, model_type="llama", eos_token_id=[4, 5])
    found = architecture.read(folder)
    assert (found.head_dim, found.num_key_value_heads, found.marks["eos_token_id"]) == (16, 4, 4)


@pytest.mark.parametrize("name", ["rope_scaling", "rope_parameters"])
def test_scaled_positions_in_the_older_and_the_newer_place(folder: Path, name: str) -> None:
    newer = name == "rope_parameters"
    change(
        folder, rope_theta=None if newer else 5e5, **{name: SCALING | ({"rope_theta": 5e5} if newer else {})}
    )
    found = architecture.read(folder)
    assert found.rope_theta == 5e5 and found.rope_scaling == SCALING


def test_within_a_sliding_window_nothing_is_hidden(folder: Path) -> None:
    change(folder, sliding_window=64)
    source = checkpoint.load(folder)
    said: list[str] = []
    assert context(source, Options(), said.append) == 64 and "sliding window of 64" in said[0]
    with pytest.raises(ModelError, match="no context of 80 tokens"):
        context(source, Options(context=80), said.append)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"model_type": "mixtral"},
            r"cannot convert a mixtral; there are: llama, mistral \(did you mean mistral",
        ),
        ({"model_type": None}, "without model_type"),
        ({"quantization_config": {"bits": 4}}, "quantised already"),
        ({"hidden_act": "gelu"}, "activation gelu is not known"),
        ({"attention_bias": True}, "bias"),
        ({"hidden_size": None}, "lacks 'hidden_size'"),
        ({"hidden_size": "wide"}, "wrong kind"),
        ({"intermediate_size": 100}, "no multiple of 32"),
        ({"num_key_value_heads": 3}, "does not divide"),
        ({"rope_theta": 10000.5}, "whole number"),
        ({"rope_scaling": {"rope_type": "yarn"}}, "scale positions the way 'yarn'"),
    ],
)
def test_what_cannot_be_converted_is_said(folder: Path, values: dict[str, Any], said: str) -> None:
    change(folder, **values)
    with pytest.raises(ModelError, match=said):
        architecture.read(folder)


def test_weights_in_shards_and_half_precision(folder: Path) -> None:
    """An index says which file has what; bfloat16 is the upper half of a float32."""
    shape = (96, 64)
    wanted, norm = (
        Weights(folder).read("lm_head.weight", *shape),
        Weights(folder).read("model.norm.weight", 64),
    )
    halves = (wanted.view(np.uint32) >> 16).astype("<u2")
    header = json.dumps(
        {"lm_head.weight": {"dtype": "BF16", "shape": shape, "data_offsets": [0, halves.nbytes]}}
    )
    (folder / "b.safetensors").write_bytes(
        len(header).to_bytes(8, "little") + header.encode() + halves.tobytes()
    )
    write_safetensors(folder / "a.safetensors", {"model.norm.weight": norm})
    files = {"lm_head.weight": "b.safetensors", "model.norm.weight": "a.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))
    (folder / "model.safetensors").unlink()
    shards = Weights(folder)
    np.testing.assert_allclose(shards.read("lm_head.weight", *shape), wanted, rtol=2**-7)
    np.testing.assert_array_equal(shards.read("model.norm.weight", 64), norm)
    (folder / "b.safetensors").unlink()
    with pytest.raises(ModelError, match=r"there is no b\.safetensors"):
        Weights(folder)


def test_damaged_weights_are_named(folder: Path) -> None:
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    with pytest.raises(ModelError, match=r"config\.json means"):
        Weights(folder).read("model.norm.weight", 65)
    with pytest.raises(ModelError, match=r"no tensor model\.layers\.9"):
        Weights(folder).read("model.layers.9.mlp", 1)
    for damaged, said in [
        (whole[:-5], "ends before"),
        (whole[:100], "no safetensors"),
        (b"{}" * 9, "no safetensors"),
    ]:
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match=said):
            Weights(folder)
    path.unlink()
    with pytest.raises(ModelError, match=r"no model\.safetensors .*pytorch_model\.bin is not"):
        Weights(folder)


# what becomes of the weights


def test_int4_rounds_less_than_with_the_largest_weight_as_the_scale() -> None:
    weight = np.random.default_rng(0).standard_normal((6, 128)).astype(np.float32)
    weight[2, 32:64] = 0
    words, scales = quantise.quantise(weight)
    assert words.dtype == np.uint32 and words.shape == (6, 16) and scales.shape == (6, 4)
    back = quantise.dequantise(words, scales)
    assert not back[2, 32:64].any()
    plain = np.abs(weight.reshape(6, 4, 32)).max(-1, keepdims=True) / 7  # as mlc_llm scales
    rounded = np.round(weight.reshape(6, 4, 32) / np.maximum(plain, 1e-9)) * plain
    error, usual = ((back - weight) ** 2).mean(), ((rounded.reshape(6, 128) - weight) ** 2).mean()
    assert error < 0.85 * usual


def test_codes_lie_as_mlc_reads_them() -> None:
    """Eight codes in a word, the first in the lowest bits, 7 more than what they stand for."""
    weight = np.zeros((1, 32), np.float32)
    weight[0, :8] = [-7, -6, 0, 1, 2, 3, 4, 8]
    words, scales = quantise.quantise(weight)
    assert scales[0, 0] == 1 and f"{words[0, 0]:08x}" == "fba98710"


def test_parameters_go_into_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "SHARD_BYTES", 600)
    named = [(f"p{place}", np.full((place + 1, 50), place, np.float32)) for place in range(4)]
    directory.write_parameters(named, tmp_path)
    listed = json.loads((tmp_path / "tensor-cache.json").read_text())
    assert [[one["name"] for one in shard["records"]] for shard in listed["records"]] == [
        ["p0", "p1"],
        ["p2"],
        ["p3"],
    ]
    for shard in listed["records"]:
        data = (tmp_path / shard["dataPath"]).read_bytes()
        assert len(data) == shard["nbytes"]
        for one in shard["records"]:
            part = np.frombuffer(data, np.float32, one["nbytes"] // 4, one["byteOffset"]).reshape(
                one["shape"]
            )
            assert (part == int(one["name"][1:])).all()


# the whole


def test_a_tokenizer_is_needed(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"no tokenizer\.json .*save_pretrained"):
        checkpoint.load(folder)


def test_what_fails_leaves_what_was_there(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "models" / "mind"
    out.mkdir(parents=True)
    (out / "old").touch()
    (folder / "model.safetensors").write_bytes(b"nothing")
    assert __main__.main([str(folder), str(out)]) == 2
    assert "no safetensors file" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "models").rglob("*")] == ["mind", "old"]


def test_a_folder_is_whole_or_not_there(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chat is copied, what was there is replaced, and the row for the manifest can be written."""
    monkeypatch.setattr(conversion, "_fill", lambda source, out, options, say: {"tvm": "1.2.3"})
    out = tmp_path / "mind"
    out.mkdir()
    (out / "old").touch()
    model = convert(folder, out, Options(licence="MIT"), say=lambda line: None)
    assert list(model.files) == ["chat.yaml"] == [path.name for path in out.iterdir()]
    assert "\n  licence: MIT\n" in render({"mind": model}) and "\n  tvm: 1.2.3\n" in render({"mind": model})
    assert "tvm" not in render({"mind": replace(model, tvm="")})


def test_a_chat_can_be_given(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "_fill", lambda source, out, options, say: {})
    (tmp_path / "other.yaml").write_text("reply: <toy>\n")
    convert(folder, tmp_path / "mind", Options(chat=tmp_path / "other.yaml"), say=lambda line: None)
    assert (tmp_path / "mind" / "chat.yaml").read_text() == "reply: <toy>\n"
    with pytest.raises(ModelError, match="no such file"):
        convert(folder, tmp_path / "mind", Options(chat=tmp_path / "none.yaml"), say=lambda line: None)
    (folder / "chat.yaml").unlink()
    said: list[str] = []
    convert(folder, tmp_path / "mind", say=said.append)
    assert any("--chat" in line for line in said)


def test_a_missing_linker_is_said_before_any_work(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tvm")
    from tools.convert.llm.mlc import targets

    monkeypatch.setattr(targets, "CROSS_COMPILER", "no-such-compiler")
    monkeypatch.setattr(targets.platform, "machine", lambda: "x86_64")
    with pytest.raises(ModelError, match=r"no-such-compiler to link with .*apt-get"):
        convert(folder, tmp_path / "mind", Options(targets=("host", "aarch64")), say=lambda line: None)
    assert not (tmp_path / "mind").exists()


@pytest.mark.train
@pytest.mark.parametrize(
    "sizes",
    [
        replace(SIZES, context=256),
        replace(SIZES, context=256, model_type="llama", theta=500000.0, tied=True),
    ],
    ids=["mistral", "llama, tied"],
)
def test_it_computes_what_transformers_does(sizes: Sizes, tmp_path: Path) -> None:
    """With the int4 weights as floats; 24 layers of width 512 are compared by `python -m tools.convert.llm.parity`."""
    from epsilon.realtime import Seat
    from epsilon.runtimes import mlc
    from tools.convert.llm.parity import compare

    write(tmp_path / "checkpoint", sizes, scale=0.3)
    model = convert(tmp_path / "checkpoint", tmp_path / "mind", Options(activations="fp32"))
    found = compare(tmp_path / "checkpoint", mlc.load_decoder(model, Seat()), steps=100)
    assert found.largest <= 1e-3 and found.equal == found.steps == 100, found.line()


@pytest.mark.train
def test_scaled_positions_as_transformers_scales_them(tmp_path: Path) -> None:
    from epsilon.realtime import Seat
    from epsilon.runtimes import mlc
    from tools.convert.llm.parity import compare

    write(tmp_path / "checkpoint", replace(SIZES, context=256, model_type="llama"), scale=0.3)
    change(tmp_path / "checkpoint", rope_scaling=SCALING)
    model = convert(tmp_path / "checkpoint", tmp_path / "mind", Options(activations="fp32"))
    found = compare(tmp_path / "checkpoint", mlc.load_decoder(model, Seat()), steps=60)
    assert found.largest <= 1e-3 and found.equal == 60, found.line()
