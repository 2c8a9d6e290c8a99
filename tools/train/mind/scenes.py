"""Scenes of one to five turns about one thing, from the world's facts and the character's script."""

from collections.abc import Callable

from tools.train.mind.overhearing import slots_of
from tools.train.mind.plain import intent
from tools.train.mind.talk import SILENT, Talk
from tools.train.mind.world import gerund

Scene = Callable[[Talk], None]

_ABOUT_ANIMALS = tuple(
    (
        "like_animal like_animal fact_animal eat_animal home_animal sound_animal legs_animal saw_animal "
        "versus_animal"
    ).split()
)
_GIBBERISH = tuple("nouns adjectives verbs foods seasons colours names countries jobs toys".split())
_GLUE = tuple("the of and to is with a in not they was or it for at but what".split())
_ABOUT_THEM = {
    "eat_animal": "they_eat",
    "home_animal": "they_home",
    "fact_animal": "they_fact",
    "like_animal": "they_like",
    "legs_animal": "they_legs",
}
_ABOUT_FOOD = (
    *["like_food"] * 3,
    *["ate_food"] * 2,
    "hate_food",
    "colour_food",
    "versus_food",
)
_ABOUT_THERE = {
    "ctx_eat": "country_food",
    "ctx_capital": "country_capital",
    "ctx_language": "country_language",
    "ctx_see": "country_see",
    "ctx_go": "country_go",
}
_THERE_WEIGHTS = (5, 2, 2, 2, 1)
FOLLOW_UPS = tuple(
    "why really me_too dont_agree wow what_about_you yes no maybe laugh thanks repeat another".split()
)


def animal(talk: Talk) -> None:
    """One question about an animal, often a second one that says `they`."""
    name = talk.world.pick("animals", talk.rng)
    plural, eats, home, sound, fact, legs = talk.world.facts["animals"][name]
    slots = {"animal": name, "animals": plural, "eats": eats, "home": home, "sound": sound, "fact": fact}
    slots |= {"legs": legs, "place": talk.world.pick("places", talk.rng), "animal_a": plural}
    other = talk.rng.choice([a for a in talk.world.facts["animals"] if a != name])
    slots |= {"animal2": other, "animals2": talk.world.facts["animals"][other][0]}
    kind = talk.rng.choice(_ABOUT_ANIMALS)
    talk.ask(talk.phrase(kind), _animal_replies(talk, kind, slots), slots, kind)
    if talk.rng.random() < 0.45:
        kind = talk.rng.choice(list(_ABOUT_THEM))
        talk.ask(talk.phrase(_ABOUT_THEM[kind]), _animal_replies(talk, kind, slots), slots, kind)


def _animal_replies(talk: Talk, kind: str, slots: dict[str, str]) -> list[str]:
    if kind == "like_animal":
        return [talk.script.opinions["animal"][slots["animal"]]]
    if kind == "sound_animal" and slots["sound"] == "-":
        return talk.script.replies["sound_none"]
    if kind == "legs_animal" and slots["legs"] == "none":
        return talk.script.replies["legs_none"]
    return talk.script.replies[kind]


def food(talk: Talk) -> None:
    """Food that is liked, eaten, refused, compared, or seen."""
    name, other = talk.rng.sample(talk.world.words["foods"], 2)
    _kind, taste, colour_word = talk.world.facts["foods"][name]
    slots = {"food": name, "food2": other, "taste": taste, "colour": colour_word}
    slots["family"] = talk.world.pick("family", talk.rng)
    slots["meal"] = talk.rng.choice(["breakfast", "lunch", "dinner", "my birthday"])
    intent_name = talk.rng.choice(_ABOUT_FOOD)
    phrasing = talk.phrase(intent_name)
    if intent_name == "like_food":
        talk.ask(phrasing, [talk.script.opinions["food"][name]], slots, intent_name)
    elif intent_name == "colour_food" and colour_word == "-":
        talk.say(intent_name, slots, "colour_food_none")
    else:
        talk.ask(phrasing, talk.script.replies[intent_name], slots, intent_name)
        if intent_name == "ate_food" and "favourite" in phrasing:
            talk.memory["food"] = name


def country(talk: Talk) -> None:
    """A country is named, then asked about as `there`; or asked about at once."""
    name = talk.world.pick("countries", talk.rng)
    capital, dish, dish2, language, famous = talk.world.facts["countries"][name]
    slots = {"country": name, "capital": capital, "dish": dish, "dish2": dish2, "language": language}
    slots |= {"famous": famous, "family": talk.world.pick("family", talk.rng)}
    if talk.rng.random() < 0.4:
        asked = ("country_food", "country_food", "country_capital", "country_language")
        talk.say(talk.rng.choice(asked), slots)
        if talk.rng.random() < 0.5:
            return
    else:
        talk.say(talk.rng.choice(["country_know", "country_mine"]), slots)
    if talk.rng.random() < 0.2:
        talk.say(talk.rng.choice(["wow", "really", "yes", "why"]))
    for _ in range(talk.rng.choices((0, 1, 2, 3), (70, 14, 10, 6))[0]):
        talk.rng.choice((intent, joke_between, colour, verb, follow_up))(talk)
    drawn = talk.rng.choices(list(_ABOUT_THERE), _THERE_WEIGHTS, k=talk.rng.randrange(1, 4))
    for intent_name in dict.fromkeys(drawn):
        talk.say(intent_name, slots, _ABOUT_THERE[intent_name])


