# All that one does with a checkout. `make help` lists it.
SHELL := /bin/sh
PYTHON ?= python3
ifneq "$(origin PYTHON)" "file"
export CATCHALL_SETUP_PYTHON_CHOSEN = yes
endif
BIN := .venv/bin
ARGS ?=
.DEFAULT_GOAL := help
.PHONY: help setup run test test-fast check lint types imports tidy fmt pages docs build pins bench clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install everything into the checkout: packages, built pages, .venv/bin/catchall
	@$(PYTHON) -m tools.setup dev

run: ## Set up what is missing, then start the server on http://localhost:8300 (ARGS="--help" for options)
	@$(PYTHON) -m tools.setup run
	@exec $(BIN)/catchall run $(ARGS)

test: ## Bring all that the tests need (npm packages, a browser), then run all tests
	@$(PYTHON) -m tools.setup test
	@exec $(BIN)/python -m pytest $(ARGS)

test-fast: ## Run the tests that need no browser, no other programs and little time
	@$(PYTHON) -m tools.setup dev
	@exec $(BIN)/python -m pytest -m "not slow and not browser and not e2e and not chaos" $(ARGS)

check: ## All that needs no running program: lint, types, imports, tidy
	@$(PYTHON) -m tools.setup dev
	@$(MAKE) --no-print-directory --keep-going lint types imports tidy

lint: ## Style and common mistakes (ruff)
	@$(PYTHON) -m tools.setup dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: ## Strict types (mypy)
	@$(PYTHON) -m tools.setup dev
	$(BIN)/mypy

imports: ## Who may import whom (import-linter)
	@$(PYTHON) -m tools.setup dev
	$(BIN)/lint-imports

tidy: ## Sizes, allowed imports of the pure folders, words that may not stand in the code
	@$(PYTHON) -m tools.setup dev
	$(BIN)/python -m pytest -q tests/tidy

fmt: ## Rewrite the code in the one style
	@$(PYTHON) -m tools.setup dev
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

pages: ## Build the web pages' scripts and styles when frontend/ changed
	@$(PYTHON) -m tools.setup dev

docs: ## Write the reference pages that follow from the code
	@$(PYTHON) -m tools.setup dev
	$(BIN)/python -m tools.reference

build: ## Build the wheel and the source archive into dist/
	@$(PYTHON) -m tools.setup dev
	$(BIN)/python -m hatchling build

pins: ## Pin the newest versions that pyproject.toml allows, with hashes, into requirements/
	@$(PYTHON) -m tools.setup dev
	@$(PYTHON) -m tools.pins

bench: ## Measure every figure of speed and size that we promise, one JSON line each
	@$(PYTHON) -m tools.setup run
	@exec $(BIN)/python -m bench.all $(ARGS)

clean: ## Remove all that was made, except data/
	rm -rf .venv .tools .stamps dist build src/catchall/web/static
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results
	find . -name node_modules -prune -exec rm -rf {} +
	find . -name __pycache__ -prune -exec rm -rf {} +
