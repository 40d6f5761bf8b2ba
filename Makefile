# `make demo` and `make test` are the two commands; `make` alone lists the rest.
#
# Everything is set up on the way, from nothing but Python 3.11+ and pip: a stamp in a virtual environment stands for a
# finished installation, and is made again when pyproject.toml or constraints.txt change.

PYTHON ?= $(or $(STEEPEST_PYTHON),python3)
JOBS ?= 2
VENV := .venv
PARITY := .venv-parity
BIN := $(VENV)/bin
INSTALL = -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --build-constraint constraints.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check parity bench figures mutants torture readme clean

help:  ## list these targets
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1	/' | expand -t 16

demo: $(VENV)/made.runtime  ## set everything up and compare methods on handwritten digits, without any data of yours
	@$(BIN)/steepest compare digits
	@echo "Your own data next: $(BIN)/steepest compare photos/ (or, after . $(BIN)/activate, just steepest)"

test: $(VENV)/made.test  ## set everything up and run the tests
	$(BIN)/python -m pytest tests --ignore=tests/docs -n $(JOBS)
	$(BIN)/python -m pytest tests/x64 -n $(JOBS)

check: $(VENV)/made.check  ## style, types, layers, doctests, README examples and help texts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --doctest-modules src/steepest -n $(JOBS)
	$(BIN)/python -m pytest tests/docs -n $(JOBS)

parity: $(PARITY)/made.parity  ## compare with torch and Keras, in an environment of their own
	$(PARITY)/bin/python -m pytest tests/parity

bench: $(PARITY)/made.parity  ## measure the ratios of the README into benchmarks/results
	$(PARITY)/bin/python -m benchmarks

figures: $(PARITY)/made.parity  ## train the networks on photos, CIFAR-10 and 20 GB of rows; hours
	$(PARITY)/bin/python -m benchmarks animals_cnn cifar resnet streaming

mutants: $(VENV)/made.test  ## change the update rules one thing at a time; the tests must notice
	$(BIN)/python tests/mutants/run.py

torture: $(VENV)/made.test  ## kill -9 at random moments; nothing may be lost
	$(BIN)/python -m pytest tests/torture

readme: $(VENV)/made.runtime  ## paste what the commands print today into README.md
	$(BIN)/python docs/refresh_readme.py

clean:  ## remove environments and caches (your runs in .steepest stay)
	rm -rf $(VENV) $(PARITY) build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment with a pip that knows dependency groups. Some systems ship Python without ensurepip: there the
# pip that runs us puts one in.
%/made.pip: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "steepest needs Python 3.11 or newer and $(PYTHON) is not; name one: make PYTHON=python3.12"; exit 1; }
	@echo "setting up $* (once; a minute or two, and about 250 MB to download)"
	@rm -rf $*
	@$(PYTHON) -m venv $* >/dev/null 2>&1 || { $(PYTHON) -m venv --clear --without-pip $* && \
		$(PYTHON) -m pip --python $*/bin/python install --quiet pip; }
	@$*/bin/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --upgrade pip
	@touch $@

$(VENV)/made.runtime: $(VENV)/made.pip pyproject.toml constraints.txt
	@$(BIN)/python $(INSTALL) --editable .
	@touch $@

$(VENV)/made.test: $(VENV)/made.runtime
	@$(BIN)/python $(INSTALL) --group test
	@touch $@

$(VENV)/made.check: $(VENV)/made.test
	@$(BIN)/python $(INSTALL) --group check
	@touch $@

$(PARITY)/made.parity: $(PARITY)/made.pip pyproject.toml constraints.txt
	@$(PARITY)/bin/python $(INSTALL) torch==2.13.0
	@$(PARITY)/bin/python $(INSTALL) --editable . --group test --group parity
	@touch $@
