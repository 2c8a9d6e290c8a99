"""Other engines as workers, each through its own interface: python -m tools.bench.llm.peer NAME FOLDER THREADS.

Runs in the peers' virtual environment. Everybody has the same network in its own 4-bit form; a pass ends when
the scores of the next token are in an array.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tools.bench.llm import LONGEST
from tools.bench.llm.measures import REFERENCE, Greedy, Loaded, tasks
from tools.bench.peers.serving import serve

Scores = npt.NDArray[np.float32]


class LlamaCpp(Greedy):
    """llama.cpp through llama-cpp-python."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._library = import_module("llama_cpp")
        counts = {"n_threads": threads, "n_threads_batch": threads}
        path = str(folder / "q4_0.gguf")
        self._model = self._library.Llama(path, n_ctx=LONGEST, n_batch=LONGEST, verbose=False, **counts)

    def clear(self) -> None:
        """Forget all tokens."""
        self._model.reset()
        self._model._ctx.kv_cache_clear()

    def run(self, ids: Sequence[int]) -> Scores:
        """A pass over more tokens: the scores of the next."""
        self._model.eval(ids)
        found = self._library.llama_get_logits_ith(self._model.ctx, -1)
        scores: Scores = np.ctypeslib.as_array(found, shape=(self._model.n_vocab(),)).copy()
        return scores


class Genai:
    """onnxruntime-genai; its generator samples by itself."""

    def __init__(self, folder: Path, threads: int) -> None:
        genai = import_module("onnxruntime_genai")
        config = genai.Config(str(folder / "genai"))
        config.clear_providers()
        options = f'{{"intra_op_num_threads": {threads}}}'
        config.overlay(f'{{"model": {{"decoder": {{"session_options": {options}}}}}}}')
        self._model = genai.Model(config)
        settings = genai.GeneratorParams(self._model)
        settings.set_search_options(max_length=LONGEST, min_length=LONGEST, do_sample=False)
        self._generator = genai.Generator(self._model, settings)

    def clear(self) -> None:
        """Forget all tokens."""
        self._generator.rewind_to(0)

    def append(self, ids: Sequence[int]) -> Scores:
        """Take in more tokens; the scores [vocabulary] of the next."""
        self._generator.append_tokens(np.array([ids], np.int32))
        scores: Scores = np.asarray(self._generator.get_logits(), np.float32)[0, -1]
        return scores

    def decode(self, count: int) -> None:
        """So many times the likeliest next token, each taken in."""
        for _ in range(count):
            self._generator.generate_next_token()


class OpenVino(Greedy):
    """OpenVINO's CPU plugin on its own stateful form."""

    def __init__(self, folder: Path, threads: int) -> None:
        openvino = import_module("openvino")
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,
        }
        path = folder / "openvino" / "openvino_model.xml"
        self._request = openvino.Core().compile_model(path, "CPU", settings).create_infer_request()
        self._length = 0

    def clear(self) -> None:
        """Forget all tokens."""
        self._request.reset_state()
        self._length = 0

    def run(self, ids: Sequence[int]) -> Scores:
        """A pass over more tokens: the scores of the next."""
        start, self._length = self._length, self._length + len(ids)
        feeds = {
            "input_ids": np.array([ids], np.int64),
            "attention_mask": np.ones((1, self._length), np.int64),
            "position_ids": np.arange(start, self._length, dtype=np.int64)[None],
            "beam_idx": np.zeros(1, np.int32),
        }
        scores: Scores = self._request.infer(feeds, share_inputs=True, share_outputs=True)["logits"][0, -1]
        return scores


def gguf_bytes(folder: Path) -> int:
    """Of all tensors but the embedding, of which a token reads one row."""
    reader = import_module("gguf").GGUFReader(folder / "q4_0.gguf")
    return sum(int(one.n_bytes) for one in reader.tensors if one.name != "token_embd.weight")


def genai_bytes(folder: Path) -> int:
    """Of all initializers but the embedding."""
    weights = import_module("onnx").load(folder / "genai" / "model.onnx").graph.initializer
    return sum(len(one.raw_data) for one in weights if "embed_tokens" not in one.name)


def openvino_bytes(folder: Path) -> int:
    """Of all constants but the embedding's."""
    model = import_module("openvino").Core().read_model(folder / "openvino" / "openvino_model.xml")
    constants = [node for node in model.get_ops() if node.get_type_name() == "Constant"]
    return sum(one.get_byte_size() for one in constants if "embed_tokens" not in one.get_friendly_name())


PEERS: dict[str, tuple[Callable[[Path, int], Any], Callable[[Path], int], str]] = {
    "llama.cpp": (LlamaCpp, gguf_bytes, "llama-cpp-python"),
    "onnxruntime-genai": (Genai, genai_bytes, "onnxruntime-genai"),
    "openvino": (OpenVino, openvino_bytes, "openvino"),
}


def main() -> None:
    """Loads one of them and serves."""
    name, folder, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    engine, size, package = PEERS[name]
    weight_bytes = size(folder)

    def load() -> Loaded:
        return Loaded(engine(folder, threads), f"{package} {version(package)}", weight_bytes)

    serve(tasks(load, folder / REFERENCE))


if __name__ == "__main__":
    main()
