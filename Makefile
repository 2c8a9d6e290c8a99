# Everything people do with this repository; `make` alone lists it. Each target does its own set-up.
BOARD     ?= host
CHARACTER ?=
TAKE      ?= tests/takes/three-turns/in.wav
OUT       ?= out/run

BIN     := .venv/bin
EPSILON := $(BIN)/epsilon
CHOSEN  := --board $(BOARD) $(if $(CHARACTER),--character $(CHARACTER))

# openvino is pinned as in pyproject.toml; --no-deps leaves its telemetry package out
OPENVINO := openvino==2026.4.1
PIP     := $(BIN)/python -m pip --disable-pip-version-check install --progress-bar on

.DEFAULT_GOAL := list
.PHONY: list run talk test test-tools quick soak faults fuzz check models bench bench-asr bench-llm bench-tts bench-turns bench-topology bench-board bench-echo soak-voice evaluate takes lines personas \
        image test-image test-boot openvino mlc aarch64 convert topics train train-ears train-mind train-voice train-endpoint clean

list:                 ## this list
	@echo "make TARGET [BOARD=host] [CHARACTER=name]"
	@sed -n 's/^\([a-z][a-z0-9-]*\):[^#]*## *\(.*\)/  \1\t\2/p' Makefile | expand -t 16

run: .venv/installed  ## play a recorded conversation of three turns into the toy; the answers land in out/run
	@$(EPSILON) emulate $(TAKE) $(CHOSEN) --pace realtime --out $(OUT)

talk: .venv/installed ## talk to the toy through the sound card
	@$(EPSILON) talk $(CHOSEN)

test: .venv/tested    ## formatting, lint, types and all tests
	@tools/system_packages test
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pytest

quick: .venv/tested   ## the same without slow and sound-card tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pytest -m "not slow and not card and not train and not image"

soak: .venv/installed ## a day with simulated users, in lock-step (half an hour): what adds up or wears out
	$(EPSILON) soak --hours 24 $(CHOSEN)

