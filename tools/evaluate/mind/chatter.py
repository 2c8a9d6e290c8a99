"""Conversations with a character, by the code that the toy runs: the llm stage without its thread."""

from __future__ import annotations

import importlib
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from epsilon.clock import ManualClock
from epsilon.config import folders
from epsilon.config.character import Character, load_character
from epsilon.config.models import Model, find_model, verify
from epsilon.engines.llm.conversation import USER, Conversation
from epsilon.engines.llm.reply import Manner
from epsilon.engines.protocols import LanguageModel
from epsilon.errors import ConfigError, nearest
from epsilon.messages import Heard, Words
from epsilon.realtime import Seat
from epsilon.stage import Place
from epsilon.stages.llm import Llm
from epsilon.turn import Turn

CHARACTERS = ("odette", "bram")


def load_mind(named: str, runtime: str) -> Any:
    """The language model of a folder, or of a name in the manifest, on a runtime as a board would name it."""
    known = folders.module_names("runtimes")
    if runtime not in known:
        raise ConfigError(f"no runtime '{runtime}'{nearest(runtime, known)}")
    model = model_of(named)
    engine = importlib.import_module(f"epsilon.engines.llm.{model.engine}")
    return engine.load(model, importlib.import_module(f"epsilon.runtimes.{runtime}"), Seat())


def model_of(named: str) -> Model:
    """A folder as a row of the manifest would name it, or the row of that name."""
    folder = Path(named)
    if folder.is_dir():
        return Model(folder.name, folder, "llm", "mistral", licence="-", source="-", made_by="-", files={})
    model = find_model(named)
    verify(model)
    return model


class Chatter:
    """One conversation. The same seed, the same words: the same replies."""

    def __init__(self, mind: LanguageModel, persona: Any, character: Character) -> None:
        conversation = Conversation(mind, character.persona)  # type: ignore[arg-type]
        manner = Manner.of(character.sampling, conversation.chat, character.voice.speed)
        self.turn = Turn()
        place = Place(Seat(), self.turn, ManualClock())
        self.stage = Llm(place, mind, conversation, manner, persona)
        self.prompt: list[int] = []  # what the last reply answered
        self.replies: list[str] = []  # all that was said, without the silences

    def answer(self, text: str, speaker: str = USER) -> str:
        """The reply, which then counts as heard; empty when the character stays silent."""
        mark = self.turn.next()
        self.turn.commit()
        for _ in self.stage.work(Words(mark, tuple(text.split()), (), final=True, speaker=speaker)):
            pass
        self.prompt = self.stage.conversation.prompt()
        reply = "".join(token.text for token in iter(self.stage.think, None)).strip()
        for _ in self.stage.work(Heard(mark, reply, complete=True)):
            pass
        if reply:
            self.replies.append(reply)
        return reply

    def remember(self, text: str, reply: str) -> None:
        """A turn that was answered elsewhere."""
        self.turn.next()
        self.stage.conversation.add_user(text)
        if reply:
            self.stage.conversation.add_reply(reply)


class Cast:
    """A model in the roles of the characters; `chatters` are all conversations that were begun with it."""

    def __init__(self, mind: Any) -> None:
        self.mind = mind
        self.chatters: list[Chatter] = []
        self._personas: dict[str, Any] = {}

    @cached_property
    def characters(self) -> dict[str, Character]:
        """Who plays."""
        return {name: load_character(name) for name in CHARACTERS}

    def begin(self, name: str, seed: int | None = None) -> Chatter:
        """A new conversation with a character; `seed` stands in for that of its own sampling."""
        character = self.characters[name]
        if name not in self._personas:
            self._personas[name] = self.mind.start()
            self.mind.append(self._personas[name], Conversation(self.mind, character.persona).ids())
        if seed is not None:
            character = replace(character, sampling=replace(character.sampling, seed=seed))
        self.chatters.append(Chatter(self.mind, self._personas[name], character))
        return self.chatters[-1]
