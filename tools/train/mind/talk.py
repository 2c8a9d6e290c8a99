"""One dialogue in the making: whose script it follows, what the user has told so far, and its turns."""

import random
from dataclasses import dataclass, field

from tools.train.mind.script import Script
from tools.train.mind.world import World, fill, names, sentence

SILENT = "<silent>"
_PROPER = ("name", "petname", "country", "capital", "language")
_BEGINNINGS = tuple(
    "a be ca da e fa ga ha i ja ka lu ma ne o pa ri sa ti u va wi yo ze bra cli dra fre gri mar len".split()
)
_MIDDLES = tuple("la ri no mi ta ve do li sa ne ru bi ka lo".split())
_ENDINGS = tuple("na ra la n s ly ne ric ton da x m lia rin bert ka th lo".split())
_BEFORE = (
    "um",
    "well",
    "so",
    "and",
    "hey",
    "okay",
    "oh",
    "but",
    "please",
    "now",
    "hmm",
    "uh",
    "listen",
    "you know",
)
_AFTER = ("please", "then", "now", "today", "too", "okay")


@dataclass(frozen=True)
class Turn:
    user: str
    reply: str


@dataclass
class Talk:
    """Grows by `say` (an intent) or `add` (given words); `memory` is what the user told about themselves."""

    rng: random.Random
    world: World
    script: Script
    held_out: frozenset[str]
    turns: list[Turn] = field(default_factory=list)
    memory: dict[str, str] = field(default_factory=dict)

    @property
    def last_reply(self) -> str:
        return self.turns[-1].reply if self.turns else ""

    def say(self, intent: str, slots: dict[str, str] | None = None, answer: str = "") -> None:
        """The user says a phrasing of `intent`; the character answers from `answer` or the intent itself."""
        self.ask(self.phrase(intent), self.script.replies[answer or intent], slots)

    def someone(self) -> str:
        """A name: one in three is made up, so that any name can be repeated."""
        if self.rng.random() < 0.65:
            return self.world.pick("names", self.rng)
        parts = [self.rng.choice(_BEGINNINGS), self.rng.choice(_MIDDLES), self.rng.choice(_ENDINGS)]
        return "".join(parts if self.rng.random() < 0.6 else [parts[0], parts[2]])

    def pet_name(self) -> str:
        """A name for a pet: its own list, or anybody's."""
        return self.world.pick("pets", self.rng) if self.rng.random() < 0.6 else self.someone()

    def phrase(self, intent: str) -> str:
        """One of the ways to say it, slots unfilled."""
        return self.rng.choice(self.world.phrasings[intent])

    def filled(self, phrasing: str, slots: dict[str, str]) -> str:
        """What the user says, without mistakes of the ears."""
        return fill(phrasing, {"self": self.script.name, "kin": self.script.kin} | slots)

    def ask(self, phrasing: str, replies: list[str], slots: dict[str, str] | None = None) -> None:
        """One turn from a phrasing and its possible replies; a held-out question is left out."""
        slots = {"self": self.script.name, "kin": self.script.kin} | (slots or {})
        user = self.filled(phrasing, slots)
        if user in self.held_out:
            return
        spoken = slots | {key: names(slots[key]) for key in _PROPER if key in slots}
        reply = sentence(fill(self.rng.choice(replies), spoken))
        disturbed = self._disturb(user, slots)
        self.turns.append(Turn(user if disturbed in self.held_out else disturbed, reply))

    def add(self, user: str, reply: str) -> None:
        """One turn with given words, as they are."""
        if user not in self.held_out:
            self.turns.append(Turn(user, reply))

    def _disturb(self, user: str, slots: dict[str, str]) -> str:
        """Fillers people use and mistakes the ears make, never in the words that the answer depends on."""
        kept = {word for value in slots.values() for word in value.split()}
        words = user.split()
        if self.rng.random() < 0.12:
            words = [*self.rng.choice(_BEFORE).split(), *words]
        if self.rng.random() < 0.06:
            words.append(self.rng.choice((*_AFTER, self.script.name)))
        if len(words) > 3 and self.rng.random() < 0.10:
            at = self.rng.randrange(len(words))
            if words[at] not in kept:
                words[at : at + 1] = self._misheard()
        return " ".join(words)

    def _misheard(self) -> list[str]:
        """Nothing, or another word."""
        if self.rng.random() < 0.5:
            return []
        return [self.rng.choice(self.world.words[self.rng.choice(("nouns", "adjectives", "verbs"))])]
