# Each target does its own set-up: a machine with Python >= 3.11, git and make is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MODEL ?=

.PHONY: setup test chaos check demo bench docs clean
setup: $(BIN)/gsd

$(BIN)/gsd: pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Milepost needs Python 3.11 or newer; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $(BIN)/gsd

# A few of the chaos runs; `make chaos` runs them all.
test: setup
	MILEPOST_CHAOS_RUNS=$${MILEPOST_CHAOS_RUNS:-24} $(BIN)/python -m pytest -n 2 --dist worksteal

chaos: setup
	$(BIN)/python -m pytest -n 2 --dist worksteal tests/chaos

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

demo: setup
	$(BIN)/python -m milepost.testing.demo $(if $(MODEL),--model $(MODEL))

bench: setup
	$(BIN)/python benchmarks/run.py

docs: setup
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache
