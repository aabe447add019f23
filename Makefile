# make demo         a talking face from the example portrait and voice
# make test         the tests that end within minutes
# make test-slow    those that take longer, but for the longest
# make test-all     every test; those marked `long` take some ten minutes each
# make test-adapters  those of LiveKit, Pipecat, FastRTC and the virtual camera, in a
#                   virtual environment of their own (2 GB)
# make test-voices  the tests of natural voices, in a virtual environment of their own
# make test-beam    those of sets made by Apache Beam, on a Dask cluster of this machine's
#                   own, with processes that are killed, likewise
# make test-live    those of the live page, likewise; in a browser if Chromium is there
# make lint         format and lint, changing nothing
# Another interpreter: make PYTHON=python3.12 demo

PYTHON ?= python3
VENV ?= .venv
IMAGE ?= examples/portrait.png
AUDIO ?= examples/voice.wav
OUTPUT ?= output/demo.mp4
TEST_FLAGS ?=

PIP_FLAGS := install -qq --disable-pip-version-check
PYTEST := JAX_COMPILATION_CACHE_DIR=$(CURDIR)/.cache/jax \
	$(VENV)/bin/python -m pytest --quiet --numprocesses=auto --maxprocesses=4 \
	--dist=loadfile $(TEST_FLAGS)

TELL := import sys; print('%d.%d' % sys.version_info[:2])

.PHONY: demo test test-slow test-all test-voices test-live test-adapters test-beam lint clean

demo: $(VENV)/demo.installed
	@mkdir -p $(dir $(OUTPUT))
	$(VENV)/bin/vasa animate $(IMAGE) $(AUDIO) -o $(OUTPUT)

test: $(VENV)/test.installed
	$(PYTEST) -m "not slow and not long"

test-slow: $(VENV)/test.installed
	$(PYTEST) -m "slow and not long"

test-all: $(VENV)/test.installed
	$(PYTEST)
	$(MAKE) test-adapters

test-voices: $(VENV)-voices/installed
	$(VENV)-voices/bin/python -m pytest --quiet $(TEST_FLAGS) \
		tests/test_natural_voices.py tests/test_speech_natural_speaker.py \
		tests/test_live_voices.py

test-live: $(VENV)-browser/installed
	JAX_COMPILATION_CACHE_DIR=$(CURDIR)/.cache/jax $(VENV)-browser/bin/python -m pytest \
		--quiet $(TEST_FLAGS) tests/test_live_*.py

test-adapters: $(VENV)-adapters/installed
	JAX_COMPILATION_CACHE_DIR=$(CURDIR)/.cache/jax $(VENV)-adapters/bin/python -m pytest \
		--quiet $(TEST_FLAGS) tests/test_live_adapters_*.py

test-beam: $(VENV)-beam/installed
	JAX_COMPILATION_CACHE_DIR=$(CURDIR)/.cache/jax $(VENV)-beam/bin/python -m pytest \
		--quiet $(TEST_FLAGS) tests/test_building_beam*.py

lint: $(VENV)/test.installed
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .

clean:
	rm -rf $(VENV) $(VENV)-voices $(VENV)-browser $(VENV)-adapters $(VENV)-beam \
		.cache

$(VENV)/demo.installed: $(VENV)/created setup.cfg requirements.txt | $(VENV)/same
	@echo "installing vasa_jax into $(VENV) (a few minutes the first time)"
	$(VENV)/bin/python -m pip $(PIP_FLAGS) --editable ".[portrait,provenance]"
	@touch $@

$(VENV)/test.installed: $(VENV)/created setup.cfg requirements.txt | $(VENV)/same
	@echo "installing vasa_jax and what its tests need into $(VENV)"
	$(VENV)/bin/python -m pip $(PIP_FLAGS) --editable ".[test]"
	@touch $@

# A large set of packages has an environment of its own: .venv-NAME holds .[test,NAME].
$(VENV)-%/installed: $(VENV)-%/created setup.cfg requirements.txt | $(VENV)-%/same
	@echo "installing vasa_jax and its extra $* into $(VENV)-$*"
	$(VENV)-$*/bin/python -m pip $(PIP_FLAGS) --editable ".[test,$*]"
	@touch $@

%/created:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
	"vasa_jax needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $*
	@touch $@

# No file has this name, so it is looked at each time: a PYTHON that is asked for must be
# the one that has made the environment.
%/same: %/created
	@[ "$(origin PYTHON)" = file ] || \
	{ made=$$($*/bin/python -c "$(TELL)"); asked=$$($(PYTHON) -c "$(TELL)"); \
	[ "$$made" = "$$asked" ] || { echo "$* was made by Python $$made, and \
	PYTHON=$(PYTHON) is Python $$asked: run make clean first, or add VENV=.venv$$asked" \
	>&2; exit 1; }; }

# Or make would remove it, as a step between.
.PRECIOUS: %/created
