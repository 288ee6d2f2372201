# A fresh machine needs Python 3.11 or newer with pip, and make; the first target that is run sets up the rest.

# The first of these that is new enough; PYTHON=... and VENV=... choose another.
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,$(shell $(p) $(NEW_ENOUGH) 2>/dev/null && echo $(p))))
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# One more than there are processors: many tests wait, for servers to start and for what is slow on purpose.
WORKERS ?= $(shell "$(PYTHON)" -c "import os; print(min(8, (os.cpu_count() or 1) + 1))")

# Room for more arguments: make test ARGS="-k clock", make serve ARGS="--pack documented".
ARGS ?=

.NOTPARALLEL:
.DEFAULT_GOAL := check

.PHONY: help
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(READY): pyproject.toml constraints.txt tools/setup_env.py
	@"$(PYTHON)" $(NEW_ENOUGH) 2>/dev/null || { echo "couponproof needs Python 3.11 or newer: make PYTHON=/path/to/python3" >&2; exit 2; }
	@"$(PYTHON)" tools/setup_env.py $(VENV)
	@touch $@

.PHONY: setup
setup: $(READY)  ## create .venv with the project, its extras and the tools (every target does this when needed)

.PHONY: check
check: lint types imports specs test build  ## everything CI runs, cheapest first (the default)

.PHONY: lint
lint: $(READY)  ## ruff, its formatter, codespell and yamllint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/yamllint --strict .

.PHONY: types
types: $(READY)  ## mypy, strict
	$(BIN)/mypy

.PHONY: imports
imports: $(READY)  ## the import rule of ARCHITECTURE.md
	$(BIN)/lint-imports --no-logo

.PHONY: specs
specs: $(READY)  ## documents, sources and seeded worlds are valid, by our own eyes and by an independent validator's
	$(BIN)/python -m couponspec
	$(BIN)/openapi-spec-validator specs/*/openapi.yaml mockserver/couponmock/admin/openapi.yaml

.PHONY: test
test: $(READY)  ## the tests, in parallel; ARGS="..." goes to pytest
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadgroup $(ARGS)

.PHONY: test-whole
test-whole: export COUPONPROOF_WHOLE := 1
test-whole: test  ## the tests, also those of which each run of CI only does a fair sample

.PHONY: build
build: $(READY)  ## sdist and wheel, tried from a fresh environment outside the checkout
	$(BIN)/python tools/check_build.py

.PHONY: demo
demo: $(READY)  ## start the mock, run the suite of all vendors against it, write report/, stop the mock
	@$(BIN)/python tools/demo.py

.PHONY: serve
serve: $(READY)  ## run the mock until Ctrl-C; ARGS="..." goes to couponmock serve
	$(BIN)/couponmock serve $(ARGS)

.PHONY: conformance
conformance: $(READY)  ## run the suite against your server: TARGET=http://...; ARGS="..." goes to couponcheck run
	@test -n "$(TARGET)" || { echo "make conformance TARGET=http://127.0.0.1:8642" >&2; exit 2; }
	$(BIN)/couponcheck run $(TARGET) $(ARGS)

.PHONY: matrix
matrix: $(READY)  ## measure the suite: which deliberate defects of the mock it catches; ARGS="..." goes to couponcheck matrix
	$(BIN)/couponcheck matrix --survivors tests/couponcheck/survivors.yaml --fail-under 97 $(ARGS)

.PHONY: new-vendor
new-vendor: $(READY)  ## write the skeleton of another vendor: NAME=slug
	@test -n "$(NAME)" || { echo "make new-vendor NAME=slug" >&2; exit 2; }
	$(BIN)/python -m couponspec.scaffold $(NAME)

.PHONY: format
format: $(READY)  ## let ruff format and repair what it can
	$(BIN)/ruff check --fix-only --exit-zero .
	$(BIN)/ruff format .

.PHONY: freeze
freeze: $(READY)  ## write constraints.txt anew from the newest versions pyproject.toml allows
	$(BIN)/python tools/freeze.py

.PHONY: clean
clean:  ## remove everything these targets made
	rm -rf $(VENV) dist report .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
