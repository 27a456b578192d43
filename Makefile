# Everything runs in .venv/, made on first use with the tested versions of constraints.txt.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# The first Python on the path that is new enough; `make PYTHON=/path/to/python report` takes another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.DEFAULT_GOAL := help
.PHONY: help report test lab lint format bench chaos evaluate clean browser emulator emulator-where-possible
.DELETE_ON_ERROR:

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

report: $(VENV)/.ready ## Make the demo organisation's weekly reports; prints where they are
	@$(BIN)/shokubai demo --if-missing
	@$(BIN)/shokubai run weekly

test: $(VENV)/.ready-test browser emulator-where-possible lint ## Run every check and test
	$(BIN)/pytest -n auto

lab: $(VENV)/.ready-test ## Open the notebooks in JupyterLab
	@$(BIN)/shokubai demo --if-missing
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks $$([ "$$(id -u)" != 0 ] || echo --allow-root)

lint: $(VENV)/.ready-test ## Check style, types and layers
	$(BIN)/ruff check lib notebooks
	$(BIN)/ruff format --check lib notebooks
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.ready-test ## Bring the code into the usual form
	$(BIN)/ruff check --fix lib notebooks
	$(BIN)/ruff format lib notebooks

bench: $(VENV)/.ready-bench ## Measure speed and memory, all of it or PARTS="imports reports_12 …" (an hour or more)
	@$(BIN)/python lib/tests/bench $(PARTS)

chaos: $(VENV)/.ready-test ## Disturb real runs at random, KILLS=200 times with SEED=44, and see that no report is half
	@$(BIN)/python lib/tests/chaos $(KILLS:%=--kills %) $(SEED:%=--seed %)

evaluate: $(VENV)/.ready-test ## Measure how well the findings find what is planted, SEEDS=10, and false ones, PAIRS=50
	@$(BIN)/python lib/tests/evaluate $(SEEDS:%=--seeds %) $(PAIRS:%=--pairs %) $(ROWS:%=--rows %)

emulator: $(VENV)/.ready-test .venv-emulator/.ready ## Start an emulator of BigQuery with the demo's logs (Python 3.13)
	@$(BIN)/shokubai demo --if-missing
	@exec $(BIN)/python lib/tests/emulator/start.py --demo outputs/demo

clean: ## Remove the environment and caches; parameters and outputs stay
	rm -rf $(VENV) .venv-emulator build dist lib/*.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find lib notebooks -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11 or newer is needed and was not found; on Debian: apt-get install python3 python3-venv" >&2; \
		exit 1; fi
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)

$(VENV)/.ready: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.ready-test: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -c constraints.txt -e '.[test,lab]'
	@touch $(VENV)/.ready $@

$(VENV)/.ready-bench: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -c constraints.txt -e '.[test,lab,bench]'
	@touch $(VENV)/.ready $(VENV)/.ready-test $@

# The emulator needs a newer Python and an older DuckDB than Shokubai; without it its tests are skipped.
EMULATOR_PYTHON ?= $(shell for p in python3.15 python3.14 python3.13 python3 \
	$(HOME)/.pyenv/versions/3.1[345]*/bin/python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 13))' 2>/dev/null && echo $$p && break; done)

.venv-emulator/.ready: lib/tests/emulator/requirements.txt
	@if [ -z "$(EMULATOR_PYTHON)" ]; then \
		echo "Python 3.13 or newer is needed and was not found; name one with EMULATOR_PYTHON=/path/to/python" >&2; \
		exit 1; fi
	$(EMULATOR_PYTHON) -m venv --clear .venv-emulator
	.venv-emulator/bin/python -m pip --disable-pip-version-check --quiet install --no-deps -r $<
	@touch $@

emulator-where-possible:
	@if [ -n "$(EMULATOR_PYTHON)" ]; then $(MAKE) --no-print-directory .venv-emulator/.ready; else \
		echo "Python 3.13 or newer was not found: tests that talk to an emulator of BigQuery are skipped." >&2; fi

# Tests marked `browser` drive Chromium from Debian's packages; Japanese pages need a font with their characters.
browser:
	@if command -v chromium >/dev/null && fc-list :lang=ja 2>/dev/null | grep -q .; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then sudo=; else sudo='sudo -n'; fi; \
	if command -v apt-get >/dev/null && $$sudo true 2>/dev/null \
		&& $$sudo apt-get update -qq \
		&& $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
			chromium fonts-noto-cjk >/dev/null; \
	then exit 0; fi; \
	echo "Chromium or a Japanese font is missing and cannot be installed here (that takes apt-get, and root or" \
		"sudo without a password): tests that drive a browser are skipped." >&2
