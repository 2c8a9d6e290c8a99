"""One dialogue in the making: whose script it follows, what the user has told so far, and its turns."""

import random
import re
from dataclasses import dataclass, field

from tools.train.mind import wording
from tools.train.mind.names import made_up
from tools.train.mind.script import Script
from tools.train.mind.thesaurus import reworded
from tools.train.mind.world import World, choices, fill, names, sentence

SILENT, OTHER, PEER = "<silent>", "<other>", "<peer>"
REWORDED = 0.35  # of the user's lines are put into other words where words fit
_PROPER = ("name", "petname", "kinname", "country", "capital", "language", "town")
# Words that may be misheard without changing what is meant.
_LIGHT = frozenset(
    "a an the is are am do does of to in at on with and so my your me i'm it it's can you please that for be".split()
)
# How people begin whoever they speak to, so that a beginning does not tell that the toy is meant.
_OTHERS_BEGIN = choices(
    "um | well | so | and | hey | okay | oh | but | now | hmm | uh | listen | excuse me | right", "|"
)
_SAID_BEFORE = ("greet", "wow", "thanks", "yes", "no", "laugh", "fine_too")
_LEAD_INS = choices(
    "i was just thinking | guess what | you know what | i want to ask you something | i've got a question | wait a "
    "moment | hold on | let me think | i don't know how to say this | here's something | listen to this | it's me "
    "again | i'm back | we just had lunch | i came home from school | it's raining again | now something else | i "
    "nearly forgot | that was fun | i have been wondering | my friend and i were talking | one more thing | come here "
    "a second | no wait | not that | never mind | let's talk | today is a good day | i'm all done with that",
    "|",
)
_MARK = re.compile(rf"^(?:{OTHER}|{PEER}) ")


@dataclass(frozen=True)
class Turn:
    """What was said, perhaps after the mark of another speaker, the reply, and what was meant.

    The label names the intent or the exchange that was drawn, for a sum its result: two turns of one label are
    answered from the same replies. It is learnt beside the words (`meaning.py`) and never said.
    """

    user: str
    reply: str
    label: str = ""

    @property
    def words(self) -> str:
        """What was said, without the mark."""
        return _MARK.sub("", self.user)


@dataclass
class Talk:
    """Grows by `say` (an intent) or `add` (given words); `memory` is what the user told about themselves."""

    rng: random.Random
    world: World
    script: Script
    held_out: frozenset[str]
    turns: list[Turn] = field(default_factory=list)
    memory: dict[str, str] = field(default_factory=dict)
    unasked: list[str] = field(default_factory=list)
    """Keys of the memory that were told and not yet asked for."""
    about: str = ""
    """The fact about the character that this dialogue comes back to."""

    @property
    def last_reply(self) -> str:
        return self.turns[-1].reply if self.turns else ""

    def say(self, intent: str, slots: dict[str, str] | None = None, answer: str = "") -> bool:
        """The user says a phrasing of `intent`; the character answers from `answer` or the intent itself."""
        replies = self.script.replies[answer or intent]
        return self.ask(self.phrase(intent), replies, slots, answer or intent)

    def someone(self) -> str:
        """A name: six in ten are made up, so that any name can be repeated."""
        return made_up(self.rng) if self.rng.random() < 0.6 else self.world.pick("names", self.rng)

    def pet_name(self) -> str:
        """A name for a pet: its own list, or anybody's."""
        return self.world.pick("pets", self.rng) if self.rng.random() < 0.4 else self.someone()

    def phrase(self, intent: str) -> str:
        """One of the ways to say it, slots unfilled."""
        return self.rng.choice(self.world.phrasings[intent])

    def ask(
        self, phrasing: str, replies: list[str], slots: dict[str, str] | None = None, label: str = ""
    ) -> bool:
        """One turn from a phrasing and its possible replies; a held-out question is left out: False."""
        family = self.rng.choice(self.world.words["family"])
        slots = {"self": self.script.name, "kin": self.script.kin, "family": family} | (slots or {})
        mark = found.group() if (found := _MARK.match(phrasing)) else ""
        line = phrasing.removeprefix(mark)
        user = fill(line, slots)
        if user in self.held_out:
            return False
        spoken = slots | {key: names(slots[key]) for key in _PROPER if key in slots}
        reply = self._addressed(sentence(fill(self.rng.choice(replies), spoken)), slots)
        other = (
            fill(reworded(line, self.world.others, self.rng), slots) if self.rng.random() < REWORDED else user
        )
        disturbed = self._disturb(other, slots, reply == SILENT)
        self._keep(mark + (user if disturbed in self.held_out else disturbed), reply, label)
        return True

    def add(self, user: str, reply: str, label: str = "") -> bool:
        """One turn with given words, as they are."""
        if _MARK.sub("", user) in self.held_out:
            return False
        self._keep(user, reply, label)
        return True

    def _keep(self, user: str, reply: str, label: str) -> None:
        self.turns.append(Turn(user, reply, SILENT if reply == SILENT else label))

    def _addressed(self, reply: str, slots: dict[str, str]) -> str:
        """Now and then a reply begins with the name of whoever asks, once it is known."""
        known = self.memory.get("name")
        if (
            not known
            or reply == SILENT
            or "name" in slots
            or self.rng.random() > 0.05
            or len(reply.split()) > 14
        ):
            return reply
        return f"{fill(self.rng.choice(self.script.replies['name_first']), {'name': names(known)})} {reply}"

    def _disturb(self, user: str, slots: dict[str, str], for_others: bool) -> str:
        """Other wordings, fillers and mistakes of the ears, never in the words that the answer depends on."""
        rng, name = self.rng, self.script.name
        kept = {word for value in slots.values() if value in user for word in value.split()}
        if rng.random() < 0.16 and not for_others:
            user = wording.indirect(user, rng)
        if rng.random() < 0.12:
            changed = wording.other_form(user, rng)
            user = changed if kept & set(user.split()) <= set(changed.split()) else user
        words = user.split()
        if len(words) > 3 and rng.random() < 0.2:
            at = rng.randrange(len(words))
            if words[at] in _LIGHT - kept:
                words[at : at + 1] = self._misheard(words[at])
        user = " ".join(words)
        if for_others:
            return user if rng.random() > 0.12 else f"{rng.choice(_OTHERS_BEGIN)} {user}"
        if rng.random() < 0.05:
            user = wording.restarted(user, kept, rng)
        if rng.random() < 0.16:
            user = wording.begun(user, name, rng)
        if rng.random() < 0.05:
            user = f"{self._said_before()} {user}"
        if rng.random() < 0.09:
            user = wording.ended(user, name, rng)
        return user

    def _said_before(self) -> str:
        """A short sentence that needs no answer of its own when another follows at once."""
        phrasing = self.phrase(self.rng.choice(_SAID_BEFORE)) if self.rng.random() < 0.5 else ""
        usable = phrasing and "$" not in phrasing and not wording.is_question(phrasing)
        return phrasing if usable else self.rng.choice(_LEAD_INS)

    def _misheard(self, word: str) -> list[str]:
        """Nothing, a filler, the word twice, or another word."""
        kind = self.rng.random()
        if kind < 0.45:
            return []
        if kind < 0.65:
            return [self.rng.choice(("um", "uh", "er", "like")), word]
        if kind < 0.75:
            return [word, word]
        return [self.rng.choice(self.world.words[self.rng.choice(("nouns", "adjectives", "verbs"))])]
