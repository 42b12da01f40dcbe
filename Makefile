# Countersign. `make help` lists what can be done; each target does its own set-up.

.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory

PORT ?= 8000
ROUNDS ?= 200
PYTHON ?= $(shell for p in python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1 \
	&& command -v $$p && break; done)
IN_VENV := .venv/bin/python
# Taken before anything is installed: how long a start takes is counted from here.
STARTED_AT := $(shell date +%s)

.PHONY: help run test test-long chaos bench check lock clean install install-dev python

help: ## List these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
	|| sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1   \2/p' Makefile

run: install ## Start the demonstration (PORT=8000); Ctrl-C stops it
	@PORT='$(PORT)' STARTED_AT='$(STARTED_AT)' COUNTERSIGN_ENV=demo COUNTERSIGN_ROLE=supervisor \
		exec $(IN_VENV) manage.py run_demo

test: install-dev ## Run the whole suite, on the embedded defaults and on PostgreSQL
	@exec $(IN_VENV) -m tests.run

test-long: install-dev ## Run the thorough profile: long tests, many more generated inputs and races
	@exec $(IN_VENV) -m tests.run --long

chaos: install-dev ## Play random faults, deaths and clock jumps (SEED=..., ROUNDS=200)
	@exec $(IN_VENV) -m tests.chaos --rounds '$(ROUNDS)' $(if $(SEED),--seed '$(SEED)')

bench: install-dev ## Print the table of benchmarks
	@exec $(IN_VENV) -m tests.benchmarks

check: install-dev ## Run the linters, the type checker and Django's own checks
	@exec $(IN_VENV) -m scripts.check

lock: ## Write the lock files anew from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "uv is needed to write the lock: pip install uv"; exit 1; }
	uv pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes \
		--no-emit-index-url --no-header -q -o requirements/runtime.txt
	uv pip compile pyproject.toml --group dev -c requirements/runtime.txt --python-version 3.11 \
		--universal --generate-hashes --no-emit-index-url --no-header -q -o requirements/dev.txt

clean: ## Remove the virtual environment and what the tools left; the data in var/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache artifacts \
		htmlcov .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

install: python
	@'$(PYTHON)' scripts/install.py runtime

install-dev: python
	@'$(PYTHON)' scripts/install.py dev

python:
	@test -n '$(PYTHON)' || { \
		echo 'Python 3.11 is needed. On Debian or Ubuntu: apt-get install python3.11 python3.11-venv'; \
		exit 1; }
