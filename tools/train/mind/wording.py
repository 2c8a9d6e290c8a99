"""Other wordings of the same words: indirect questions, beginnings, ends, short and long forms, as people use them."""

import random
import re

from tools.train.mind.world import choices

_PEOPLE = r"(?:you|i|they|he|she|it|we)"
_QUESTION = r"what|who|where|when|why|how|how old|how big|how tall|how much|which \w+|what \w+|how many \w+"
_THING = re.compile(rf"^({_QUESTION}) (is|are|was|were) ((?:your|my|the|his|her|our|their) .+)$")
_PERSON = re.compile(rf"^({_QUESTION}) (is|are|was|were|am|can|have|will|should) ({_PEOPLE})( .+)?$")
_DO = re.compile(rf"^({_QUESTION}) do (.+)$")
_YES_NO = re.compile(rf"^(is|are|am|can|have|do|will) ({_PEOPLE})( .+)$")
_SHORT = re.compile(r"^(what|who|where|how)'s ")
# A question that ends in one of these keeps its verb inside: "what my dog is called", not "my dog called is".
_ENDS_INSIDE = frozenset(
    ("called", "like", "from", "made", "for", "about", "of", "to", "there", "with", "name's")
)
_ASKS_WHAT = choices(
    "can you tell me | could you tell me | do you know | do you happen to know | i wonder | tell me | i want to "
    "know | i would like to know | i was wondering | please tell me | would you tell me | i'd love to know | may "
    "i know | any idea | have you any idea | can you say | i'd like to hear",
    "|",
)
_ASKS_IF = choices(
    "i wonder if | tell me if | i want to know if | i was wondering if | can you tell me if | may i ask if",
    "|",
)
_BEFORE = choices(
    "um | well | so | and | hey | okay | oh | but | please | now | hmm | uh | listen | you know | hey $self | "
    "$self | $self | oh $self | listen $self | so $self | okay then | all right | now then | by the way | erm | "
    "like | say | i mean | actually | anyway | excuse me | dear $self | right",
    "|",
)
_BEFORE_A_QUESTION = choices(
    "tell me | i have a question | one question | quick question | can i ask you | may i ask | next question | "
    "one more question | here is a question | now tell me | my mum wants to know | my brother is asking",
    "|",
)
_HALTS = ("", "", "", "um", "uh", "er", "no", "i mean", "wait", "well", "hmm", "like")
_AFTER = choices(
    "please | then | now | today | too | okay | $self | $self | $self please | my friend | right now",
    "|",
)
_AFTER_A_QUESTION = choices(
    "do you know | can you tell me | tell me | if i may ask | do you think | if you don't mind",
    "|",
)
_FORMS = [
    (short, long)
    for short, _, long in (
        pair.partition(" = ")
        for pair in choices(
            "what is = what's | who is = who's | where is = where's | i am = i'm | you are = you're | it is = it's | "
            "do not = don't | want to = wanna | going to = gonna | mum = mummy | dad = daddy | grandma = granny | "
            "grandpa = granddad | can you = could you | tell me = say | yes = yeah | hello = hi | very = really | "
            "like = really like | there is = there's | tell me = give me | can you = can you please | would you like "
            "= do you want | big = huge",
            "|",
        )
    )
]
_QUESTION_WORDS = frozenset("what who where when why how which is are does do can did will have am".split())


def is_question(words: str) -> bool:
    return words.split(" ", 1)[0] in _QUESTION_WORDS


def indirect(question: str, rng: random.Random) -> str:
    """`where do you live` as `i wonder where you live`; what does not fit stays as it is."""
    long = _SHORT.sub(r"\1 is ", question)
    if (found := _PERSON.match(long)) and not (
        found[1] == "how" and found[2] in ("is", "are") and not found[4]
    ):
        return f"{rng.choice(_ASKS_WHAT)} {found[1]} {found[3]} {found[2]}{found[4] or ''}"
    if (found := _THING.match(long)) and not _ENDS_INSIDE & set(found[3].split()):
        return f"{rng.choice(_ASKS_WHAT)} {found[1]} {found[3]} {found[2]}"
    if found := _DO.match(long):
        return f"{rng.choice(_ASKS_WHAT)} {found[1]} {found[2]}"
    if found := _YES_NO.match(long):
        verb = "" if found[1] == "do" else f" {found[1]}"
        return f"{rng.choice(_ASKS_IF)} {found[2]}{verb}{found[3]}"
    return question


def other_form(text: str, rng: random.Random) -> str:
    """One word or two in a shorter, longer or similar form."""
    padded = f" {text} "
    fitting = [(a, b) for pair in _FORMS for a, b in (pair, pair[::-1]) if f" {a} " in padded]
    if not fitting:
        return text
    old, new = rng.choice(fitting)
    return padded.replace(f" {old} ", f" {new} ", 1).strip()


def restarted(text: str, kept: set[str], rng: random.Random) -> str:
    """As somebody says it who begins, stops, and begins again: `i want to um i want to go`.

    Nothing in `kept` is said twice.
    """
    words = text.split()
    first_kept = next((at for at, word in enumerate(words) if word in kept), len(words))
    most = min(4, first_kept, len(words) - 1)
    if most < 1:
        return text
    said = words[: rng.randint(1, most)]
    halt = rng.choice(_HALTS)
    return " ".join([*said, *([halt] if halt else []), *words])


def begun(text: str, name: str, rng: random.Random) -> str:
    """With words before it."""
    words = rng.choice(_BEFORE_A_QUESTION if is_question(text) and rng.random() < 0.3 else _BEFORE)
    return f"{words} {text}".replace("$self", name)


def ended(text: str, name: str, rng: random.Random) -> str:
    """With words after it."""
    words = rng.choice(_AFTER_A_QUESTION if is_question(text) and rng.random() < 0.4 else _AFTER)
    return f"{text} {words}".replace("$self", name)
