"""Plain intents, which need nothing from before, and what a character says about itself against false claims."""

from tools.train.mind.talk import Talk
from tools.train.mind.world import spell

_SLOT_KINDS = {
    "season": "seasons",
    "family": "family",
    "toy": "toys",
    "place": "places",
    "game": "games",
    "town": "towns",
    "food": "foods",
    "colour": "colours",
    "job": "jobs",
    "animal": "animals",
    "country": "countries",
    "day": "days",
    "noun": "nouns",
}
_SONGS = ("the rain", "the moon", "a boat", "the sea", "cake", "a star", "winter")
_MISTAKEN_FOR = tuple(
    (
        "dog cat robot frog dragon chicken cow boy girl bear mouse fox penguin skunk duck goose hedgehog "
        "raccoon pigeon machine fish parrot monster"
    ).split()
)
# What a character says about itself, and the false claims about it.
SELF_FACTS: dict[str, tuple[str, ...]] = {
    "who_are_you": ("false_name", "false_name", "false_claim"),
    "what_are_you": ("false_species", "false_species", "false_claim"),
    "how_old": ("false_age",),
    "where_from": ("false_home",),
    "fav_colour": ("false_colour",),
    "fav_food": ("false_food",),
    "job_self": ("false_job",),
    "gender": ("false_gender",),
    "family_self": (),
    "fav_drink": (),
    "fav_animal": (),
    "fav_season": (),
    "fav_number": (),
    "fav_place": (),
    "afraid_of": (),
    "looks": (),
    "are_you_real": (),
}


def _slots_of_intent(talk: Talk) -> dict[str, str]:
    """A word for every slot of a plain intent; false ones for the claims about the character."""
    world, rng = talk.world, talk.rng
    slots = {slot: world.pick(kind, rng) for slot, kind in _SLOT_KINDS.items()}
    slots |= {
        "asong": rng.choice(_SONGS),
        "wrong": rng.choice(_MISTAKEN_FOR),
        "num": spell(rng.randrange(1, 100)),
    }
    slots |= {"name": talk.someone(), "notgender": "boy" if talk.script.gender == "girl" else "girl"}
    if talk.script.truths & set(slots.values()):
        return _slots_of_intent(talk)
    return slots


def intent(talk: Talk) -> None:
    """One of the plain intents, with whatever slots it needs."""
    world, rng = talk.world, talk.rng
    name = rng.choice(world.plain)
    talk.say(name, _slots_of_intent(talk))
    if name in ("greet", "who_are_you") and rng.random() < 0.25:
        talk.say("how_are_you")
    if name == "how_are_you" and rng.random() < 0.3:
        talk.ask(talk.phrase("fine_too"), talk.script.replies["happy_user"], label="happy_user")


def self_fact(talk: Talk) -> None:
    """Something about the character itself; sometimes a false claim about it, which it puts right."""
    about = talk.about or talk.rng.choice(list(SELF_FACTS))
    claims = SELF_FACTS[about]
    slots = _slots_of_intent(talk)
    if talk.rng.random() < 0.6:
        talk.say(about, slots)
    if claims and talk.rng.random() < 0.5:
        claim = talk.rng.choice(claims)
        talk.say(claim, slots)
        if talk.rng.random() < 0.4:
            talk.say("argue")
        if talk.rng.random() < 0.5:
            talk.say(about, slots)