faults: .venv/tested   ## break everything on purpose; how soon a person sees or hears of it, and how soon the toy is well again
	@$(BIN)/python -m tools.scenarios tests/scenarios/faults/*.yaml --table

fuzz: .venv/tested    ## spoil every kind of file the toy reads, a minute each; what breaks a reader is kept in tests/fuzz
	@for target in $$(ls tools/fuzz/targets | sed -n 's/^\([a-z]*\)\.py$$/\1/p'); do \
		echo "== $$target"; $(BIN)/python -m tools.fuzz $$target --minutes 1 || exit 1; done

check: .venv/installed ## load every board, character and model file and say what is wrong
	@$(EPSILON) check

models: .venv/installed ## compare the models on disk with models/manifest.yaml
	@$(EPSILON) models verify

train: train-ears train-mind train-voice train-endpoint ## train the four pocket models anew (hours)

train-ears: .venv/trainable ## the recogniser alone
	$(BIN)/python -m tools.train.ears
	$(EPSILON) models manifest --write

topics: .venv/tested   ## the words of the ears for people (pocketsphinx), after the sentences have changed
	$(BIN)/python -m tools.train.topics
	$(EPSILON) models manifest --write

train-mind: .venv/trainable ## the language model alone
	$(BIN)/python -m tools.train.mind
	$(EPSILON) models manifest --write
	$(BIN)/python -m tools.personas

train-voice: .venv/trainable ## the voice alone
	$(BIN)/python -m tools.train.voice
	$(EPSILON) models manifest --write
	$(BIN)/python -m tools.lines

train-endpoint: .venv/trainable ## the model that hears whether the user is done, then how it joins with ears and mind
	$(BIN)/python -m tools.train.endpoint
	$(EPSILON) models manifest --write

bench: .venv/tested    ## time to first utterance, the first phrase, start to listening, idle cost, a held interpreter, privacy, hearing (a quarter of an hour)
	@tools/system_packages test
	$(BIN)/python -m tools.bench.tifu
	$(BIN)/python -m tools.bench.first_phrase
	$(BIN)/python -m tools.bench.start
	$(BIN)/python -m tools.bench.silence
	$(BIN)/python -m tools.bench.gil
	$(BIN)/python -m tools.bench.privacy
	$(BIN)/python -m tools.bench.asr --quick
	$(BIN)/python -m tools.bench.tts --quick
	$(BIN)/python -m tools.bench.effects

bench-asr: .venv/convertible .venv/tested ## the ears beside four other recognisers (an environment of 3 GB, half an hour)
	$(BIN)/python -m tools.bench.asr

bench-llm: .venv/convertible .venv/tested ## the mind beside llama.cpp, onnxruntime-genai and openvino (an environment of its own, half an hour)
	$(BIN)/python -m tools.bench.llm

bench-tts: .venv/convertible .venv/tested ## when the voice's first sound leaves and its pace, beside kokoro-onnx (an environment of 3 GB, a quarter of an hour)
	$(BIN)/python -m tools.bench.tts

bench-turns: .venv/tested build/pipecat/installed ## how soon the toy answers 300 spoken turns and how often it cuts in, beside the same engines one after the other and under pipecat (20 minutes)
	@tools/system_packages train
	$(BIN)/python -m tools.bench.turns --pipecat build/pipecat/bin/python

bench-board: .venv/tested    ## how soon a toy would answer on boards that are not here, and what many small cores bring (ten minutes)
	$(BIN)/python -m tools.bench.board
	$(BIN)/python -m tools.bench.board --cores --shifts 1

bench-topology: .venv/tested ## depth against width: language models of one size and different shapes, timed
	$(BIN)/python -m tools.bench.topology

bench-echo: .venv/tested ## does the toy hear itself, and a user meanwhile: each echo canceller in made-up rooms (a quarter of an hour)
	$(BIN)/python -m tools.bench.echo

soak-voice: .venv/tested ## an hour of speech through the voice, its effects and the playback side, in a few minutes: nothing lost, late or clicking
	$(BIN)/python -m tools.soak.voice --minutes 60

evaluate: .venv/tested ## what the models can do: word errors, held-out questions, how well the voice is understood
	@tools/system_packages train
	$(BIN)/python -m tools.evaluate.ears --most 100
	$(BIN)/python -m tools.evaluate.mind
	$(BIN)/python -m tools.evaluate.voice

takes: .venv/tested   ## replay every take and store what came out as the new reference (then read the difference)
	$(BIN)/python -m tools.takes.update

lines: .venv/installed ## record each character's line for trouble and openers anew, after the voice has changed
	$(BIN)/python -m tools.lines

personas: .venv/installed ## bake each character's persona into the mind, after mind or persona has changed
	$(BIN)/python -m tools.personas --board $(BOARD)

image: .venv/installed ## the image of a board: make image BOARD=qemu-x86 [CHARACTER=bram], in build/image
	@tools/system_packages image
	$(BIN)/python -m tools.image $(CHOSEN)

test-image: .venv/tested ## build the images of the emulated boards, boot, talk to and break them (half an hour and more)
	@tools/system_packages test
	@tools/system_packages image
	@tools/system_packages boot
	$(BIN)/pytest -m image

test-boot: .venv/tested ## the short form of test-image: a real kernel starts the init of a toy, which falls back after three bad starts
	@tools/system_packages image
	@tools/system_packages boot
	$(BIN)/pytest -m image tests/test_initrd.py -k three_bad_starts

mlc: .venv/installed  ## add the TVM runtime and compiler, for minds compiled the MLC way
	$(PIP) --no-deps apache-tvm==0.27.0.post1 apache-tvm-ffi==0.1.15.post2 ml_dtypes==0.6.0

openvino: .venv/installed ## add the OpenVINO runtime, without the telemetry package it would bring
	$(PIP) --no-deps $(OPENVINO)

aarch64: .venv/tested ## an aarch64 Python under qemu, and the tests that run compiled minds on it
	@tools/system_packages aarch64
	$(BIN)/python -m tools.convert.llm.aarch64
	$(BIN)/pytest -m aarch64

convert: .venv/convertible ## add what turns public checkpoints into model folders (torch, transformers, huggingface_hub)

test-tools: .venv/convertible .venv/trainable .venv/tested ## the tests that need the training or converting extras, and the NPU's simulator
	$(BIN)/pytest -m "train or rknn"

clean:                ## remove the virtual environment, caches and everything made; vendors' files and update keys stay
	find build -mindepth 1 -maxdepth 1 ! -name inputs ! -name keys -exec rm -rf {} + 2>/dev/null || true
	rm -rf .venv out *.egg-info .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps say when something was last installed; a second run finds them and is instant.
.venv/installed: requirements.lock pyproject.toml
	@echo "== Epsilon: preparing .venv (once; about 200 MB, a minute or two)"
	@tools/make_venv .venv
	$(PIP) --no-deps -r requirements.lock
	$(PIP) --no-deps --quiet -e .
	@touch $@

.venv/tested: .venv/installed requirements-dev.lock
	@echo "== Epsilon: adding what tests need"
	$(PIP) --no-deps -r requirements-dev.lock $(OPENVINO)
	@touch $@

build/pipecat/installed: tools/bench/turns/pipecat.lock
	@tools/make_venv build/pipecat
	build/pipecat/bin/python -m pip --disable-pip-version-check install --no-deps -r tools/bench/turns/pipecat.lock
	@touch $@

.venv/trainable: .venv/installed requirements-train.lock
	@tools/system_packages train
	@echo "== Epsilon: adding what training needs (about 3 GB with the CUDA parts of torch)"
	$(PIP) -c requirements-train.lock torch onnx scipy safetensors
	@touch $@

.venv/convertible: .venv/installed requirements-train.lock
	@echo "== Epsilon: adding what converting needs (about 3 GB with the CUDA parts of torch)"
	$(PIP) -c requirements-train.lock torch transformers onnx safetensors huggingface_hub
	@touch $@
