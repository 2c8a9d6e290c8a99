"""Graphs in ONNX's text form, with their random weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

Weights = Mapping[str, npt.NDArray[np.generic]]

ENCODER = """
<ir_version: 8, opset_import: ["" : 17]>
encoder (float[1,80,t2] mel) => (float[1,1,1,t,64] cross_k, float[1,1,1,t,64] cross_v) {
  folded = Conv <kernel_shape = [3], strides = [2], pads = [1, 1]> (mel, conv)
  x = Transpose <perm = [0, 2, 1]> (folded)
  bent = Tanh (x)
  k = MatMul (bent, wk)
  v = MatMul (bent, wv)
  cross_k = Unsqueeze (k, two_axes)
  cross_v = Unsqueeze (v, two_axes)
}
"""

# Causal self-attention over past and new, attention to the sound, and tied logits.
DECODER = """
<ir_version: 8, opset_import: ["" : 17]>
decoder (float[1,n,64] x, float[1,1,1,p,64] past_k, float[1,1,1,p,64] past_v,
         float[1,1,1,t,64] cross_k, float[1,1,1,t,64] cross_v)
     => (int64[1,n] ids, float[1,n] logprobs, float[1,1,1,q,64] new_k, float[1,1,1,q,64] new_v) {
  q = MatMul (x, wq)
  k = MatMul (x, wk)
  v = MatMul (x, wv)
  k5 = Unsqueeze (k, two_axes)
  v5 = Unsqueeze (v, two_axes)
  new_k = Concat <axis = 3> (past_k, k5)
  new_v = Concat <axis = 3> (past_v, v5)
  all_k = Squeeze (new_k, two_axes)
  all_v = Squeeze (new_v, two_axes)
  turned = Transpose <perm = [0, 2, 1]> (all_k)
  scores = MatMul (q, turned)
  shape = Shape (scores)
  ones = ConstantOfShape <value = float[1] {1}> (shape)
  past_shape = Shape (past_k)
  past = Gather (past_shape, three)
  above = Add (past, one)
  future = Trilu <upper = 1> (ones, above)
  penalty = Mul (future, minus_many)
  masked = Add (scores, penalty)
  weights = Softmax <axis = 2> (masked)
  own = MatMul (weights, all_v)
  y = Add (x, own)
  heard_k = Squeeze (cross_k, two_axes)
  heard_v = Squeeze (cross_v, two_axes)
  heard_t = Transpose <perm = [0, 2, 1]> (heard_k)
  scores2 = MatMul (y, heard_t)
  weights2 = Softmax <axis = 2> (scores2)
  sound = MatMul (weights2, heard_v)
  z = Add (y, sound)
  logits = MatMul (z, head)
  biased = Add (logits, bias)
  ids = ArgMax <axis = 2, keepdims = 0> (biased)
  scaled = LogSoftmax <axis = 2> (biased)
  logprobs = ReduceMax <axes = [2], keepdims = 0> (scaled)
}
"""

STYLE = """
<ir_version: 8, opset_import: ["" : 17]>
style (float[1,8] style) => (float[1,8] text_bends, float[1,8] sound_bends) {
  text_bends = Identity (style)
  sound_bends = Identity (style)
}
"""

# Each symbol lasts four frames of 160 samples.
TEXT = """
<ir_version: 8, opset_import: ["" : 17]>
text (int64[1,n] input_ids, float[1,8] text_bends, float[1] speed) => (int64[n] durations, float[n,8] text) {
  word = Gather (embedding, input_ids)
  styled = Add (word, text_bends)
  paced = Mul (styled, speed)
  text = Reshape (paced, rows_of_8)
  flat = Reshape (input_ids, minus_one)
  nothing = Mul (flat, zero)
  durations = Add (nothing, four)
}
"""

# Frames two to either side are heard in a frame, and how many frames have gone before, which is handed on as `phase`.
VOICE_DECODER = """
<ir_version: 8, opset_import: ["" : 17]>
decoder (int64[n] durations, float[n,8] text, float[1,8] sound_bends, int64[2] span, float[1] phase)
     => (float[samples] audio, float[1] phase_behind) {
  bent = Add (text, sound_bends)
  column = Unsqueeze (bent, one_1)
  four_times = Concat <axis = 1> (column, column, column, column)
  rows = Reshape (four_times, rows_of_8)
  turned = Transpose <perm = [1, 0]> (rows)
  frames = Unsqueeze (turned, zero_1)
  heard = Conv <kernel_shape = [5], pads = [2, 2]> (frames, conv)
  all = Transpose <perm = [0, 2, 1]> (heard)
  first, end = Split <axis = 0> (span)
  part = Slice (all, first, end, one_1)
  length = Sub (end, first)
  going = Cast <to = 1> (length)
  phase_behind = Add (phase, going)
  count = Squeeze (length)
  numbers = Range (zero, count, one)
  number = Cast <to = 1> (numbers)
  passed = Add (number, phase)
  later = Mul (passed, thousandth)
  slope = Unsqueeze (later, one_1)
  risen = Add (part, slope)
  quiet = Tanh (risen)
  audio = Reshape (quiet, minus_one)
}
"""
# What goes between the others when they make one graph.
WHOLE = """
<ir_version: 8, opset_import: ["" : 17]>
voice (int64[1,n] input_ids, float[1,8] style, float[1] speed) => (float[samples] audio, int64[n] durations) {
  total = ReduceSum (durations)
  begin = Sub (total, total)
  span = Concat <axis = 0> (begin, total)
  phase = Cast <to = 1> (begin)
}
"""


def save(path: Path, text: str, weights: Weights) -> None:
    """Write the graph in `text` with its weights."""
    model = onnx.parser.parse_model(text)
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in weights.items())
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
