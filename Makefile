# make demo      a talking face from the example portrait and voice
# make test      the tests that end within minutes
# make test-all  every test
# make lint      format and lint, changing nothing
# Another interpreter: make PYTHON=python3.12 demo

PYTHON ?= python3
VENV ?= .venv
IMAGE ?= examples/portrait.png
AUDIO ?= examples/voice.wav
OUTPUT ?= output/demo.mp4

PIP := $(VENV)/bin/python -m pip install -qq --disable-pip-version-check
PYTEST := JAX_COMPILATION_CACHE_DIR=$(CURDIR)/.cache/jax \
	$(VENV)/bin/python -m pytest --quiet --numprocesses=auto --maxprocesses=4 \
	--dist=loadfile

.PHONY: demo test test-all lint clean

demo: $(VENV)/demo.installed
	@mkdir -p $(dir $(OUTPUT))
	$(VENV)/bin/vasa animate $(IMAGE) $(AUDIO) -o $(OUTPUT) --image_size=512

test: $(VENV)/test.installed
	$(PYTEST) -m "not slow"

test-all: $(VENV)/test.installed
	$(PYTEST)

lint: $(VENV)/test.installed
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .

clean:
	rm -rf $(VENV) .cache

$(VENV)/demo.installed: $(VENV)/created setup.cfg requirements.txt
	@echo "installing vasa_jax into $(VENV) (a few minutes the first time)"
	$(PIP) --editable ".[portrait]"
	@touch $@

$(VENV)/test.installed: $(VENV)/created setup.cfg requirements.txt
	@echo "installing vasa_jax and what its tests need into $(VENV)"
	$(PIP) --editable ".[test]"
	@touch $@

$(VENV)/created:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
	"vasa_jax needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	@touch $@
