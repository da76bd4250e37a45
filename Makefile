# One target a chore. Each creates .venv where there is none, and installs again when setup.cfg changed.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help install demo test lint format clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SOURCES := regen stylegan2_ops tests experiments

help:  ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

install: $(INSTALLED)  ## Create .venv and install regen with its development tools

demo: $(INSTALLED)  ## Give the bundled portraits the eyes of a cat, and say where the report is
	$(BIN)/regen rewrite --edits examples/eyes.json -o out/demo
	@echo "Report: file://$(CURDIR)/out/demo/report.html"

test: $(INSTALLED)  ## Run all tests, and the examples in the docstrings
	$(BIN)/python -m pytest

lint: $(INSTALLED)  ## Check style, formatting and types
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy

format: $(INSTALLED)  ## Format the sources and mend what can be mended without thought
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

clean:  ## Remove everything that is made here, except .venv
	rm -rf out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --editable '.[dev,demo]'
	@touch $@
