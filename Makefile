# Everything lives in .venv; a stamp in it says what is set up, so that a second `make` starts at once.
#
#   make demo        set up, train on drawn shapes, evaluate, save, reload, predict: minutes
#   make test        set up, all tests (make test-fast: without the slow ones)
#   make test-lowest  all tests on the lowest supported versions (tools/lowest.txt), in .venvs/lowest
#   make test-newest  all tests on the newest that pip finds, in .venvs/newest
#   make lint        ruff, mypy, clang-format          make format   mends what can be mended
#   make wheel       a Linux wheel with the RoIAlign op compiled for each supported TensorFlow
#   make wheel-test  the wheel into an empty environment: trains and predicts from an empty folder
#   make docs        the demo's picture for the README, the notebooks with their outputs
#   make house       lines a file and a function
#   make clean

PYTHON  ?= python3
WORKERS ?= 2
EXTRAS  ?= dev
# The first that is here: the lowest versions have wheels for these Pythons.
LOWEST_PYTHON ?= $(shell for python in python3.10 "$$(pyenv prefix 3.10 2>/dev/null)/bin/python" python3.11 python3.12; do \
    if "$$python" -c "" 2>/dev/null; then echo "$$python"; break; fi; done)
VENV    := .venv
BIN     := $(VENV)/bin
OP_SOURCES := $(shell find custom_ops -type f -not -path '*/build/*' 2>/dev/null)
CPP_FILES   = $(shell find custom_ops -name '*.cc' -o -name '*.cu' -o -name '*.h' 2>/dev/null)

.PHONY: all demo test test-fast test-lowest test-newest coverage lint format wheel wheel-plain wheel-test docs house clean
all: test

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# The package and what it needs.
$(VENV)/.installed: $(BIN)/python pyproject.toml setup.cfg setup.py
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

# The tools of tests and lint on top.
$(VENV)/.developer: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable ".[$(EXTRAS)]"
	@touch $@

# The C++ op is an accelerator: without a compiler, or when it does not compile, the package runs without it.
$(VENV)/.op: $(VENV)/.installed $(OP_SOURCES)
	@if command -v "$${CXX:-g++}" >/dev/null 2>&1; then \
	    $(BIN)/kmaskrcnn build-op || echo "make: the RoIAlign op did not build; TensorFlow's own ops do its work."; \
	else \
	    echo "make: no C++ compiler; TensorFlow's own ops do the work of the RoIAlign op."; \
	fi
	@touch $@

demo: $(VENV)/.installed $(VENV)/.op
	$(BIN)/kmaskrcnn demo --out demo

# What pools RoIs is tested on the C++ op and on its fallback by a fixture of tests/conftest.py: one run covers both.
test: $(VENV)/.developer $(VENV)/.op
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

test-fast: $(VENV)/.developer $(VENV)/.op
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not slow" $(PYTEST_ARGS)

# pip takes PIP_… variables for options. The op is built for each TensorFlow beside the others.
test-lowest:
	@"$(LOWEST_PYTHON)" --version || { echo "make: no Python 3.10 to 3.12 found: make test-lowest LOWEST_PYTHON=/path/to/python"; exit 1; }
	PIP_CONSTRAINT="$(CURDIR)/tools/lowest.txt" \
	    $(MAKE) test VENV=.venvs/lowest EXTRAS=test PYTHON="$(LOWEST_PYTHON)"

test-newest:
	rm -f .venvs/newest/.installed .venvs/newest/.developer .venvs/newest/.op
	PIP_UPGRADE=1 PIP_UPGRADE_STRATEGY=eager $(MAKE) test VENV=.venvs/newest EXTRAS=test

coverage: $(VENV)/.developer $(VENV)/.op
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --cov --cov-report=term $(PYTEST_ARGS)

lint: $(VENV)/.developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(if $(CPP_FILES),$(BIN)/clang-format --dry-run --Werror $(CPP_FILES))

format: $(VENV)/.developer
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(if $(CPP_FILES),$(BIN)/clang-format -i $(CPP_FILES))

# The pictures and outputs that the documentation shows.
docs: demo $(VENV)/.developer
	cp demo/predictions.jpg docs/images/demo.jpg
	$(BIN)/python tools/run_notebooks.py

house: $(VENV)/.developer
	$(BIN)/python -m tests.house

wheel-plain: $(BIN)/python
	rm -rf build dist
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

wheel: $(BIN)/python
	rm -rf build dist
	$(BIN)/python custom_ops/roi_align/build_all.py build/binaries
	KMASKRCNN_BINARIES="$(CURDIR)/build/binaries" \
	    $(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

# The wheel in dist/, or a plain one if there is none.
wheel-test:
	[ -e dist/kmaskrcnn-*.whl ] || $(MAKE) wheel-plain
	tools/test_wheel.sh "$(PYTHON)" dist/kmaskrcnn-*.whl

clean:
	rm -rf build dist demo *.egg-info .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +
