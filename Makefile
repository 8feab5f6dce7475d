# Two commands set everything up: `make demo` and `make test`. PYTHON picks the interpreter.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
WORKDIR ?= runs/birds

.PHONY: demo table test coverage lint wheel-test lock clean

# Trains QPM on the built-in data set through every phase and writes one HTML report.
demo: $(VENV)/installed
	$(BIN)/python -m launch.pipeline --config=configs/birds.py --workdir=$(WORKDIR)

# The same over three seeds, with the ablation: mean and standard deviation.
table: $(VENV)/installed
	$(BIN)/python -m launch.ablation --config=configs/birds.py --workdir=$(WORKDIR)-table

test: $(VENV)/installed
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile

coverage: $(VENV)/installed
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --cov --cov-report=term-missing --cov-fail-under=90

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyrefly check --python-interpreter-path $(BIN)/python

# Builds the wheel, installs it alone and runs the tests outside the checkout.
wheel-test: $(VENV)/installed
	PYTHON=$(CURDIR)/$(BIN)/python sh tests/wheel.sh

lock:
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --extra dev --extra demo \
	  --no-header --no-annotate --no-emit-index-url --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/installed: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Python 3.11 or newer is needed, {sys.executable} is {v.major}.{v.minor}; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@
