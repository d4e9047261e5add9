# Every command of this project. `make` alone lists them; README and CI call nothing else.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAGE ?= dev
# Passed on to the demo: a Jira of your own instead of the stand-in.
export JIRA_URL JIRA_USER JIRA_TOKEN JIRA_PROJECT_KEY JIRA_ISSUE_TYPE
# sam and its build find the project's own Python and tools first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
ready := $(VENV)/.ready

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(ready): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.13 ..."; exit 1; }
	@echo "Setting up $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@# The lock is complete. Left to resolve, an older pip takes what asks for `boto3[crt]` to a newer release than the lock's.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m local.aws.dynamodb_local install || true
	@touch $@

.PHONY: setup
setup: $(ready) ## Prepare this folder: .venv with everything, DynamoDB Local

.PHONY: demo
demo: $(ready) ## Show one event becoming one ticket on this machine, then clean up
	@$(BIN)/python -m local.demo

.PHONY: up
up: $(ready) ## The same, and stay until Ctrl-C
	@$(BIN)/python -m local.demo --stay

.PHONY: test
test: $(ready) ## Run every test but the long ones, in parallel
	@$(BIN)/python -m pytest -q -n auto --dist worksteal -m "not long" $(if $(COVERAGE),--cov)

.PHONY: long
long: $(ready) ## Run the long tests: random histories, killed processes, big storms, a table with 10,000 links
	@$(BIN)/python -m pytest -q -n auto --dist worksteal -m long

.PHONY: coverage
coverage: COVERAGE := 1
coverage: test ## make test, and show which branches no test takes; too many are a failure

.PHONY: quick
quick: $(ready) ## Run the fast tests only
	@$(BIN)/python -m pytest -q tests/unit

.PHONY: check
check: $(ready) ## Lint, types, rooms, spelling, dead code, template
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/codespell
	$(BIN)/vulture
	$(BIN)/vulture layers/bridge/backtrace_jira functions cli
	AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-eu-central-1} $(BIN)/sam validate --lint

.PHONY: format
format: $(ready) ## Let ruff format and mend what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: build
build: $(ready) ## Build what is deployed, into .aws-sam
	$(BIN)/sam build

.PHONY: deploy
deploy: build ## Deploy to your AWS account: make deploy STAGE=prod
	@$(BIN)/python -m local.deploy $(STAGE)

.PHONY: bench
bench: $(ready) ## Measure what is deployed: CPU, requests, write units and log of an event, beside the goals
	@$(BIN)/python -m local.bench

.PHONY: storm
storm: $(ready) ## Run storms and outages, most in virtual time: what they cost beside the goals, and docs/storm.svg
	@$(BIN)/python -m local.storm --picture

.PHONY: docs
docs: $(ready) ## Write the references of settings and commands from the code
	$(BIN)/python docs/write_reference.py

.PHONY: lock
lock: $(ready) ## Pin what was added and keep every other pin; make lock UPGRADE=1 resolves anew (needs uv)
	$(compile) --python-version 3.11 --extra dev pyproject.toml -o requirements-dev.txt
	$(compile) --python-version 3.13 layers/bridge/requirements.in -o layers/bridge/requirements.txt
# No address of an index: whoever installs has their own.
compile = uv pip compile --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet \
  $(if $(UPGRADE),--upgrade)

.PHONY: clean
clean: ## Remove what the commands above made
	rm -rf $(VENV) .cache .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