def joke_between(talk: Talk) -> None:
    """A joke in the middle of something else."""
    talk.add(talk.phrase("ask_joke"), talk.rng.choice(talk.script.jokes), "joke")


def nowhere(talk: Talk) -> None:
    """`What do they eat there` with no country in sight."""
    if not talk.turns:
        talk.say("ctx_eat", answer="country_unsaid")


def colour(talk: Talk) -> None:
    """A colour: what has it, and who likes it."""
    name = talk.world.pick("colours", talk.rng)
    slots = {"colour": name, "things": talk.world.facts["colours"][name][0]}
    intent_name = talk.rng.choice(["colour_ask", "colour_mine", "colour_like"])
    phrasing = talk.phrase(intent_name)
    talk.ask(phrasing, talk.script.replies[intent_name], slots, intent_name)
    if "favourite" in phrasing:
        talk.memory["colour"] = name


def job(talk: Talk) -> None:
    """What somebody does, or wants to become."""
    name = talk.rng.choice([job for job in talk.world.words["jobs"] if job != "postman"])
    slots = {"job": name, "does": talk.world.facts["jobs"][name][0]}
    slots["family"] = talk.world.pick("family", talk.rng)
    talk.say(talk.rng.choice(["job_ask", "job_mine"]), slots)


def topic(talk: Talk) -> None:
    """Something that children ask about, with one true sentence on it."""
    name = talk.world.pick("topics", talk.rng)
    slots = {"topic": name, "topicfact": talk.world.facts["topics"][name][0]}
    talk.say(talk.rng.choice(["topic_ask", "topic_ask", "topic_like"]), slots)


def opposite(talk: Talk) -> None:
    """The opposite of a word."""
    adjective = talk.world.pick("opposites", talk.rng)
    talk.say("opposite", {"adj": adjective, "opp": talk.world.opposites[adjective]})


def verb(talk: Talk) -> None:
    """Who can do what."""
    name = talk.world.pick("verbs", talk.rng)
    intent_name = talk.rng.choice(["can_you", "i_can"])
    family = talk.world.pick("family", talk.rng)
    talk.say(intent_name, {"verb": name, "ving": gerund(name), "family": family})


def story(talk: Talk) -> None:
    """A story in two sentences."""
    name = talk.world.pick("animals", talk.rng)
    if talk.rng.random() < 0.6:
        talk.say("story_about", {"animal": name, "animals": talk.world.facts["animals"][name][0]})
    else:
        talk.say("story")
    if talk.rng.random() < 0.4:
        talk.say(talk.rng.choice(["another", "wow", "thanks"]))


def gibberish(talk: Talk) -> None:
    """Words that make no sense, or half a sentence: a short request to say it again."""
    rng, world = talk.rng, talk.world
    kind = rng.random()
    if kind < 0.3:
        words = world.pick("halves", rng).split()
    elif kind < 0.55:
        words = " ".join(rng.sample(talk.world.anything, 2)).split()
        rng.shuffle(words)
        words = words[: rng.randrange(3, 8)]
    else:
        words = [world.pick(rng.choice(_GIBBERISH), rng) for _ in range(rng.randrange(2, 6))]
        words += rng.sample(_GLUE, rng.randrange(4))
        rng.shuffle(words)
    said = [word for word in words if "$" not in word]
    if len(said) > 1:
        talk.add(" ".join(said), rng.choice(talk.script.replies["gibberish"]), "gibberish")


def follow_up(talk: Talk) -> None:
    """A short word that only makes sense after something was said."""
    if not talk.turns or talk.last_reply == SILENT:
        return
    last = talk.last_reply.removeprefix("Oh, I said this. ").removeprefix("I said this. ")
    talk.say(talk.rng.choice(FOLLOW_UPS), {"last": last})


def written(talk: Talk) -> None:
    """A scene from the character's own dialogues, from its start, sometimes cut short."""
    scene = talk.rng.choice(talk.script.scenes)
    turns = talk.rng.choice([len(scene), len(scene), talk.rng.randrange(1, len(scene) + 1)])
    slots = slots_of(talk) if any("$" in user for users, _ in scene for user in users) else {}
    for users, replies in scene[:turns]:
        talk.ask(talk.rng.choice(users), replies, slots, f"{talk.script.name}: {users[0]}")
