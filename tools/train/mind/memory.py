"""What the user tells about themselves, and asks for again some turns later."""

from dataclasses import dataclass

from tools.train.mind.talk import Talk
from tools.train.mind.world import spell

PETS = (
    "dog",
    "cat",
    "rabbit",
    "hamster",
    "parrot",
    "turtle",
    "mouse",
    "horse",
    "pony",
    "goldfish",
    "guinea pig",
    "fish",
)
_NAMED_TOYS = (
    "teddy bear",
    "doll",
    "robot",
    "toy rabbit",
    "toy dog",
    "boat",
    "bike",
    "snowman",
    "dinosaur",
    "dragon",
)


@dataclass(frozen=True)
class Fact:
    """Something that can be told and asked for: its key in the memory, and the intents around it."""

    key: str
    tell: str
    given: str
    ask: str
    known: str
    unknown: str = "fact_unknown"


NAME = Fact("name", "tell_name", "name_given", "ask_name", "name_known", "name_unknown")
_FACTS = (
    NAME,
    Fact("num", "tell_age", "age_given", "ask_age", "age_known"),
    Fact("petname", "tell_pet", "pet_given", "ask_pet", "pet_known"),
    Fact("kinname", "tell_kin", "kin_given", "ask_kin", "kin_known"),
    Fact("colour", "tell_colour", "colour_mine", "ask_colour", "colour_known"),
    Fact("food", "tell_food", "ate_food", "ask_food", "food_known"),
    Fact("town", "tell_home", "home_given", "ask_home", "home_known"),
    Fact("thing", "tell_event", "event_given", "ask_event", "event_known"),
    Fact("toy", "tell_toy", "have_toy", "ask_toy", "toy_known"),
)
_TOLD_WEIGHTS = (6, 2, 2, 2.5, 1.5, 1.5, 1.5, 3, 1)


def _drawn(talk: Talk, key: str) -> dict[str, str]:
    """Something new to tell: the words of the fact and of what belongs to it."""
    world, rng = talk.world, talk.rng
    if key == "name":
        return {"name": talk.someone()}
    if key == "num":
        young = rng.random() < 0.8
        return {"num": spell(rng.randrange(3, 15) if young else rng.randrange(15, 80))}
    if key == "petname":
        return {"animal": rng.choice(PETS if rng.random() < 0.7 else _NAMED_TOYS), "petname": talk.pet_name()}
    if key == "kinname":
        return {"relative": world.pick("relatives", rng), "kinname": talk.someone()}
    if key == "colour":
        colour = world.pick("colours", rng)
        return {"colour": colour, "things": world.facts["colours"][colour][0]}
    if key == "food":
        food = world.pick("foods", rng)
        return {"food": food, "taste": world.facts["foods"][food][1]}
    if key == "town":
        return {"town": talk.someone() if rng.random() < 0.25 else world.pick("towns", rng)}
    if key == "thing":
        verb = rng.choice(list(world.facts["events"]))
        base, *things = world.facts["events"][verb]
        return {"past": verb, "base": base, "thing": rng.choice(things)}
    return {key: world.pick("toys", rng)}


def tell(talk: Talk) -> None:
    """The user says who they are, how old, what they have, or what happened."""
    fact = talk.rng.choices(_FACTS, _TOLD_WEIGHTS)[0]
    drawn = _drawn(talk, fact.key)
    if talk.say(fact.tell, drawn, fact.given):
        talk.memory |= drawn
        talk.unasked.append(fact.key)


def recall_told(talk: Talk) -> None:
    """What was told in this dialogue and not yet asked for, in one scene of four."""
    if talk.unasked and talk.rng.random() < 0.3:
        key = talk.unasked.pop(talk.rng.randrange(len(talk.unasked)))
        ask_for(talk, next(fact for fact in _FACTS if fact.key == key))


def tell_name(talk: Talk) -> None:
    """The user's name, in one of eight cases put right at once."""
    drawn = _drawn(talk, "name")
    if talk.say("tell_name", drawn, "name_given"):
        talk.memory |= drawn
        talk.unasked.append("name")
        if talk.rng.random() < 0.12:
            correct_name(talk)


def correct_name(talk: Talk) -> None:
    """`No, my name is …`: from now on the other name counts."""
    wrong = talk.memory.get("name", talk.someone())
    drawn = _drawn(talk, "name")
    if drawn["name"] != wrong and talk.say("fix_name", drawn | {"wrongname": wrong}, "name_fixed"):
        talk.memory |= drawn


def recall(talk: Talk) -> None:
    """The user asks for what they told, now and then for what they never told."""
    told = [fact for fact in _FACTS if fact.key in talk.memory]
    if told and talk.rng.random() < 0.85:
        ask_for(talk, talk.rng.choice(told))
    else:
        ask_for(talk, talk.rng.choice((NAME, NAME, *_FACTS)))


def ask_for(talk: Talk, fact: Fact) -> None:
    """One question for a fact; the answer is what was told, or that nothing was."""
    slots = _drawn(talk, fact.key) | talk.memory
    talk.say(fact.ask, slots, fact.known if fact.key in talk.memory else fact.unknown)


def recall_name(talk: Talk) -> None:
    """The name that was given long ago."""
    ask_for(talk, NAME)
