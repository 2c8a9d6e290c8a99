"""What the user tells about themselves, and asks for again some turns later."""

from tools.train.mind.talk import Talk
from tools.train.mind.world import names, spell

PETS = ("dog", "cat", "rabbit", "hamster", "parrot", "turtle", "mouse", "horse", "pony", "goldfish")
_ASKED = {
    "name": ("ask_name", "name_known", "name_unknown"),
    "num": ("ask_age", "age_known", "fact_unknown"),
    "petname": ("ask_pet", "pet_known", "fact_unknown"),
    "colour": ("ask_colour", "colour_known", "fact_unknown"),
    "food": ("ask_food", "food_known", "fact_unknown"),
}


def tell(talk: Talk) -> None:
    """The user says who they are, how old, or what they have."""
    kinds = (_tell_name, _tell_age, _tell_pet, _tell_colour, _tell_food)
    talk.rng.choices(kinds, (6, 2, 2, 1, 1))[0](talk)


def _tell_name(talk: Talk) -> None:
    talk.memory["name"] = talk.someone()
    talk.ask(talk.phrase("tell_name"), talk.script.replies["name_given"], talk.memory)


def _tell_age(talk: Talk) -> None:
    young = talk.rng.random() < 0.8
    talk.memory["num"] = spell(talk.rng.randrange(3, 15) if young else talk.rng.randrange(15, 80))
    talk.ask(talk.phrase("tell_age"), talk.script.replies["age_given"], talk.memory)


def _tell_pet(talk: Talk) -> None:
    talk.memory |= {"animal": talk.rng.choice(PETS), "petname": talk.pet_name()}
    talk.ask(talk.phrase("tell_pet"), talk.script.replies["pet_given"], talk.memory)


def _tell_colour(talk: Talk) -> None:
    talk.memory["colour"] = talk.world.pick("colours", talk.rng)
    slots = talk.memory | {"things": talk.world.facts["colours"][talk.memory["colour"]][0]}
    talk.ask("my favourite colour is $colour", talk.script.replies["colour_mine"], slots)


def _tell_food(talk: Talk) -> None:
    talk.memory["food"] = talk.world.pick("foods", talk.rng)
    slots = talk.memory | {"taste": talk.world.facts["foods"][talk.memory["food"]][1]}
    talk.ask("my favourite food is $food", talk.script.replies["ate_food"], slots)


def recall(talk: Talk) -> None:
    """The user asks for what they told, or for what they never told."""
    told = [key for key in _ASKED if key in talk.memory]
    known_key = bool(told) and talk.rng.random() < 0.85
    key = talk.rng.choice(told) if known_key else talk.rng.choice(["name", "name", *_ASKED])
    asked, known, unknown = _ASKED[key]
    slots = {"animal": talk.rng.choice(PETS)} | talk.memory
    replies = talk.script.replies[known if key in talk.memory else unknown]
    talk.ask(talk.phrase(asked), replies, slots)


def recall_name_late(talk: Talk) -> None:
    """At the end of a dialogue, the name given at its beginning."""
    slots = {"name": names(talk.memory["name"])}
    talk.ask(talk.phrase("ask_name"), talk.script.replies["name_known"], slots)
