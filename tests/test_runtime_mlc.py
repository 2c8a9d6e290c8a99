"""The runtimes mlc and mlc_llm: a tiny network compiled here, what is wrong with files, versions and devices."""

from __future__ import annotations

import gc
import importlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from epsilon.config.models import Model
from epsilon.errors import InferenceError, ModelError
from epsilon.realtime import Seat
from epsilon.runtimes import mlc, mlc_llm
from epsilon.runtimes.decoder import Decoder
from epsilon.runtimes.paged_decoder import SEQUENCES
from tests.models import mlc_tiny
from tools.convert.llm.mlc.exercise import answers

pytestmark = pytest.mark.slow  # compiling takes more than five seconds

ROOT = Path(__file__).parent.parent
DOUBLES = ROOT / "tests" / "doubles"
IDS = [5, 17, 40, 41, 3, 77, 90, 12, 60, 8, 33]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return mlc_tiny.mind(tmp_path_factory.mktemp("mlc") / "mind")


@pytest.fixture
def copy(tiny: Model, tmp_path: Path) -> Model:
    """The model in a folder that a test may damage."""
    shutil.copytree(tiny.folder, tmp_path / "mind")
    return replace(tiny, folder=tmp_path / "mind")


@pytest.fixture(scope="module")
def decoder(tiny: Model) -> Decoder:
    return mlc.load_decoder(tiny, Seat())


class Library:
    """The library as mlc_llm would drive it: its functions by name."""

    def __init__(self, tiny: Model) -> None:
        self.tvm = mlc.FfiBindings("cpu")
        path = mlc.find_library(tiny.folder, "cpu")
        self.machine = self.tvm.load(path)["vm_load_executable"]()
        self.machine["vm_initialization"](1, 0, 2)
        self.metadata = json.loads(str(self.machine["_metadata"]()))
        names = [one["name"] for one in self.metadata["params"]]
        self.tvm.function("vm.builtin.tensor_cache.load")(str(tiny.folder), 1, 0)
        self.weights = self.tvm.function("vm.builtin.param_array_from_cache_by_name")(names)
        sizes = (4, 256, 96, 16, 0)
        self.cache = self.machine["create_tir_paged_kv_cache"](*map(self.tvm.shape, sizes))

    def forward(self, name: str, lengths: dict[int, int], rows: Any, *further: Any) -> np.ndarray:
        """The scores of a function over sequences that are appended to."""
        state = "vm.builtin.kv_state_"
        begin = self.tvm.function(state + "begin_forward")
        begin(self.cache, self.tvm.shape(*lengths), self.tvm.shape(*lengths.values()))
        scores = self.machine[name](rows, *further, self.cache, self.weights)[0]
        self.tvm.function(state + "end_forward")(self.cache)
        return self.tvm.array(scores)

    def add(self, number: int) -> None:
        self.tvm.function("vm.builtin.kv_state_add_sequence")(self.cache, number)

    def rows(self, ids: list[int], *sizes: int) -> Any:
        embedded = self.machine["embed"](self.tvm.tensor(np.array(ids, np.int32)), self.weights)
        return self.tvm.function("vm.builtin.reshape")(embedded, self.tvm.shape(*sizes, mlc_tiny.SIZES.width))


@pytest.fixture(scope="module")
def library(tiny: Model) -> Library:
    return Library(tiny)


def at_once(decoder: Decoder, ids: list[int]) -> np.ndarray:
    return decoder.run(decoder.new(), ids)


def close(found: np.ndarray, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, atol=1e-4)


# what mlc_llm expects of a library


def test_several_sequences_are_prefilled_and_decoded_together(library: Library, decoder: Decoder) -> None:
    library.add(0)
    library.add(1)
    last = library.tvm.tensor(np.array([3, 10], np.int32))
    found = library.forward("batch_prefill", {0: 4, 1: 7}, library.rows(IDS, 1, 11), last)
    close(found[0, 0], at_once(decoder, IDS[:4]))
    close(found[0, 1], at_once(decoder, IDS[4:]))
    found = library.forward("batch_decode", {0: 1, 1: 1}, library.rows([9, 70], 2, 1))
    close(found[0, 0], at_once(decoder, [*IDS[:4], 9]))
    close(found[1, 0], at_once(decoder, [*IDS[4:], 70]))


def test_every_token_of_a_draft_is_scored(library: Library, decoder: Decoder) -> None:
    library.add(2)
    found = library.forward("batch_verify", {2: 11}, library.rows(IDS, 1, 11))
    assert found.shape == (1, 11, mlc_tiny.SIZES.vocabulary)
    for count in (1, 6, 11):
        close(found[0, count - 1], at_once(decoder, IDS[:count]))


