"""Names of public English and multilingual Whisper checkpoints, and where on the Hugging Face hub they are."""

from __future__ import annotations

import re

from epsilon.errors import ModelError, nearest

KNOWN = {
    **{name: f"openai/whisper-{name}" for name in ("tiny.en", "base.en", "small.en", "medium.en")},
    **{name: f"openai/whisper-{name}" for name in ("tiny", "base", "small", "medium")},
    **{name: f"openai/whisper-{name}" for name in ("large-v2", "large-v3", "large-v3-turbo")},
    **{f"distil-{name}": f"distil-whisper/distil-{name}" for name in ("small.en", "medium.en")},
    **{f"distil-{name}": f"distil-whisper/distil-{name}" for name in ("large-v2", "large-v3", "large-v3.5")},
}
_REPOSITORY = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")


def repository_of(wanted: str) -> str:
    """`owner/name` of a known name, or what was given if it is of that form; ModelError names the nearest."""
    if wanted in KNOWN:
        return KNOWN[wanted]
    if _REPOSITORY.fullmatch(wanted):
        return wanted
    raise ModelError(f"no checkpoint '{wanted}'{nearest(wanted, KNOWN)}", hint="or OWNER/NAME, or a folder")
