"""The checks of a conversion: graphs against torch, ids against transformers, int8 against float32."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from tokenizers import Tokenizer

from epsilon.dsp.mel import LogMel
from epsilon.emulation.word_errors import edits
from tools.convert.asr import Check
from tools.convert.asr.checkpoint import Checkpoint
from tools.convert.asr.contexts import SPARE_TOKENS, TOKENS_PER_SECOND, samples, words
from tools.convert.asr.export import (
    OTHER_CONTEXT,
    bands,
    decoder_feeds,
    run_decoder,
    run_encoder,
)
from tools.convert.asr.graph import Graph
from tools.convert.asr.greedy import Greedy
from tools.convert.asr.network import Decoder, Encoder
from tools.convert.asr.numbers import Arrays, alike, same_within
from tools.convert.asr.sound import Clip

MOST_DIFFERENCE = 1e-4  # of float32 graphs from torch
LEAST_COSINE = 0.999  # of int8 with random weights, whose words mean nothing
LEAST_COSINE_REAL = 0.95  # of int8 with real ones, whose words decide
MOST_OTHER_WORDS = 0.05  # share of words that int8 may change
INPUTS, STEPS = 3, 16  # for the comparison with generate, which always encodes the full length
SCORES = "/head/MatMul_output_0"  # what the exporter calls them
DRAFT = 14  # tokens checked in one pass
MOST_PASS_DIFFERENCE = 0.01  # of log-probabilities between one pass and token by token


def against_torch(encoder: Encoder, decoder: Decoder, *paths: Path) -> Iterator[Check]:
    """The float32 graphs against the torch modules."""
    mel = np.random.default_rng(1).standard_normal((1, bands(encoder), 2 * OTHER_CONTEXT)).astype(np.float32)
    found = Graph(paths[0])({"mel": mel})
    yield same_within("encoder, onnx against torch", found, run_encoder(encoder, mel), MOST_DIFFERENCE)
    graph = Graph(paths[1])
    for new, past in ((4, 0), (1, 9)):
        feeds = decoder_feeds(decoder, new, past, OTHER_CONTEXT)
        name = f"decoder, onnx against torch, {new} after {past}"
        yield same_within(name, graph(feeds), run_decoder(decoder, feeds), MOST_DIFFERENCE)


def against_generate(source: Checkpoint, ears: Greedy, clips: Sequence[Clip]) -> Iterator[Check]:
    """Greedy ids of the graphs against transformers' generate on the same features."""
    equal = compared = 0
    inputs = features(source, clips)
    for mel in inputs:
        ids = ears.decode(ears.encode(mel), STEPS)
        if not stamped(source, ids):
            compared += 1
            equal += ids == generated(source, mel, STEPS)
    found = f"{equal} of {compared} inputs alike"
    if compared < len(inputs):
        found += f", {len(inputs) - compared} with time stamps left out"
    passed = equal == compared and (compared > 0 or source.random)
    yield Check("ids, onnx against transformers' generate", found, f"all, {STEPS} tokens each", passed)


def stamped(source: Checkpoint, ids: Sequence[int]) -> bool:
    """Whether time stamps are among the ids although none were asked for, as random weights may have it.

    Transformers' generate then cuts the text there and listens again, which plain greedy decoding does not.
    """
    return any(id_ > source.start[-1] for id_ in ids)


