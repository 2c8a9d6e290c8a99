"""Plays turns in real time to pipecat, our engines as its services; runs in an environment that has pipecat-ai.

Its voice detector (Silero), its turn strategies and its smart-turn model are its own, as they come in its package;
ears, mind and voice are ours, called as its services are meant to be: a segment, a stream of words, a stream of sound.
Prints a line of JSON for each turn: how many ms after its last sample of speech the first audible sample was there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings, STTSettings, TTSSettings
from pipecat.services.stt_service import SegmentedSTTService
from pipecat.services.tts_service import TTSService
from pipecat.utils.time import time_now_iso8601

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.organs import Mind, Voice
from epsilon.parts import load_engine
from tools.turns import labels

RATE_HZ = 16_000
BLOCK_FRAMES = 320
AUDIBLE = 10 ** (-50 / 20)
PATIENCE_S = 3.0


class Ears(SegmentedSTTService):
    """Our recogniser on a whole segment."""

    def __init__(self, engine: Any) -> None:
        super().__init__(sample_rate=RATE_HZ, settings=STTSettings(model=None, language=None))
        self._engine = engine

    @property
    def wants_wav_segments(self) -> bool:
        return False

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        samples = np.frombuffer(audio, np.int16).astype(np.float32) / 32768
        text = await asyncio.to_thread(self._hear, samples)
        if text:
            yield TranscriptionFrame(text, "user", time_now_iso8601())

    def _hear(self, samples: Any) -> str:
        hearing = self._engine.start()
        self._engine.hear(hearing, samples)
        return str(self._engine.finish(hearing).text)


class Words(LLMService):
    """Our mind, a word at a time."""

    def __init__(self, mind: Mind) -> None:
        unused = dict.fromkeys((field.name for field in fields(LLMSettings) if field.init), None)
        unused.pop("extra", None)
        super().__init__(settings=LLMSettings(**unused | {"model": "pocket/mind"}))
        self._mind = mind

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        asked = [m for m in frame.context.get_messages() if m["role"] == "user"]
        await self.push_frame(LLMFullResponseStartFrame())
        for piece in self._mind.answer(str(asked[-1]["content"]) if asked else ""):
            await self.push_frame(LLMTextFrame(piece))
            await asyncio.sleep(0)
        await self.push_frame(LLMFullResponseEndFrame())


class Sound(TTSService):
    """Our voice, a chunk at a time."""

    def __init__(self, voice: Voice) -> None:
        settings = TTSSettings(model=None, voice=None, language=None)
        super().__init__(sample_rate=RATE_HZ, push_start_frame=True, push_stop_frames=True, settings=settings)
        self._voice = voice

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        spelt = self._voice.tts.synthesizer.spell(text, False)
        if not spelt.symbols:
            return
        for chunk in self._voice.tts.synthesizer.speak(spelt.symbols, self._voice.tts.delivery("")):
            data = (np.clip(chunk.samples, -1, 1) * 32767).astype(np.int16).tobytes()
            yield TTSAudioRawFrame(data, RATE_HZ, 1, context_id=context_id)
            await asyncio.sleep(0)


class Listener(FrameProcessor):
    """Where a speaker would be: notes when the first audible sample arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.heard_s: list[float] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            loud = np.flatnonzero(np.abs(np.frombuffer(frame.audio, np.int16)) > AUDIBLE * 32768)
            if len(loud):
                self.heard_s.append(time.monotonic() + int(loud[0]) / RATE_HZ)
        await self.push_frame(frame, direction)


async def play(
    folder: Path, label: labels.Label, engine: Any, voice: Voice, board: Any, character: Any
) -> dict[str, Any]:
    """One turn, in a conversation of its own."""
    listener = Listener()
    user, assistant = LLMContextAggregatorPair(
        LLMContext(), user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer(sample_rate=RATE_HZ))
    )
    chain = [Ears(engine), user, Words(Mind(board, character)), Sound(voice), listener, assistant]
    rates = PipelineParams(audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=RATE_HZ)
    task = PipelineTask(Pipeline(chain), params=rates)
    running = asyncio.create_task(PipelineRunner(handle_sigint=False).run(task))
    await asyncio.sleep(0.5)  # its start-up frames pass first
    samples, _ = soundfile.read(folder / label.file, dtype="int16")
    began_s = time.monotonic()
    until_s = max(len(samples) / RATE_HZ, label.end_s + PATIENCE_S)
    at = 0
    while time.monotonic() - began_s < until_s and not (listener.heard_s and at / RATE_HZ > label.end_s):
        await asyncio.sleep(max(0.0, began_s + (at + BLOCK_FRAMES) / RATE_HZ - time.monotonic()))
        block = samples[at : at + BLOCK_FRAMES]
        block = np.pad(block, (0, BLOCK_FRAMES - len(block)))
        await task.queue_frame(InputAudioRawFrame(block.tobytes(), RATE_HZ, 1))
        at += BLOCK_FRAMES
    await task.cancel()
    await asyncio.wait([running], timeout=5)
    answers = [round((heard - began_s - label.end_s) * 1000, 1) for heard in listener.heard_s]
    return {"file": label.file, "first_ms": answers[0] if answers else None}


async def main() -> None:
    """The first turns of a folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--board", default="host")
    parser.add_argument("--character", default="odette")
    options = parser.parse_args()
    logger.remove()
    logger.add(sys.stderr, level="ERROR")
    board, character = load_board(options.board), load_character(options.character)
    engine, voice = load_engine(board, "asr"), Voice(board, character)
    voice.say("Ready.")
    for label in labels.read(options.folder)[: options.count]:
        print(json.dumps(await play(options.folder, label, engine, voice, board, character)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
