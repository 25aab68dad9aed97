# Everything a developer does. Needs make and Python 3.11 or newer; the rest is set up in .venv.
#   make PYTHON=python3.12 test     uses another Python
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# newer than pyproject.toml = set up
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo player test unit lint fmt lock docs docs-serve dist soak bench clean distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## make the virtual environment, if it is not up to date

demo: $(READY) ## emulator, broker and daemon, real players' traffic, and a comparison; a minute
	@$(BIN)/python -m demo

player: $(READY) ## a SCORM course in your browser, and what the platform shows of it; needs Node
	@$(BIN)/python -m demo.player

test: $(READY) ## lint, types, import rules, and every test
	@sh .ci/steps $(BIN)

unit: $(READY) ## the tests that need no server: seconds
	@$(BIN)/pytest tests/unit

lint: $(READY) ## lint, types and import rules, without tests
	@sh .ci/steps $(BIN) lint

fmt: $(READY) ## format, and mend what the linter can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock"
lock: ## pin what the image installs, by version and hash; needs uv
	@$(LOCK) $(UPGRADE) pyproject.toml -o deploy/image/requirements.lock
	@$(LOCK) $(UPGRADE) pyproject.toml --extra emulator -o 'deploy/image/requirements[emulator].lock'
	@$(LOCK) $(UPGRADE) deploy/image/build.in -o deploy/image/build.lock

docs: $(READY) ## build the documentation's site into dist/site; links and spelling are checked
	@sh .ci/steps $(BIN) docs

docs-serve: $(READY) ## show the documentation's site while you write
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve -f deploy/site/mkdocs.yml

dist: $(READY) ## the wheel and the source distribution, checked and tried in a new environment
	@sh .ci/dist $(BIN)

soak: $(READY) ## ten minutes of every fault that a platform can have, in real time
	@$(BIN)/python -m tests.soak

bench: $(READY) ## measure the hot paths
	@$(BIN)/python -m bench

clean: ## remove caches and builds
	rm -rf dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests demo bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

distclean: clean ## remove the virtual environment too
	rm -rf $(VENV)

$(READY): pyproject.toml
	@sh .ci/setup "$(PYTHON)" "$(VENV)"
	@touch $@