def test_probabilities_by_temperature(library: Library) -> None:
    scores = np.random.default_rng(0).standard_normal((3, 1, 96)).astype(np.float32)
    heat = np.array([0.5, 2.0, 0.0], np.float32)
    found = library.tvm.array(
        library.machine["softmax_with_temperature"](library.tvm.tensor(scores), library.tvm.tensor(heat))
    )
    for row, temperature in enumerate(heat[:2]):
        weights = np.exp(scores[row, 0] / temperature)
        np.testing.assert_allclose(found[row, 0], weights / weights.sum(), rtol=1e-4)
    assert found[2, 0].argmax() == scores[2, 0].argmax() and found[2, 0].max() == 1


def test_what_a_library_says_about_itself(library: Library) -> None:
    said = library.metadata
    sizes = mlc_tiny.SIZES
    assert said["quantization"] == "q4f32_1" and said["context_window_size"] == sizes.context
    assert said["kv_cache"] == {
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.kv_heads,
        "head_dim": sizes.head_dim,
    }
    assert said["memory_usage"]["prefill"] > said["memory_usage"]["decode"] > 0
    assert tuple(library.machine["alloc_embedding_tensor"]().shape) == (96, sizes.width)


# what only shows in the whole


def test_it_is_a_decoder(decoder: Decoder) -> None:
    assert (decoder.limit, decoder.chunk, decoder.tolerance) == (96, 96, 1e-4)
    logits = at_once(decoder, IDS)
    assert logits.dtype == np.float32 and logits.shape == (mlc_tiny.SIZES.vocabulary,)


def test_anything_in_any_order_is_as_at_once(decoder: Decoder) -> None:
    """Appending, taking back, forking, storing and letting go, drawn by chance, against prefill at once."""
    random = np.random.default_rng(7)
    held: list[tuple[Any, list[int]]] = [(decoder.new(), [])]
    for _ in range(120):
        cache, ids = held[int(random.integers(len(held)))]
        what = str(random.choice(["append", "append", "append", "keep", "fork", "store", "let go"]))
        if what == "append" and len(ids) < 80:
            more = [int(one) for one in random.integers(0, 96, random.integers(1, 16))]
            ids += more
            close(decoder.run(cache, more), at_once(decoder, ids))
        elif what == "keep":
            del ids[int(random.integers(len(ids) + 1)) :]
            decoder.keep(cache, len(ids))
        elif what == "fork" and len(held) < SEQUENCES - 1:
            held.append((decoder.fork(cache), list(ids)))
        elif what == "store" and len(held) < SEQUENCES - 1:
            held.append((decoder.restore(decoder.store(cache)), list(ids)))
        elif what == "let go" and len(held) > 1:
            held.pop()
        assert [decoder.length(one) for one, _ in held] == [len(one) for _, one in held]


def test_a_full_cache_says_so_and_has_room_again(tiny: Model) -> None:
    decoder = mlc.load_decoder(tiny, Seat())
    caches: list[Any] = []
    with pytest.raises(InferenceError, match="room for 4 sequences of 96 tokens"):
        while len(caches) < 4 * SEQUENCES:
            caches.append(decoder.new())
            decoder.run(caches[-1], IDS * 8)
    assert len(caches) > SEQUENCES
    caches.clear()
    gc.collect()
    at_once(decoder, IDS * 8)


def test_more_than_a_pass_or_a_sequence_takes_is_refused(decoder: Decoder) -> None:
    cache = decoder.new()
    with pytest.raises(ValueError, match="1 to 96"):
        decoder.run(cache, [1] * 97)
    decoder.run(cache, [1] * 90)
    with pytest.raises(ValueError, match="up to 96"):
        decoder.run(cache, [1] * 7)
    assert decoder.length(cache) == 90


def test_loading_brings_no_compiler_no_torch_and_no_python_of_tvm(tiny: Model) -> None:
    said = alone(
        tiny,
        "import sys; hook = sys.excepthook",
        "decoder = mlc.load_decoder(model, Seat()); decoder.run(decoder.new(), [1, 2])",
        "print(sorted({'tvm', 'torch', 'ssl', 'asyncio'} & set(sys.modules)), hook is sys.excepthook)",
        "print('compiler' in open('/proc/self/maps').read())",
    )
    assert said == ["[] True", "False"]


def test_the_name_alone_needs_no_tvm() -> None:
    code = "import sys, epsilon.runtimes.mlc, epsilon.runtimes.mlc_llm; print('tvm_ffi' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


def test_inner_threads_sit_on_the_seats_cores(tiny: Model) -> None:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("one core")
    said = alone(
        tiny,
        f"import os; seat = Seat(cores=({cores[0]}, {cores[-1]})); seat.take()",
        "decoder = mlc.load_decoder(model, seat)",
        "before = set(os.listdir('/proc/self/task')); decoder.run(decoder.new(), [1, 2])",
        "new = set(os.listdir('/proc/self/task')) - before",
        "print(len(new), *{tuple(sorted(os.sched_getaffinity(int(one)))) for one in new})",
        "print(sorted(os.sched_getaffinity(0)))",
    )
    assert said == [f"1 ({cores[0]}, {cores[-1]})", f"[{cores[0]}, {cores[-1]}]"]


