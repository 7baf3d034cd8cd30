# `make` alone explains the targets. PYTHON chooses the interpreter, VENV the environment's folder.
PYTHON ?= python3
PYTHON312 ?= python3.12
VENV ?= .venv
BIN := $(VENV)/bin
ROUNDS ?= 10
SPEED ?= 1800
EXACTNESS_EVENTS ?= 200000
VERSIONS := 3.11 3.12 3.13
PYTEST ?= $(BIN)/pytest -n 2 --dist worksteal

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help install demo live test test-all lint format bench soak dashboards transcripts lock clean

help: ## Explain the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: ## Make .venv with the command .venv/bin/outfall, or reuse what is there
	@if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
		echo "outfall needs Python 3.11 or newer; $$($(PYTHON) -V) is not. Choose another: make PYTHON=python3.12" >&2
		exit 1
	fi
	if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then
		echo "$(PYTHON) cannot make environments. On Debian and Ubuntu: apt-get install python3-venv" >&2
		exit 1
	fi
	version=$$($(PYTHON) -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')
	wanted="$$version $$(cat requirements-dev.lock pyproject.toml | sha256sum | cut -d' ' -f1) $(CURDIR)"
	if [ "$$(cat $(VENV)/.installed 2>/dev/null)" = "$$wanted" ]; then exit; fi
	if [ "$$($(BIN)/python -c 'import sys, pip; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null)" != "$$version" ]; then
		echo "Making $(VENV) with Python $$version"
		$(PYTHON) -m venv --clear $(VENV)
	fi
	echo "Installing the locked dependencies into $(VENV)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	echo "$$wanted" > $(VENV)/.installed
	echo "Installed: $(BIN)/outfall"

demo: install ## Run a council's day through the pipeline and watch it
	@$(BIN)/outfall demo

live: install ## Start a local Kafka and two workers, play a council's day, show its alerts; SPEED=1800
	@PYTHONPATH=tests $(BIN)/python -m services.make_live --speed $(SPEED)

test: lint ## Run all checks and tests with one Python
	@$(PYTEST)

test-all: install ## Run the tests with every supported Python that is there
	@for version in $(VERSIONS); do
		for python in "python$$version" "$${PYENV_ROOT:-$$HOME/.pyenv}/versions/$$version".*/bin/python none; do
			if "$$python" -c "" 2>/dev/null; then break; fi
		done
		echo "== Python $$version: $$python"
		if [ "$$python" != none ]; then
			$(MAKE) --no-print-directory test PYTHON="$$python" VENV=".cache/venv-$$version"
		fi
	done

lint: install ## Check style and types
	@$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy

format: install ## Format the code and mend what can be mended
	@$(BIN)/ruff check --fix --quiet
	$(BIN)/ruff format --quiet

bench: install ## Measure each format and each step, beside a yardstick of the same run
	@$(BIN)/python benchmarks/normalise.py
	$(BIN)/python benchmarks/detection.py
	$(BIN)/python benchmarks/live_path.py
	$(BIN)/python benchmarks/pipeline.py
	$(BIN)/python benchmarks/correlation.py
	$(BIN)/python benchmarks/live.py
	$(BIN)/python benchmarks/recovery.py
	$(BIN)/python benchmarks/delivery.py
	$(BIN)/python benchmarks/backtest.py
	$(BIN)/python benchmarks/rule_book.py

soak: install ## Search longer: 200,000 events for exactness, ROUNDS=10 times fresh examples and kills; 100 workers killed
	@EXACTNESS_EVENTS=$(EXACTNESS_EVENTS) $(PYTEST) --timeout 7200 tests/conformance/test_exactness.py
	for round in $$(seq 1 $(ROUNDS)); do
		echo "== Round $$round of $(ROUNDS)"
		$(PYTEST) --hypothesis-profile=soak --timeout 7200 -m hypothesis
		$(PYTEST) tests/faults
	done
	POISON=10000 $(BIN)/pytest --timeout 7200 tests/faults/test_poison_records.py
	$(BIN)/pytest -s --timeout 7200 tests/faults/soak_workers.py tests/faults/soak_memory.py

dashboards: ## Make dashboards/outfall.ndjson from its sources; PYTHON312 chooses an interpreter of 3.12 or later
	@if [ ! -e .cache/dashboards/.installed ] || [ dashboards/requirements.lock -nt .cache/dashboards/.installed ]; then
		$(PYTHON312) -m venv --clear .cache/dashboards
		.cache/dashboards/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
			-r dashboards/requirements.lock
		touch .cache/dashboards/.installed
	fi
	.cache/dashboards/bin/python dashboards/build.py

transcripts: install ## Write anew what the commands in docs/rules.md print
	@$(BIN)/python docs/transcripts.py

lock: install ## Lock the dependencies again after a change; UPGRADE=--upgrade takes newer ones
	@compile="$(BIN)/uv pip compile --universal --python-version $(firstword $(VERSIONS)) --generate-hashes \
		--no-header --no-emit-index-url --no-emit-find-links --quiet $(UPGRADE) pyproject.toml"
	$$compile --output-file requirements.lock >/dev/null
	$$compile --group dev --output-file requirements-dev.lock >/dev/null
	$$(echo "$$compile" | sed 's/ pyproject.toml//; s/$(firstword $(VERSIONS))/3.12/') dashboards/requirements.in \
		--output-file dashboards/requirements.lock >/dev/null

clean: ## Remove what was made, except alerts and state
	@rm -rf $(VENV) .cache build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
