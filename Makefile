# Everything that a developer runs. Needs Python 3.11 or newer and make, nothing else; each target sets up what it needs, once.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
PYTEST_ARGS ?=

# What only runs the product needs less than what also tests it; an environment for tests serves both.
RUN := $(VENV)/.installed-run
DEV := $(VENV)/.installed-dev
ENOUGH_TO_RUN := $(if $(wildcard $(DEV)),$(DEV),$(RUN))

.DEFAULT_GOAL := help
.PHONY: help venv demo check lint types imports test bench simulate clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(DEV)  ## Set up .venv with everything that development needs

demo: $(ENOUGH_TO_RUN)  ## Play Amy's story on real parts; STAY=1 leaves it running afterwards
	STAY=$(STAY) $(BIN)/python -m demo

check: lint types imports  ## Style, types and import rules

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/orchestrator fmt --check scenarios

types: $(DEV)
	$(BIN)/mypy

imports: $(DEV)
	$(BIN)/lint-imports

test: $(DEV)  ## All tests; PYTEST_ARGS="tests/stream -x" for some
	$(BIN)/orchestrator lint scenarios
	$(BIN)/orchestrator test scenarios
	$(if $(PYTEST_ARGS),$(BIN)/pytest $(PYTEST_ARGS),$(BIN)/python -m tests)

bench: $(DEV)  ## Measure, and add the figures to bench/ledger.csv
	$(BIN)/python -m bench

simulate: $(DEV)  ## Drive the stream's core through random crashes and orders; SEEDS=100000 for more, SEED=7 for one
	SEEDS=$(SEEDS) SEED=$(SEED) DRAW=$(DRAW) $(BIN)/python -m tests.simulation

clean:  ## Remove .venv, caches and the data of local runs
	rm -rf $(VENV) var build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "no Python found: install Python 3.11 or newer, or name one with PYTHON=/path/to/python" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is too old: name Python 3.11 or newer with PYTHON=/path/to/python" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(RUN): requirements/run.lock pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --require-hashes -r requirements/run.lock
	$(PIP) install --quiet --no-deps -e .
	@touch $@

$(DEV): requirements/dev.lock pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --require-hashes -r requirements/dev.lock
	$(PIP) install --quiet --no-deps -e .
	@touch $@
