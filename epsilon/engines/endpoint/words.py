"""What the first and the last word of a turn say about whether another comes."""

from __future__ import annotations

from epsilon.engines.protocols import Thought

# After these nobody is done. Words that also end questions and commands ("what is that", "turn it on", "i want to")
# are not among them.
WANTING = frozenset(
    "and because but or if a an the my your our their i he she we they i'm he's she's we're they're you're very of"
    " from every um uh er erm hmm".split()
)

# A sentence that begins with one of these mostly is a question, which may end high.
ASKING = frozenset(
    "what who where when why how which whose do does did is are can could will would should have what's who's"
    " where's".split()
)


def wants_more(thought: Thought) -> bool:
    """Whether the last word asks for another."""
    return bool(thought.words) and thought.words[-1] in WANTING


def asks(thought: Thought) -> bool:
    """Whether the first word begins a question."""
    return bool(thought.words) and thought.words[0] in ASKING
