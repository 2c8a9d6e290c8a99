"""model.yaml and the card of a converted model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from epsilon.config.models import measure
from tools.convert.asr import Check, Options
from tools.convert.asr.checkpoint import Checkpoint

LONGEST_UTTERANCE_S = 15
PADDING_MS = 500
_HEAD = """\
# A Whisper made by tools.convert.asr. `contexts` and `min_context` are in steps of 20 ms (two feature frames);
# those below min_context gave other words than the longest.
"""


def write(
    folder: Path,
    source: Checkpoint,
    options: Options,
    contexts: Sequence[int],
    smallest: int,
    versions: dict[str, str],
) -> None:
    """Writes model.yaml; the other files must be there, for their checksums."""
    config, suppression = source.model.config, source.suppression
    facts: dict[str, Any] = {
        "family": "whisper",
        "sample_rate_hz": 16_000,
        "bands": int(config.num_mel_bins),
        "width": int(config.d_model),
        "heads": int(config.decoder_attention_heads),
        "encoder_layers": int(config.encoder_layers),
        "decoder_layers": int(config.decoder_layers),
        "contexts": list(contexts),
        "min_context": int(smallest),
        "padding_ms": PADDING_MS,
        "max_s": LONGEST_UTTERANCE_S,
        "positions": int(config.max_target_positions),
        "start": list(source.start),
        "end": source.end,
        "suppress": list(suppression.always),
        "suppress_at_start": list(suppression.at_start),
    }
    if suppression.no_speech is not None:
        facts["no_speech"] = suppression.no_speech
    if source.alignment_is_known:
        facts["alignment_heads"] = [list(pair) for pair in source.alignment]
    facts |= {"words": "cased", "precision": options.precision, "random_weights": source.random}
    facts["made_by"] = {"tool": "tools.convert.asr", **versions}
    facts["files"] = {
        path.name: measure(path).sha256 for path in sorted(folder.iterdir()) if path.name != "model.yaml"
    }
    text = yaml.safe_dump(facts, sort_keys=False, default_flow_style=None, width=110)
    (folder / "model.yaml").write_text(_HEAD + text, "utf-8")


def write_card(
    path: Path,
    name: str,
    source: Checkpoint,
    options: Options,
    checks: Sequence[Check],
    versions: dict[str, str],
) -> None:
    """Writes what this is, where it comes from, and what was checked."""
    lines = [f"# {name}", ""]
    if source.random:
        lines += ["**RANDOM weights**: for checks and for measuring time; it recognises nothing.", ""]
    where = options.source or source.folder.name
    made = ", ".join(f"{module} {version}" for module, version in versions.items())
    lines += [f"Converted from {where} ({options.precision}) by tools.convert.asr with {made}."]
    lines += [
        f"Licence of the checkpoint: {options.licence}.",
        "",
        "| check | found | wanted |",
        "|---|---|---|",
    ]
    lines += [f"| {check.name} | {check.found} | {check.wanted} |" for check in checks]
    path.write_text("\n".join(lines) + "\n", "utf-8")
