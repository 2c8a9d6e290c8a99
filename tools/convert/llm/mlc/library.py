"""Compiles the decoder for a machine: passes of TVM's relax, then code, then a shared library."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tvm
from tvm import relax
from tvm.relax import transform
from tvm.s_tir import dlight

from tools.convert.llm.architecture import Architecture
from tools.convert.llm.mlc import quantise
from tools.convert.llm.mlc.decoder import DecoderModule
from tools.convert.llm.mlc.kernels import Activations, Heads, replace_attention
from tools.convert.llm.mlc.memory_plan import planned_bytes
from tools.convert.llm.mlc.targets import Machine

SEQUENCES = 4  # how many a cache is made for, unless the runtime asks for more
# Logits in pieces against at once. Rounding to int8 turns a last bit into a step: 0.11 was measured with random weights
# and 24 layers, where logits reach 3.9.
TOLERANCES: dict[Activations, float] = {"fp32": 1e-4, "int8": 0.25}
GPU_RULES = (
    dlight.gpu.Matmul,
    dlight.gpu.GEMV,
    dlight.gpu.Reduction,
    dlight.gpu.GeneralReduction,
    dlight.gpu.Fallback,
)
# Common subexpressions found by TVM's own pass cost the kernels their registers; LLVM finds them again.
COMPILER_SETTINGS = {"tirx.disable_cse_tir": True}


@dataclass(frozen=True)
class Build:
    """How a library is to be made."""

    shape: Architecture
    context: int  # positions that a sequence may have
    chunk: int  # tokens of one pass
    activations: Activations = "int8"


@dataclass(frozen=True)
class Compiled:
    """A library in memory, and what it says about itself."""

    executable: Any
    metadata: dict[str, Any]
    planned: Any  # the module before its last passes: kernels scheduled, memory planned

    def export(self, path: Path, machine: Machine) -> None:
        """Link it."""
        self.executable.export_library(str(path), **({"fcompile": machine.link} if machine.link else {}))


def compile_library(build: Build, machine: Machine) -> Compiled:
    """The library for a machine."""
    with machine.target, tvm.transform.PassContext(config=COMPILER_SETTINGS):
        decoder = DecoderModule(build.shape, build.chunk, machine.target, build.activations)
        module, named = decoder.export_tvm(spec=decoder.exports(), allow_extern=False)
        if machine.is_cpu:
            _with_own_attention(module, build.shape)
        module = _bounded(_with_embedding_buffer(module, build), build)
        planned = tvm.transform.Sequential(_before_planning(machine))(module)
        metadata = describe(build, machine, named) | {"memory_usage": planned_bytes(planned)}
        module = tvm.transform.Sequential(_after_planning())(_with_metadata(planned, metadata))
        nothing = tvm.transform.Sequential([])
        executable = tvm.compile(module, target=machine.target, relax_pipeline=nothing)
    return Compiled(executable, metadata, planned)


def describe(build: Build, machine: Machine, named: list[tuple[str, Any]]) -> dict[str, Any]:
    """What `_metadata` answers: what mlc_llm looks for, and under `epsilon` what the toy does."""
    shape = build.shape
    activations: Activations = build.activations if machine.is_cpu else "fp32"
    return {
        "model_type": shape.model_type,
        "quantization": quantise.NAME,
        "context_window_size": build.context,
        "sliding_window_size": -1,
        "attention_sink_size": -1,
        "prefill_chunk_size": build.chunk,
        "tensor_parallel_shards": 1,
        "pipeline_parallel_stages": 1,
        "disaggregation": False,
        "kv_state_kind": "kv_cache",
        "max_batch_size": SEQUENCES,
        "active_vocab_size": shape.vocab_size,
        "model_task": "chat",
        "params": [_parameter(name, parameter) for name, parameter in named],
        "kv_cache": {
            "num_hidden_layers": shape.num_hidden_layers,
            "num_attention_heads": shape.num_attention_heads,
            "num_key_value_heads": shape.num_key_value_heads,
            "head_dim": shape.head_dim,
        },
        "epsilon": {
            "tvm": tvm.__version__,
            "target": machine.name,
            "activations": activations,
            "tolerance": TOLERANCES[activations],
        },
    }


def _parameter(name: str, parameter: Any) -> dict[str, Any]:
    sizes = [int(size) for size in parameter.shape]
    kind = str(parameter.dtype)
    return {"name": name, "shape": sizes, "dtype": kind, "preprocs": [], "pipeline_stages": [0]}


def _with_embedding_buffer(module: Any, build: Build) -> Any:
    """Adds the function that mlc_llm gathers the embedded tokens of a pass with."""
    builder = relax.BlockBuilder(module)
    sizes = relax.ShapeExpr([build.chunk, build.shape.hidden_size])
    with builder.function("alloc_embedding_tensor", []):
        room = relax.op.builtin.alloc_tensor(sizes, "float32", runtime_device_index=0)
        builder.emit_func_output(builder.emit(room))
    return builder.finalize()


def _with_own_attention(module: Any, shape: Architecture) -> None:
    heads = Heads(shape.num_attention_heads, shape.num_key_value_heads, shape.head_dim)
    replace_attention(module, heads, shape.rope_theta, bool(shape.rope_scaling))


def _with_metadata(module: Any, metadata: dict[str, Any]) -> Any:
    builder = relax.BlockBuilder(module)
    with builder.function("_metadata", params=[]):
        builder.emit_func_output(tvm.ir.StringImm(json.dumps(metadata)))
    return builder.finalize()


def _bounded(module: Any, build: Build) -> Any:
    """Says how large the sizes can become that are only known at run time, so that memory can be planned."""
    bounds = {"seq_len": build.chunk, "total_seq_len": build.context, "batch_size": SEQUENCES}
    bounds["vocab_size"] = build.shape.vocab_size
    for name, function in module.functions_items():
        if isinstance(function, relax.Function):
            function = function.with_attr("tir_var_upper_bound", bounds)
            module[name] = function.with_attr("relax.memory_plan_dynamic_func_output", True)
    return module


def _before_planning(machine: Machine) -> list[Any]:
    rules = [dlight.cpu.GEMV()] if machine.is_cpu else [rule() for rule in GPU_RULES]
    return [
        tvm.tirx.transform.BindTarget(machine.target),
        transform.FuseTransposeMatmul(),
        transform.LegalizeOps(),
        transform.AnnotateTIROpPattern(),
        transform.FoldConstant(),
        transform.FuseOps(),
        transform.FuseTIR(),
        transform.DeadCodeElimination(),
        dlight.ApplyDefaultSchedule(*rules),
        transform.RewriteDataflowReshape(),
        transform.ToNonDataflow(),
        transform.RemovePurityChecking(),
        transform.CallTIRRewrite(),
        transform.StaticPlanBlockMemory(),
    ]


def _after_planning() -> list[Any]:
    return [
        transform.LowerAllocTensor(),
        transform.KillAfterLastUse(),
        transform.LowerRuntimeBuiltin(),
        transform.ComputePrimValue(),
        transform.VMShapeLower(),
        transform.AttachGlobalSymbol(),
    ]
