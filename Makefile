# Each target does all of its own set-up. Afterwards the pipeline lives in Snakemake: see README.md.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
# The optional package of four speech encoders, which the tests try as well.
TRANSFORMERS := $(VENV)/.transformers
CLIPS ?=
ONLY ?=
CORES ?= all

.PHONY: setup demo test bench-clips lint format

setup: $(STAMP)

$(STAMP): requirements-torch.txt requirements.txt requirements-dev.txt requirements-cluster.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.txt -r requirements-torch.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-cluster.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $(STAMP)

demo: setup
	$(BIN)/snakemake --cores $(CORES) adapt_identity

$(TRANSFORMERS): envs/transformers.txt $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r envs/transformers.txt
	touch $(TRANSFORMERS)

test: setup $(TRANSFORMERS)
	$(BIN)/snakemake --cores $(CORES) --quiet all -- fetch_assets
	$(BIN)/python -m pytest -n 2 --dist loadfile

bench-clips: setup
	@test -d "$(CLIPS)" || { echo "usage: make bench-clips CLIPS=<folder of clips> [ONLY='name name']" >&2; exit 2; }
	$(BIN)/python -m emotag clips "$(CLIPS)" results/bench.yaml $(ONLY)
	-$(BIN)/snakemake --cores $(CORES) --keep-going --configfile results/bench.yaml -- report
	$(BIN)/python -m emotag page results/bench.yaml docs/results.md --remarks docs/results_remarks.md

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules
