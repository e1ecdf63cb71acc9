# Two commands are enough: `make demo` and `make test`. Each sets up its own .venv first, and only when
# pyproject.toml or constraints.txt changed since the last time.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt
DEMO ?= yike-demo
# numba compiles once into a folder named by the kernels themselves; see yike/kernel_cache.py
WORKERS ?= auto

.PHONY: demo test check lint quick bench clean
.DELETE_ON_ERROR:

demo: .venv/core
	$(BIN)/yike demo $(DEMO)

test: .venv/test lint
	$(BIN)/python -m tests.warm
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

check: .venv/test lint
	$(BIN)/python -m tests.warm
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not data and not browser and not office"

lint: .venv/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/bench
	$(BIN)/python tests/benchmarks/bench.py $(ONLY)

.venv/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; say make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv
	touch $@

.venv/core: .venv/python pyproject.toml constraints.txt
	$(PIP) -e .
	touch $@

.venv/test: .venv/core
	$(PIP) -e '.[test]'
	touch $@

.venv/bench: .venv/test
	$(PIP) -e '.[test,bench]'
	touch $@

clean:
	rm -rf .venv yike-demo bench.json .mypy_cache .ruff_cache .pytest_cache .hypothesis
