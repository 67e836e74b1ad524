# Everything starts from a bare Python 3.10 or later: the tools come into .tools and .venv of this folder, nowhere else.
PYTHON ?= python3
UV := .tools/bin/uv
BIN := .venv/bin
WORLD := .exactonline/world.db
SYSTEM := .meltano/.ready
REPORT := output/sandbox
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/.venv

.PHONY: help setup run page fresh test browser check docs sandbox kills storms spoiled worlds year interrupts bench clean

help: ## Say what each target does
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.ready $(SYSTEM) ## Set up the tools, at the versions of uv.lock

$(UV):
	@echo "Setting up uv in .tools"
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.10 or later is needed; this is " + sys.version.split()[0] + ". Say: make PYTHON=python3.11 ...") if sys.version_info < (3, 10) else None'
	@$(PYTHON) -m venv .tools
	@.tools/bin/python -m pip install --quiet 'uv>=0.9,<1'

.venv/.ready: $(UV) uv.lock pyproject.toml $(wildcard */pyproject.toml)
	@echo "Setting up the packages of uv.lock in .venv"
	@$(UV) sync --quiet --locked --all-packages --all-extras --compile-bytecode --python $(PYTHON)
	@touch $@

# Meltano makes it in its first run otherwise, and of two first runs at a time one fails.
$(SYSTEM): .venv/.ready
	@echo "Making Meltano's system database"
	@$(BIN)/meltano --log-level=warning upgrade database >/dev/null
	@touch $@

$(WORLD): | .venv/.ready
	@echo "Making the rehearsal world: $(WORLD)"
	@$(BIN)/exactonline-sandbox init --db $(WORLD)

run: .venv/.ready $(WORLD) ## Copy the customers of one company into the others, in the rehearsal world
	@$(BIN)/exactonline-sandbox forget --db $(WORLD)
	$(BIN)/meltano run tap-exactonline target-exactonline
	@echo
	@$(BIN)/python -m target_exactonline.summary $(REPORT)
	@echo
	@$(BIN)/exactonline-sandbox journal --db $(WORLD) --summary | $(BIN)/python -c 'import json, sys; print("Calls to Exact by tap and target:", json.load(sys.stdin)["total"])'

page: .venv/.ready $(WORLD) ## Serve the page at http://127.0.0.1:8066, over the rehearsal world
	@$(BIN)/python -m exactonline_console.rehearsal --db $(WORLD)

fresh: ## Forget the rehearsal world and all that was learned from it
	rm -rf .exactonline $(REPORT)
	@if [ -d .meltano ]; then for id in $$($(BIN)/meltano --log-level=error state list --pattern 'sandbox:*'); do \
		$(BIN)/meltano --log-level=warning state clear --force $$id; done; fi

test: .venv/.ready browser ## Run all tests; FACTS=FILE: against a sandbox that behaves as exactonline-probe found it
	$(if $(FACTS),EXACTONLINE_SANDBOX_FACTS=$(abspath $(FACTS))) $(BIN)/pytest -n $$($(BIN)/python -c 'import os; print(os.cpu_count() + 1)')  # some only wait

browser: ## Make sure that there is a browser for the tests of the page: Debian's Chromium, if there is none
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
		echo "Installing Chromium"; (apt-get update && apt-get install -y --no-install-recommends chromium) >/dev/null 2>&1 || \
		echo "*** NO BROWSER. Chromium could not be installed (as root: apt-get install chromium). THE PAGE IS NOT TESTED IN ONE. ***"

check: .venv/.ready ## Look for faults of style, types, structure and documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_structure.py
	$(BIN)/python docs/generate.py --check

docs: .venv/.ready ## Write the generated parts of the documentation anew
	$(BIN)/python docs/generate.py

sandbox: .venv/.ready ## Serve the rehearsal world at http://127.0.0.1:8065
	$(BIN)/exactonline-sandbox serve --port 8065 --db $(WORLD)

kills: .venv/.ready ## Kill the programs 200 times at random instants; each time the next run must mend it
	$(BIN)/python tests/kills/program.py --kills 200
	$(BIN)/python tests/kills/approvals.py --rounds 200

storms: .venv/.ready ## Let four processes fight for one token, and kill refreshes, on SQLite and PostgreSQL
	$(BIN)/python tests/storms/token_storm.py --seconds 120 --store sqlite
	$(BIN)/python tests/storms/token_storm.py --seconds 120 --store postgres
	$(BIN)/python tests/storms/refresh_kills.py --kills 100

spoiled: .venv/.ready ## Spoil every fifth answer in every way there is, 200 times; all ends right or is told
	$(BIN)/python tests/spoiled/program.py --rounds 200

worlds: .venv/.ready ## Live through 500 random worlds, held against a small model of what every company must hold
	$(BIN)/python tests/worlds/program.py --worlds 500 --runs 30

year: .venv/.ready ## Live through a year of four runs a day, with all that happens to companies in one
	$(BIN)/python tests/year/program.py

interrupts: .venv/.ready ## Kill the probe 50 times at random instants; each time it must clean up after itself
	$(BIN)/python tests/probe/interrupted.py --kills 50

bench: .venv/.ready ## Measure calls, seconds and memory
	$(BIN)/python benchmarks/accounts.py
	$(BIN)/python benchmarks/preview.py
	$(BIN)/python benchmarks/matching.py
	$(BIN)/python benchmarks/matching_runs.py
	$(BIN)/python benchmarks/references.py

clean: ## Remove all that was set up and all that was learned
	rm -rf .venv .tools .meltano .exactonline output
