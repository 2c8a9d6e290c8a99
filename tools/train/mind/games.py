"""Scenes that are games: sums and counting, jokes, riddles, knock knock."""

from tools.train.mind.talk import Talk
from tools.train.mind.world import fill, sentence, spell

_KNOCKS = (
    ("lettuce", "lettuce in it's cold out here"),
    ("boo", "don't cry it's only a joke"),
    ("orange", "orange you glad to see me"),
    ("ice cream", "ice cream so you can hear me"),
    ("tank", "you're welcome"),
    ("olive", "olive you too"),
    ("justin", "justin time for dinner"),
    ("cows", "cows go moo not who"),
)


def numbers(talk: Talk) -> None:
    """Small sums, often several, counting, and what comes after or before a number."""
    rng, replies = talk.rng, talk.script.replies
    kind = rng.random()
    if kind < 0.62:
        for _ in range(rng.choices((1, 2, 3), (60, 25, 15))[0]):
            words, result = _sum(talk)
            talk.ask(talk.phrase("ask_sum"), replies["sum"], {"q": words, "num": spell(result)})
    elif kind < 0.74:
        number = rng.randrange(1, 30)
        talk.ask(
            talk.phrase("ask_next"), replies["next_number"], {"a": spell(number), "num": spell(number + 1)}
        )
    elif kind < 0.83:
        number = rng.randrange(2, 30)
        talk.ask(
            talk.phrase("ask_before"),
            replies["before_number"],
            {"a": spell(number), "num": spell(number - 1)},
        )
    elif kind < 0.96:
        _counting(talk)
    else:
        talk.ask(talk.phrase("ask_count"), replies["count"])


def _counting(talk: Talk) -> None:
    """Up to a number, or back from it."""
    top = talk.rng.randrange(3, 11)
    up = talk.rng.random() < 0.65
    numbers = range(1, top + 1) if up else range(top, 0, -1)
    slots = {"a": spell(top), "seq": ", ".join(spell(n) for n in numbers)}
    asked, answer = ("ask_count_to", "count_to") if up else ("ask_count_back", "count_back")
    talk.ask(talk.phrase(asked), talk.script.replies[answer], slots)


def _sum(talk: Talk) -> tuple[str, int]:
    first, second = talk.rng.randrange(1, 11), talk.rng.randrange(1, 11)
    kind = talk.rng.random()
    if kind < 0.68:
        return (
            f"{spell(first)} {talk.rng.choice(['plus', 'plus', 'plus', 'and'])} {spell(second)}",
            first + second,
        )
    if kind < 0.92:
        first, second = max(first, second), min(first, second)
        words = (f"{spell(first)} minus {spell(second)}", f"{spell(second)} from {spell(first)}")
        return talk.rng.choices(words, (5, 1))[0], first - second
    first, second = talk.rng.randrange(1, 6), talk.rng.randrange(1, 6)
    return f"{spell(first)} times {spell(second)}", first * second


def joke(talk: Talk) -> None:
    """A joke, what the user thinks of it, perhaps another one."""
    for asked in ("ask_joke", "ask_another_joke"):
        talk.add(talk.phrase(asked), talk.rng.choice(talk.script.jokes))
        if talk.rng.random() < 0.5:
            talk.say(talk.rng.choice(["laugh", "laugh", "not_funny"]))
        if talk.rng.random() < 0.6:
            return


def riddle(talk: Talk) -> None:
    """A riddle that the user solves, misses, or gives up."""
    chosen = talk.rng.choice(talk.script.riddles)
    talk.add(talk.phrase("ask_riddle"), chosen.question)
    kind = talk.rng.random()
    replies, slots = talk.script.riddle_replies, {"a": chosen.answer}
    if kind < 0.45:
        talk.ask(talk.rng.choice(chosen.accepted), replies["riddle_right"], slots)
    elif kind < 0.7:
        wrong = talk.rng.choice(talk.world.words["nouns"] + talk.world.words["animals"])
        if wrong not in chosen.answer:
            talk.ask(talk.phrase("riddle_guess"), replies["riddle_wrong"], slots | {"w": wrong})
    else:
        talk.ask(talk.phrase("riddle_give_up"), replies["riddle_give_up"], slots)


def knock(talk: Talk) -> None:
    """A knock knock joke that the user tells."""
    word, ending = talk.rng.choice(_KNOCKS)
    lines = talk.script.knock_knock
    talk.add("knock knock", lines["who"])
    talk.add(word, sentence(fill(lines["again"], {"w": word})))
    talk.add(ending, lines["end"])
