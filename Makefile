# Each target does its own set-up: a machine with Python >= 3.11, git and make is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MODEL ?=
# A test waits for git, for the disk and for other processes about a quarter of its time.
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

.PHONY: setup test chaos check lint types demo bench docs clean
setup: $(BIN)/gsd

$(BIN)/gsd: pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Milepost needs Python 3.11 or newer; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $(BIN)/gsd

# A few of the chaos runs; `make chaos` runs them all.
test: setup
	MILEPOST_CHAOS_RUNS=$${MILEPOST_CHAOS_RUNS:-24} $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

chaos: setup
	$(BIN)/python -m pytest -n 2 --dist worksteal tests/chaos

check: lint types

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup
	$(BIN)/mypy

demo: setup
	$(BIN)/python -m milepost.testing.demo $(if $(MODEL),--model $(MODEL))

bench: setup
	$(BIN)/python benchmarks/run.py

docs: setup
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache
