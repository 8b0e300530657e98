# make study: the main job on the embedded data set. make test: everything CI runs. Both install into .venv with plain pip.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
export OMP_NUM_THREADS ?= 1
export MLFLOW_DISABLE_TELEMETRY = true

.PHONY: study test lint bench soak clean

study: $(VENV)/installed
	$(BIN)/g2g-ablate run quickstart

test: $(VENV)/installed-test lint
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

lint: $(VENV)/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/installed-test
	$(BIN)/python -m benchmarks

soak: $(VENV)/installed-test
	$(BIN)/python -m benchmarks.soak

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV) build *.egg-info
