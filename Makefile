# make demo and make test each work by themselves on a machine with Python 3.11+, git and make.
.DEFAULT_GOAL := help
.PHONY: demo test test-whole lint types format docs bench bench-build bench-train lock help

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# The first Python on the path that is new enough; say PYTHON=... to choose another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PYTEST_ARGS ?= -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# Idle OpenMP threads that spin cost a small machine more than they gain.
export OMP_WAIT_POLICY ?= PASSIVE

demo: $(STAMP)  ## train and evaluate a small bilingual model on the bundled corpora
	$(BIN)/taiyi run recipes/demo.yaml

test: $(STAMP)  ## run the tests (PYTEST_ARGS=... to choose)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PYTEST_ARGS)

test-whole: $(STAMP)  ## run all tests, those too that take minutes (TAIYI_CORPORA=DIR for the real corpora)
	TAIYI_WHOLE=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(STAMP)  ## check style and layout
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## check the types, strictly
	$(BIN)/pyright --threads 2 --pythonpath $(BIN)/python

format: $(STAMP)  ## mend what lint can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP)  ## build the documentation site into build/docs; what is wrong with it is an error
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --jobs auto docs build/docs

bench: $(STAMP)  ## how fast real corpora are read (CORPORA=... if not in TAIYI_CORPORA)
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/readers.py $(CORPORA)

bench-build: $(STAMP)  ## how fast instruction data is built (EXAMPLES=1100000 for the paper's scale)
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/build.py --examples $(or $(EXAMPLES),100000)

bench-train: $(STAMP)  ## how fast models are trained, beside TRL and LLaMA-Factory, which it installs apart (ROWS=400)
	env -u OMP_WAIT_POLICY $(BIN)/python benchmarks/train.py --rows $(or $(ROWS),400) $(if $(JSON),--json $(JSON))

# torch is pinned by hand; its CPU build is resolved (put its wheels where UV_FIND_LINKS points), and the local version is
# taken off, so that the same lock serves the CUDA build.
TORCH := 2.13.0
lock:  ## renew requirements.lock (needs uv)
	@echo "# Versions that are known to work together; a constraints file for pip. Made by: make lock" > requirements.lock.new
	echo "torch==$(TORCH)" | uv pip compile pyproject.toml --all-extras --constraint - --python-version 3.11 \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet \
		| sed 's/+cpu//' >> requirements.lock.new
	! grep -E '^(nvidia|cuda|triton)' requirements.lock.new
	mv requirements.lock.new requirements.lock

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "Taiyi needs Python 3.11 or newer: none was found. Say PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Installing into $(VENV): some minutes the first time."
	$(PYTHON) -m venv $(VENV)
	@# What is imported is compiled then; compiling all that there is takes as long as installing it.
	$(BIN)/python -m pip install --disable-pip-version-check --no-compile -c requirements.lock -e ".[dev]"
	@touch $@
