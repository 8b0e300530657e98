# make study: the main job on the embedded data set. make test: lint and the quick tests, some minutes on two cores.
# make test-slow: the tests of real clusters, servers, browsers and kills. All install into .venv with plain pip.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
export OMP_NUM_THREADS ?= 1
export MLFLOW_DISABLE_TELEMETRY = true

.PHONY: study test test-slow lint bench bench-gpu soak clean

study: $(VENV)/installed
	$(BIN)/g2g-ablate run quickstart

test: $(VENV)/installed-test lint
	$(BIN)/python -m pytest -q -m "not slow" -n 2 --dist worksteal

# By group: what several tests share, such as a server, is started once. Four, because tests wait more than they compute.
test-slow: $(VENV)/installed-test
	$(BIN)/python -m pytest -q -m slow -n 4 --dist loadgroup

lint: $(VENV)/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell ablate benchmarks docs g2g_base g2g_core reports studies *.md
	$(BIN)/mypy

bench: $(VENV)/installed-test
	$(BIN)/python -m benchmarks

# Eight minutes on a GPU. Without one: make bench-gpu GPU="--device cpu --tiny"
bench-gpu: $(VENV)/installed-test
	$(BIN)/python -m benchmarks.gpu $(GPU)

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