def alone(tiny: Model, *lines: str) -> list[str]:
    """What a Python of its own prints, with the model at hand."""
    start = [
        "from pathlib import Path",
        "from epsilon.config.models import Model",
        "from epsilon.realtime import Seat",
        "from epsilon.runtimes import mlc",
        f"model = Model('tiny', Path({str(tiny.folder)!r}), 'llm', 'mistral', '', '', '', {{}}, {tiny.tvm!r})",
    ]
    code = "\n".join([*start, *lines])
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


# what can be wrong


def test_another_tvm_is_refused(tiny: Model) -> None:
    here = importlib.metadata.version("apache-tvm")
    with pytest.raises(
        ModelError, match=rf"compiled with TVM 0\.26\.0, this is TVM {here}.*compiles it anew"
    ):
        mlc.load_decoder(replace(tiny, tvm="0.26.0"), Seat())
    with pytest.raises(ModelError, match="does not say which TVM"):
        mlc.load_decoder(replace(tiny, tvm=""), Seat())


def test_no_tvm_says_what_to_install(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(ModelError, match=r"needs the package apache-tvm .*pip install apache-tvm=="):
        mlc.load_decoder(tiny, Seat())


def test_a_library_for_another_machine_is_not_taken(copy: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlc.platform, "machine", lambda: "riscv64")
    with pytest.raises(ModelError, match=r"no library-riscv64\.so; there are: .*--target"):
        mlc.load_decoder(copy, Seat())


def test_without_opencl_in_tvm_the_gpu_is_refused(copy: Model) -> None:
    with pytest.raises(ModelError, match=r"no library-opencl-mali\.so"):
        mlc.load_decoder(copy, Seat(device="opencl"))
    shutil.copy(next(copy.folder.glob("library-*.so")), copy.folder / "library-opencl-mali.so")
    with pytest.raises(ModelError, match="no OpenCL"):
        mlc.load_decoder(copy, Seat(device="opencl"))


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("mlc-chat-config.json", None, "no model in MLC's form"),
        ("tensor-cache.json", None, "no model in MLC's form"),
        ("tensor-cache.json", b"{}", "no list of parameters"),
        ("params_shard_0.bin", None, "file is missing"),
        ("params_shard_0.bin", b"short", r"expected \d+ bytes, found 5 \(damaged"),
        ("library", b"not a library", "cannot load the library"),
    ],
)
def test_damaged_files_are_named(copy: Model, name: str, damage: bytes | None, said: str) -> None:
    path = next(copy.folder.glob("library-*.so")) if name == "library" else copy.folder / name
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    with pytest.raises(ModelError, match=said) as error:
        mlc.load_decoder(copy, Seat())
    assert str(copy.folder) in error.value.where


def test_a_parameter_too_few_is_an_error_of_the_folder(copy: Model) -> None:
    path = copy.folder / "tensor-cache.json"
    listed = json.loads(path.read_text())
    listed["records"][0]["records"] = listed["records"][0]["records"][:-1]
    path.write_text(json.dumps(listed))
    with pytest.raises(ModelError, match="TVM cannot load it"):
        mlc.load_decoder(copy, Seat())


# a real installation of mlc_llm, played by a double


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOUBLES))
    monkeypatch.delitem(sys.modules, "mlc_llm", raising=False)
    importlib.import_module("mlc_llm")
    monkeypatch.setitem(sys.modules, "mlc_llm", sys.modules.pop("mlc_llm"))  # so that it is gone afterwards


@pytest.mark.usefixtures("installed")
def test_an_installation_computes_the_same(tiny: Model, decoder: Decoder) -> None:
    hook = sys.excepthook
    np.testing.assert_array_equal(answers(mlc_llm.load_decoder(tiny, Seat())), answers(decoder))
    assert sys.excepthook is hook


@pytest.mark.usefixtures("installed")
def test_libraries_of_mlc_llm_store_tokens(
    tiny: Model, decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They lack the functions by which a cache is read and filled."""
    monkeypatch.setattr(mlc_llm.TokenDecoder, "offers", lambda self, name: False)
    theirs = mlc_llm.load_decoder(tiny, Seat())
    cache = theirs.new()
    theirs.run(cache, IDS)
    theirs.keep(cache, 9)
    assert theirs.store(theirs.fork(cache)).tolist() == IDS[:9]
    close(theirs.run(theirs.restore(theirs.store(cache)), [4]), at_once(decoder, [*IDS[:9], 4]))
    with pytest.raises(ValueError, match="shape"):
        theirs.restore(np.zeros((2, 2), np.float32))


@pytest.mark.usefixtures("installed")
def test_an_installation_with_another_tvm_is_refused(tiny: Model) -> None:
    with pytest.raises(ModelError, match=r"compiled with TVM 0\.21\.0"):
        mlc_llm.load_decoder(replace(tiny, tvm="0.21.0"), Seat())


def test_no_installation_says_where_to_get_one(tiny: Model) -> None:
    with pytest.raises(ModelError, match=r"needs the package mlc_llm \(https://llm.mlc.ai"):
        mlc_llm.load_decoder(tiny, Seat())