def features(source: Checkpoint, clips: Sequence[Clip], count: int = INPUTS) -> list[np.ndarray]:
    """Full-length features [1, bands, 2T]: of the longest clips, then of noise, which differs more."""
    context, rng = source.longest_context, np.random.default_rng(2)
    sounds = [clip.sound[: samples(context)] for clip in clips[-(count // 2) :]] if clips else []
    while len(sounds) < count:
        sounds.append(rng.normal(0, 0.1, samples(context) // 2).astype(np.float32))
    made = []
    for sound in sounds:
        mel = LogMel(int(source.model.config.num_mel_bins))
        mel.push(sound)
        made.append(mel.window(2 * context))
    return made


def generated(source: Checkpoint, mel: np.ndarray, steps: int) -> list[int]:
    """What transformers makes of features [1, bands, 2T], without the start and the end."""
    options: dict[str, Any] = {"max_new_tokens": steps, "do_sample": False, "num_beams": 1, **source.spoken}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ids = source.model.generate(input_features=torch.from_numpy(mel), **options)[0].tolist()
    if tuple(ids[: len(source.start)]) == source.start:
        ids = ids[len(source.start) :]
    return ids[: ids.index(source.end)] if source.end in ids else ids


def against_float32(
    source: Checkpoint, small: Greedy, whole: Greedy, clips: Sequence[Clip], vocabulary: Tokenizer
) -> Iterator[Check]:
    """The int8 graphs against those in float32, and one pass against token by token."""
    least = LEAST_COSINE if source.random else LEAST_COSINE_REAL
    mel = features(source, clips, 1)[0][:, :, : 2 * min(source.longest_context, 4 * OTHER_CONTEXT)]
    crossed = whole.encode(mel)
    yield alike("encoder, int8 against float32", small.encode(mel), crossed, least)
    draft = whole.decode(crossed, DRAFT)
    ids = (*whole.start, *draft)
    found, wanted = (with_scores(ears).step(ids, 0, crossed, None) for ears in (small, whole))
    found["scores"], wanted["scores"] = found.pop(SCORES), wanted.pop(SCORES)
    yield alike("decoder, int8 against float32", found, wanted, least)
    yield one_pass(small, ids, crossed)
    if clips and not source.random:
        yield same_words(source, small, whole, clips, vocabulary)


def with_scores(ears: Greedy) -> Greedy:
    """The recogniser with a further output of its decoder: the scores of all tokens."""
    path = ears.decoder.path.with_suffix(".scores")
    model = onnx.load(ears.decoder.path, load_external_data=False)  # beside it, so that they are found
    model.graph.output.append(onnx.helper.make_tensor_value_info(SCORES, onnx.TensorProto.FLOAT, None))
    onnx.save(model, path)
    try:
        return replace(ears, decoder=Graph(path))
    finally:
        path.unlink()


def one_pass(ears: Greedy, ids: Sequence[int], crossed: Arrays) -> Check:
    """Whether a draft checked in one pass comes out as token by token, which the toy relies on."""
    together = ears.step(tuple(ids), 0, crossed, None)
    out: Arrays | None = None
    rows = []
    for place, token in enumerate(ids):
        out = ears.step((token,), place, crossed, out)
        rows.append((int(out["ids"][0, 0]), float(out["logprobs"][0, 0])))
    equal = sum(row[0] == int(wanted) for row, wanted in zip(rows, together["ids"][0], strict=True))
    worst = float(np.abs(np.array([row[1] for row in rows]) - together["logprobs"][0]).max())
    found = f"{equal} of {len(ids)} ids alike, log-probabilities within {worst:.1e}"
    wanted = f"within {MOST_PASS_DIFFERENCE}"
    return Check("decoder, one pass against token by token", found, wanted, worst <= MOST_PASS_DIFFERENCE)


def same_words(
    source: Checkpoint, small: Greedy, whole: Greedy, clips: Sequence[Clip], vocabulary: Tokenizer
) -> Check:
    """Word differences between two recognisers on speech, at the full length."""
    wrong = total = 0
    for clip in clips:
        steps = int(clip.seconds * TOKENS_PER_SECOND) + SPARE_TOKENS
        first, second = (
            words(vocabulary.decode(ears.hear(clip.sound, source.longest_context, steps)))
            for ears in (small, whole)
        )
        wrong, total = wrong + edits(second, first), total + len(second)
    share = wrong / max(1, total)
    found = f"{wrong} of {total} words differ ({100 * share:.1f} %)"
    return Check(
        "words, int8 against float32", found, f"at most {MOST_OTHER_WORDS:.0%}", share <= MOST_OTHER_WORDS
    )
