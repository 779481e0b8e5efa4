# Kensoku's commands. `make demo` shows the system at work; `make test` and `make check` prove it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Files of tests at once: each worker has a broker, databases and model servers of its own.
TESTS_AT_ONCE ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: install install-dev install-train demo test check bench figures protos models lock wheel clean
.DELETE_ON_ERROR:

install: $(VENV)/.base
install-dev: $(VENV)/.dev
install-train: $(VENV)/.train

# Each stamp stands for a set of sections of constraints.txt, whose hashes pip checks.
$(VENV)/.base $(VENV)/.dev $(VENV)/.train: $(VENV)/.%: constraints.txt pyproject.toml | $(BIN)/python
	case $* in base) stop='^## dev' ;; dev) stop='^## train' ;; *) stop='^$$never' ;; esac; \
	sed "/$$stop/,\$$d" constraints.txt > $(VENV)/requirements-$*.txt
	$(BIN)/python -m pip install --quiet --require-hashes --requirement $(VENV)/requirements-$*.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(BIN)/python:
	$(PYTHON) -c 'import sys; v = sys.version.split()[0]; sys.exit(f"found Python {v}, expected 3.11 or newer; name another with make PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

demo: install
	$(BIN)/kensoku run --demo

test: install-train
	tools/test-needs.sh
	$(BIN)/python -m pytest --numprocesses=$(TESTS_AT_ONCE) --dist=loadfile $(PYTEST_ARGUMENTS)

check: install-train
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.generate --check

protos: install-dev
	$(BIN)/python -m tools.generate protos

models: install-dev
	$(BIN)/python -m tools.generate models

bench: install-dev
	for name in packets bus inference picker replay traveltime simulation_noise simulation; do $(BIN)/python -m benchmarks.$$name || exit; done
	$(BIN)/python -m benchmarks.capacity --stations 600 --seconds 60 --json

# Recorded data are drawn where they lie beside the project, as docs/simulation.md says.
figures: install-dev
	$(BIN)/python -m benchmarks.simulation_figures docs/figures

wheel: install-dev
	$(BIN)/python -m hatchling build -t wheel

lock:
	$(PYTHON) tools/lock.py

clean:
	rm -rf $(VENV) .cache build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
