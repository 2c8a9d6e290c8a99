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
    if kind < 0.7:
        for _ in range(rng.choices((1, 2, 3), (60, 25, 15))[0]):
            told_sum(talk) if rng.random() < 0.4 else asked_sum(talk)
    elif kind < 0.8:
        number = rng.randrange(1, 30)
        slots = {"a": spell(number), "num": spell(number + 1)}
        talk.ask(talk.phrase("ask_next"), replies["next_number"], slots, f"next={number + 1}")
    elif kind < 0.87:
        number = rng.randrange(2, 30)
        slots = {"a": spell(number), "num": spell(number - 1)}
        talk.ask(talk.phrase("ask_before"), replies["before_number"], slots, f"before={number - 1}")
    elif kind < 0.97:
        _counting(talk)
    else:
        talk.say("ask_count", answer="count")


def _counting(talk: Talk) -> None:
    """Up to a number, or back from it."""
    top = talk.rng.randrange(3, 11)
    up = talk.rng.random() < 0.65
    numbers = range(1, top + 1) if up else range(top, 0, -1)
    slots = {"a": spell(top), "seq": ", ".join(spell(n) for n in numbers)}
    asked, answer = ("ask_count_to", "count_to") if up else ("ask_count_back", "count_back")
    talk.ask(talk.phrase(asked), talk.script.replies[answer], slots, f"{answer}={top}")


def asked_sum(talk: Talk) -> None:
    """`Five plus two`, in many frames."""
    words, result = _sum(talk)
    slots = {"q": words, "num": spell(result)}
    talk.ask(talk.phrase("ask_sum"), talk.script.replies["sum"], slots, f"sum={result}")


def told_sum(talk: Talk) -> None:
    """A sum as something that happens (`sums.yaml`): what there was, what came or went, how many it is."""
    rng, sums = talk.rng, talk.world.sums
    kind = rng.choices(("more", "less"), (3, 2))[0]
    first, second = rng.randrange(1, 11), rng.randrange(1, 11)
    if kind == "less":
        first, second = max(first, second) + 1, min(first, second)
    result = first + second if kind == "more" else first - second
    told = f"{rng.choice(sums[kind])} {rng.choice(sums[f'asked_{kind}'])}"
    line = rng.choice(sums[f"plain_{kind}"]) if rng.random() < 0.3 else told
    if kind == "more" and rng.random() < 0.2:
        line = f"if {line}"
    slots = {"a": spell(first), "b": spell(second), "things": rng.choice(sums["things"])}
    slots |= {"num": spell(result), "name": talk.someone()}
    talk.ask(line, talk.script.replies["sum"], slots, f"sum={result}")


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
        talk.add(talk.phrase(asked), talk.rng.choice(talk.script.jokes), "joke")
        if talk.rng.random() < 0.5:
            talk.say(talk.rng.choice(["laugh", "laugh", "not_funny"]))
        if talk.rng.random() < 0.6:
            return


def riddle(talk: Talk) -> None:
    """A riddle that the user solves, misses, or gives up."""
    chosen = talk.rng.choice(talk.script.riddles)
    talk.add(talk.phrase("ask_riddle"), chosen.question, "riddle")
    kind = talk.rng.random()
    replies, slots = talk.script.riddle_replies, {"a": chosen.answer}
    if kind < 0.45:
        talk.ask(talk.rng.choice(chosen.accepted), replies["riddle_right"], slots, "riddle_right")
    elif kind < 0.7:
        wrong = talk.rng.choice(talk.world.words["nouns"] + talk.world.words["animals"])
        if wrong not in chosen.answer:
            talk.ask(
                talk.phrase("riddle_guess"), replies["riddle_wrong"], slots | {"w": wrong}, "riddle_wrong"
            )
    else:
        talk.ask(talk.phrase("riddle_give_up"), replies["riddle_give_up"], slots, "riddle_give_up")


def knock(talk: Talk) -> None:
    """A knock knock joke that the user tells."""
    word, ending = talk.rng.choice(_KNOCKS)
    lines = talk.script.knock_knock
    talk.add("knock knock", lines["who"], "knock")
    talk.add(word, sentence(fill(lines["again"], {"w": word})))
    talk.add(ending, lines["end"])
