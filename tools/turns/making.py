"""Spoken turns from a seed: script, speaker, pauses, room and noise."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tools.train.speech.voices import RATE_HZ, Samples
from tools.turns.joining import Unspeakable, speak
from tools.turns.labels import Label
from tools.turns.scripts import Script, Writer
from tools.turns.speakers import Troupe
from tools.turns.surroundings import Surroundings, draw_noise
from tools.turns.timed import Wave
from tools.turns.worlds import World

LEAD_S = (0.4, 0.8)  # of noise before the first word
TAIL_S = 2.5  # and after the last
SHORTEST_PAUSE_S = 0.1  # shorter silences are no pauses
BYSTANDERS = 40
_SURROUNDINGS_SEED = 4_000


class Turn(NamedTuple):
    """Sound at 16 kHz and its label."""

    samples: Wave
    label: Label
    script: Script


def turns(seed: int, world: World, noise: str | None = None) -> Iterator[Turn]:
    """Endless; the same seed gives the same turns. `noise`: of that kind alone."""
    rng, troupe = random.Random(seed), Troupe(world)
    surroundings = Surroundings(_bystanders(troupe), _SURROUNDINGS_SEED + seed)
    writer, number = Writer(rng, world), 0
    while True:
        script = writer.draw()
        who = troupe.draw(rng, script.slow)
        try:
            speech = speak(script, who, troupe, rng)
        except Unspeakable:
            continue
        kind = noise or draw_noise(rng)
        lead = round(rng.uniform(*LEAD_S) * RATE_HZ)
        end = lead + len(speech.samples)
        sound = np.pad(speech.samples, (lead, round(TAIL_S * RATE_HZ)))
        spoken = len(speech.samples) - sum(b - a for a, b in speech.pauses)
        mixed, snr_db = surroundings.mix(surroundings.reverberate(sound), spoken, kind)
        label = Label(
            file=f"turn-{number:05}.wav",
            end_s=_seconds(end),
            start_s=_seconds(lead),
            text=script.text,
            pauses=tuple((_seconds(lead + a), _seconds(lead + b)) for a, b in speech.pauses),
            voice=who.voice,
            noise=kind,
            snr_db=round(snr_db, 1),
            kind=script.kind,
        )
        yield Turn(mixed, label, script)
        number += 1


def _bystanders(troupe: Troupe) -> list[Samples]:
    """What people around say: of the same world as the speakers."""
    rng = random.Random(_SURROUNDINGS_SEED)
    writer, found = Writer(rng, troupe.world), list[Samples]()
    while len(found) < BYSTANDERS:
        said = troupe.say(writer.draw().text + ".", troupe.draw(rng, slow=False)).samples
        if len(said) > RATE_HZ // 2:
            found.append(said)
    return found


def _seconds(frames: int) -> float:
    return round(frames / RATE_HZ, 4)
