"""What is not said to the toy: television, other people, mumbling. It stays silent, and answers who speaks to it."""

from tools.train.mind.talk import OTHER, PEER, SILENT, Talk
from tools.train.mind.world import spell

_SLOT_KINDS = {
    "family": "family",
    "relative": "relatives",
    "place": "places",
    "food": "foods",
    "job": "jobs",
    "animal": "animals",
    "country": "countries",
    "town": "towns",
    "day": "days",
    "noun": "nouns",
    "toy": "toys",
    "adj": "adjectives",
    "colour": "colours",
    "season": "seasons",
}
_SHARE_MARKED = 0.35
_ADDRESSED = tuple(
    "about_others about_others says_hello tv_question family_talk heard_question person_ask".split()
)
_OTHERS_ASK = tuple(
    (
        "greet how_are_you who_are_you what_are_you what_doing fav_food fav_colour fav_drink bye compliment "
        "insult thanks sorry how_old where_from dislike afraid_of wish like_doing story sing poem do_you_like_me "
        "love_you believe secret job_self argue fav_season"
    ).split()
)


def slots_of(talk: Talk) -> dict[str, str]:
    """Words for whatever slot an overheard line may have."""
    slots = {slot: talk.world.pick(kind, talk.rng) for slot, kind in _SLOT_KINDS.items()}
    slots |= {"name": talk.someone(), "name2": talk.world.pick("names", talk.rng)}
    for slot, top in (("num", 60), ("num2", 30), ("hour", 12)):
        slots[slot] = spell(talk.rng.randrange(1, top + 1))
    return slots


def silence(talk: Talk) -> None:
    """One to three lines for somebody else, or a mumble; the character says nothing."""
    if talk.rng.random() < 0.15:
        talk.ask(talk.phrase("mumble"), [SILENT])
        return
    kinds = list(talk.world.overheard)
    kind = talk.rng.choice(kinds)
    marked = talk.rng.random() < _SHARE_MARKED
    for _ in range(talk.rng.choices((1, 2, 3, 4), (60, 22, 12, 6))[0]):
        line = talk.rng.choice(talk.world.overheard[kind])
        talk.ask(f"{OTHER} {line}" if marked else line, [SILENT], slots_of(talk))


def addressed(talk: Talk) -> None:
    """Words to the toy that speak of others or of the television: it answers."""
    slots = slots_of(talk)
    if talk.rng.random() < 0.15:
        talk.ask(talk.phrase("joke_for"), talk.script.jokes, slots, "joke")
        return
    talk.say(talk.rng.choice(_ADDRESSED), slots)


def called_by_other(talk: Talk) -> None:
    """Somebody else speaks to the toy by its name: that is meant for it."""
    intent = talk.rng.choice(_OTHERS_ASK)
    phrasing = talk.phrase(intent)
    named = phrasing if "$self" in phrasing else f"$self {phrasing}"
    slots = slots_of(talk) | {"asong": "the sea"}
    talk.ask(f"{OTHER} {named}", talk.script.replies[intent], slots, intent)


def peer(talk: Talk) -> None:
    """The other character of a cast says something: one to three intents."""
    slots = slots_of(talk) | {"asong": "the rain"}
    for _ in range(talk.rng.choices((1, 2, 3), (5, 3, 2))[0]):
        intent = talk.rng.choice(_OTHERS_ASK)
        talk.ask(f"{PEER} {talk.phrase(intent)}", talk.script.replies[intent], slots, intent)
