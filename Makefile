# Coldlink: two commands matter. `make demo` shows it working, `make test` proves it.
# Every target sets up what it needs; nothing has to be installed by hand first.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-quick chaos chaos-quick check format lock bench bench-alarms clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  \1\t/' | expand -t 16

setup: $(READY)  ## Python environment in .venv, from the locked versions

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Coldlink needs Python 3.11 or newer: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Coldlink needs Python 3.11 or newer; $(PYTHON) is older"; exit 1; }
	@echo "setting up $(VENV) (a minute the first time)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)  ## a slaughterhouse in a box: plant, gateway, broker, cloud and web page, all on this machine
	@$(BIN)/coldlink demo $(DEMO_ARGS)

test: $(READY)  ## every test this machine can run (installs mosquitto and chromium if it may)
	@deploy/install-test-tools
	@$(BIN)/pytest -n auto --dist worksteal

test-quick: $(READY)  ## the tests without the minutes-long fault runs
	@$(BIN)/pytest -n auto --dist worksteal -m "not slow"

chaos: $(READY)  ## every fault that can be made here, ledger against database, one table (15 minutes)
	@deploy/install-test-tools
	@$(BIN)/python -m tests.chaos $(CHAOS_ARGS)

chaos-quick: $(READY)  ## the faults that every CI run makes (3 minutes; `make test` has them too)
	@deploy/install-test-tools
	@$(BIN)/python -m tests.chaos --quick $(CHAOS_ARGS)

check: $(READY)  ## formatting, lint, types, import directions
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(READY)  ## let ruff put the code in shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(READY)  ## renew requirements.lock from pyproject.toml (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate --extra dev --extra all pyproject.toml -o requirements.lock

bench: $(READY)  ## speed and memory, one run, into bench/results
	@$(BIN)/python bench/run.py

bench-alarms: $(READY)  ## false alarms and minutes to detect, on labelled rooms of the simulator
	@$(BIN)/python -m bench.alarms

clean:  ## remove the environment and everything made
	@rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis .import_linter_cache
