# Poolwise: set-up and the commands of every day. Needs Python 3.11 to 3.14 and PyPI; everything
# else comes into .venv, at the versions of uv.lock.

.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

STUDY ?= data/bounce_rates
UV_VERSION := 0.13.9
CMDSTAN_VERSION ?= 2.37.0

VENV := .venv
BIN := $(VENV)/bin
# Stamps say what is installed. `dev` holds all that `runtime` does, so neither undoes the other.
UV := $(VENV)/.have-uv-$(UV_VERSION)
RUNTIME := $(VENV)/.have-runtime
DEV := $(VENV)/.have-dev
BYTECODE := $(VENV)/.have-bytecode
# A process per core; neighbouring tests share what is costly to make, so each gets a stretch, and what is left is shared out.
IN_PARALLEL := --numprocesses auto --maxprocesses 4 --dist worksteal
OUR_CODE := $(shell find flows tasks -name '*.py')

# --inexact: uv itself and the dev group stay. Bytecode is compiled here because many machines
# forbid writing it at run time, and every start would compile all of Prefect again.
SYNC := UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --quiet \
	--locked --inexact --compile-bytecode --no-progress --python $(BIN)/python

.PHONY: help report test lint docs bench scale reading coverage weekly worlds sbc chaos image cmdstan extra clean

help: ## show this help
	@sed -n 's/^\([a-z]*\):.*## /\1 - /p' $(MAKEFILE_LIST) | awk -F' - ' '{printf "make %-9s %s\n", $$1, $$2}'

report: $(RUNTIME) $(BYTECODE) ## report on the bundled study, or on another: make report STUDY=FOLDER
	@$(BIN)/poolwise run $(STUDY)

test: lint ## lint, then run every test
	@$(BIN)/python -m pytest $(IN_PARALLEL)

lint: $(DEV) $(BYTECODE) ## style, types and the direction of imports
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: $(RUNTIME) ## write the tables of docs/study.md and the schemas of summary.json anew, from their models
	@$(BIN)/python -m tasks.study.reference docs/study.md
	@$(BIN)/python -m tasks.view.document > summary.schema.json
	@mv summary.schema.json tasks/view/summary.schema.json
	@$(BIN)/python -m tasks.view.document counted > summary.schema.json
	@mv summary.schema.json tasks/view/summary_counted.schema.json

bench: $(DEV) $(BYTECODE) ## speed against peers, the tests that measure time and memory, size and speed of reports
	@$(BIN)/python tests/bench.py
	@$(BIN)/python -m tests.scale.counted_against_glmm
	@$(BIN)/python -m pytest -m bench -s

scale: $(DEV) $(BYTECODE) ## speed and memory at 1,000,000 rows and beyond, against peers and targets (about 5 minutes)
	@$(BIN)/python -m tests.scale $(ARGS)

reading: $(DEV) $(BYTECODE) ## how much there is to read in a report: words, sections, screens, pages, beside their limits
	@$(BIN)/python -m tests.reading_budget $(ARGS)

worlds: $(DEV) $(BYTECODE) ## is the promise of the verdict kept? Simulated worlds of known truth (about 20 minutes)
	@$(BIN)/python -m tests.worlds $(ARGS)

coverage: $(DEV) $(BYTECODE) ## how often the usual and the Bayesian intervals cover the truth, by simulation
	@$(BIN)/python tests/interval_coverage.py

weekly: $(DEV) $(BYTECODE) ## how often the alarm that a group has moved rings in weekly reports, falsely and rightly
	@$(BIN)/python tests/weekly_reports.py

sbc: $(DEV) $(BYTECODE) ## do the Stan programs that answer sample what they declare? Simulation-based calibration (hours)
	@$(BIN)/python -m tests.sbc $(ARGS)

chaos: $(DEV) $(BYTECODE) ## drop 200 files while processes are killed, on one machine and on four; each is counted once
	@$(BIN)/python tests/chaos.py
	@$(BIN)/python -m tests.chaos_machines

image: $(DEV) $(BYTECODE) ## run every step of the Dockerfile in a clean root of Debian's, and a study in it (as root)
	@$(BIN)/python -m tests.image $(ARGS)

extra: $(RUNTIME) ## install what rows that are elsewhere need: make extra EXTRA=s3 (or gs, az, postgres, duckdb)
	@$(SYNC) --no-default-groups --extra $(EXTRA)

cmdstan: $(RUNTIME) ## install CmdStan, the reference Stan engine (needs a C++ compiler; takes minutes)
	@$(BIN)/python -m cmdstanpy.install_cmdstan --version $(CMDSTAN_VERSION) --cores 2

clean: ## remove .venv and every cache; reports stay
	rm -rf $(VENV) .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find flows tasks tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(UV):
	@sh .ci/make_venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@rm -f $(VENV)/.have-*
	@touch $@

$(RUNTIME): $(UV) pyproject.toml uv.lock
	@echo 'Installing into $(VENV) …'
	@$(SYNC) --no-default-groups
	@touch $@

$(DEV): $(UV) pyproject.toml uv.lock
	@echo 'Installing into $(VENV), with the tools for tests …'
	@$(SYNC)
	@touch $(RUNTIME) $@

$(BYTECODE): $(OUR_CODE) | $(UV)
	@$(BIN)/python -m compileall -q flows tasks
	@touch $@
