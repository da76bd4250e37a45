# One target a chore. Each creates .venv where there is none, installs again when setup.cfg changed, and
# compiles the operators again when their sources changed.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help install demo edit test test-kernels wheel bench-help bench-ops bench-load bench-training gpu-check table1 table2 tables-quick london-faces gpu-faces inpaint demo-inpaint translate demo-translate fuzz kill-trials docs lint format clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
COMPILED := $(VENV)/.compiled
KERNELS := $(wildcard stylegan2_ops/csrc/*.* stylegan2_ops/csrc/*/*.*)
PEERS := $(if $(NVIDIA),--nvidia $(NVIDIA)) $(if $(ROSINALITY),--rosinality $(ROSINALITY))
SOURCES := regen stylegan2_ops tests experiments docs setup.py

help:  ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

install: $(INSTALLED) $(COMPILED)  ## Create .venv, install regen with its development tools and compile the operators

demo: $(INSTALLED) $(COMPILED)  ## Give the bundled London faces the eyes of a cat, and say where the report is
	$(BIN)/regen rewrite --edits examples/faces_cat_eyes.json -o out/demo
	@echo "Report: file://$(CURDIR)/out/demo/report.html (for the command above: source .venv/bin/activate)"

edit: $(INSTALLED) $(COMPILED)  ## Open the editor on the bundled portraits in a browser
	$(BIN)/regen edit

test: $(INSTALLED) $(COMPILED)  ## Run all tests, and the examples in the docstrings
	$(BIN)/python -m pytest

test-kernels: $(INSTALLED)  ## Test the compiled kernels as other processors run them
	$(BIN)/python -m tests.every_capability

wheel: $(INSTALLED)  ## Build dist/regen-*.whl with the compiled operators inside, for machines without a compiler
	rm -rf build
	STYLEGAN2_OPS_WHEEL=1 $(BIN)/python -m pip wheel --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .

bench-help: $(INSTALLED)  ## Time the help of every command
	$(BIN)/python -m experiments.bench_help

bench-ops: $(INSTALLED) $(COMPILED)  ## Time the operators beside copies, convolutions, their reference, and checkouts of others' code in NVIDIA= and ROSINALITY=
	$(BIN)/python -m experiments.bench_ops
	$(BIN)/python -m experiments.bench_peers $(PEERS)

bench-load: $(INSTALLED) $(COMPILED)  ## Time a short rewrite on the idle machine and beside busy processes
	$(BIN)/python -m experiments.bench_load

bench-training: $(INSTALLED) $(COMPILED)  ## Time the training of generators on this processor
	$(BIN)/python -m experiments.bench_training

table1: $(INSTALLED) $(COMPILED)  ## Reproduce Table 1: train and measure the backward projector's variants
	$(BIN)/python -m experiments.table1_projector -o experiments/results

table2: $(INSTALLED) $(COMPILED)  ## Reproduce Table 2: rewrites and baselines against the oracle
	$(BIN)/python -m experiments.table2_rewrite -o experiments/results

tables-quick: $(INSTALLED) $(COMPILED)  ## Check the machinery of both tables; the numbers are not meaningful
	$(BIN)/python -m experiments.table1_projector --quick -o out/quick --work out/quick/1
	$(BIN)/python -m experiments.table2_rewrite --quick -o out/quick --work out/quick/2

gpu-check: $(INSTALLED) $(COMPILED)  ## Check everything on a GPU and print its numbers, within a minute
	$(BIN)/python -m experiments.gpu_check

london-faces: $(INSTALLED) $(COMPILED)  ## Measure the generator of London faces beside its photographs, and bundle it with its card
	$(BIN)/python -m experiments.london_faces

gpu-faces: $(INSTALLED) $(COMPILED)  ## Train the London faces, their projector and three rewrites on a GPU
	$(BIN)/python -m experiments.gpu_faces

inpaint: $(INSTALLED) $(COMPILED)  ## Train portraits-inpaint, resuming what is there, and put its weights into the package
	$(BIN)/python -m experiments.inpaint.train_generator -o runs/inpaint
	$(BIN)/python -m experiments.inpaint.export_generator runs/inpaint

demo-inpaint: $(INSTALLED) $(COMPILED)  ## Fill noses with a clown's, wherever a face has a hole there
	$(BIN)/regen rewrite --edits examples/inpaint_red_nose.json -o out/inpaint
	@echo "Report: file://$(CURDIR)/out/inpaint/report.html"

translate: $(INSTALLED) $(COMPILED)  ## Train portraits-cats, resuming what is there, and put its weights into the package
	$(BIN)/python -m experiments.cats.train_generator -o runs/cats
	$(BIN)/python -m experiments.cats.export_generator runs/cats

demo-translate: $(INSTALLED) $(COMPILED)  ## Give people who are translated into cats a Christmas hat
	$(BIN)/regen rewrite --edits examples/translate_hat.json -o out/translate
	@echo "Report: file://$(CURDIR)/out/translate/report.html"

fuzz: $(INSTALLED)  ## Read 20,000 damaged files of every kind; only clear errors may come out, and soon
	$(BIN)/python -m tests.unpickling.fuzz --files 20000 --seconds 1800 --seed 0

kill-trials: $(INSTALLED)  ## Kill rewrites, trainings and the editor at 100 random instants; nothing may be lost or differ
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.kill_trials --trials 100 --seed $${SEED:-0}

docs: $(INSTALLED)  ## Build the documentation into site/; needs no network, and warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --clean

lint: $(INSTALLED)  ## Check style, formatting and types
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy

format: $(INSTALLED)  ## Format the sources and fix what ruff can fix by itself
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

clean:  ## Remove everything that is made here, except .venv
	rm -rf out build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): setup.cfg setup.py pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --editable '.[dev,demo,docs]'
	@touch $@

# Without a compiler this says so and goes on; it is tried again the next time.
$(COMPILED): $(INSTALLED) $(KERNELS) stylegan2_ops/_plan.py
	@if $(BIN)/python -m stylegan2_ops build; then touch $@; fi
