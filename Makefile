# Portée: the verbs. Each step leaves a stamp once it has succeeded, so that second runs are quick;
# an interrupted step leaves none and runs again.

PORT  ?= 8047
SERVE ?= 1
ARGS  ?=

PORTEE  := .venv/bin/portee
RUNTIME := .venv/.stamps/requirements.txt
DEV     := .venv/.stamps/requirements-dev.txt
BUILD   := .venv/.stamps/requirements-territory.txt
NODE    := node_modules/.stamp
ASSETS  := static_maps/vendor/.stamp
# requirements-dev.txt holds all of requirements.txt: tests need only the one.
ENV     := $(if $(filter test lint explore mutate lock,$(MAKECMDGOALS)),$(DEV),$(RUNTIME))
SEED    := $(or $(SEED),$(shell od -An -N4 -tu4 /dev/urandom | tr -d ' '))

export PYTHON

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint explore mutate lock clean

help: ## Say what can be done here
	@sed -n -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16
	@echo "  PORT=8047 (demo) · SERVE=0 (demo: do all but serve) · PYTHON=python3.12"
	@echo "  ARGS='-k name' (test, explore) · SEED=1 (explore) · ARGS='--sample 20 geo.hours.*' (mutate)"

demo: $(ENV) $(ASSETS) ## Set up, load the demonstration, serve it on http://127.0.0.1:8047
	@scripts/postgis.sh
	@$(PORTEE) demo --port $(PORT) $(if $(filter 0 no false,$(SERVE)),--no-serve,--serve)

test: $(ENV) $(BUILD) $(ASSETS) ## Lint, then run every test on a real PostGIS and a real Chromium
	@$(MAKE) --no-print-directory lint
	@scripts/postgis.sh
	@scripts/chromium.sh
	.venv/bin/python -m pytest --numprocesses auto --dist loadfile $(if $(ARGS),$(ARGS),--cov --cov-report=)
	$(if $(ARGS),,.venv/bin/coverage report --include='geo/*' --fail-under=90 --skip-covered --sort=cover)

lint: $(ENV) ## Check format, style, names and types
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/python scripts/check_house.py
	.venv/bin/mypy

explore: $(ENV) ## Search with property tests at random (SEED=… to repeat a search)
	@scripts/postgis.sh
	@echo "SEED=$(SEED)"
	.venv/bin/python -m pytest --numprocesses auto --dist loadfile --ignore tests/browser \
		--hypothesis-profile explore --hypothesis-seed $(SEED) $(ARGS)

mutate: $(ENV) $(ASSETS) ## Change the code in small ways, and count what the tests notice (up to an hour)
	@scripts/postgis.sh
	.venv/bin/python scripts/mutate.py $(ARGS)

lock: $(ENV) ## Write the lock files anew (UPGRADE=1: newest of everything)
	scripts/lock.sh

clean: ## Remove what set-up made here; never the database in .portee
	rm -rf .venv node_modules static_maps/vendor site .setup.lock *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage mutants

# Order-only: the same environment, one lock after the other.
$(BUILD): | $(ENV)

.venv/.stamps/%: % pyproject.toml
	@scripts/venv.sh $<

$(NODE): package.json package-lock.json
	@scripts/node.sh

$(ASSETS): $(NODE) static_maps/assets.py | $(ENV)
	@.venv/bin/python -m static_maps.assets >/dev/null
	@touch $@
