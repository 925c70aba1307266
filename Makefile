# Every target works from a fresh clone: it makes .venv first (see startup/environment.sh).

.DEFAULT_GOAL := help
.PHONY: help run demo tui test test-system test-properties check bench test-clients soak chaos constraints clean environment
ARGS ?=

BIN := .venv/bin
SOURCES := addons llmproxy_core startup tests benchmarks migrations certs docs \
	Makefile README.md CHANGELOG.md CONTRIBUTING.md mitm.toml pyproject.toml constraints.txt .ci

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-16s %s\n", $$1, $$2}' Makefile

environment:
	@sh startup/environment.sh || [ $$? -eq 10 ]

run: ## set up what is missing, say what to do next, then run: mitmdump -s addons/
	@sh startup/environment.sh || { [ $$? -eq 10 ] && sh startup/prepare.sh; }
	@sh startup/next.sh
	@exec $(BIN)/mitmdump -s addons/

demo: environment ## see the TUI alive with simulated traffic: no API key, nothing leaves the machine
	@exec $(BIN)/llmproxy demo

tui: environment ## open the TUI
	@exec $(BIN)/llmproxy tui

test: environment ## the whole suite, with coverage; ARGS="-k name" for a part of it
	$(BIN)/pytest --numprocesses 3 --dist loadfile --cov --cov-report=term $(ARGS)

test-system: environment ## proxies, workers, databases as processes, started and killed; PostgreSQL 15
	$(BIN)/pytest -m "system and not chaos and not soak" --numprocesses 3 --dist loadfile $(ARGS)

test-properties: environment ## property tests with other examples than last time; ARGS="-k name"
	$(BIN)/pytest -m "hypothesis and not soak and not chaos" --hypothesis-profile=default $(ARGS)

check: environment ## formatting, lint, types, layers, leftovers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@sh startup/leftovers.sh $(SOURCES)

bench: environment ## CPU and memory of the proxy, speed of the worker, latency to the screen
	$(BIN)/python -m benchmarks.proxy
	$(BIN)/python -m benchmarks.spool
	$(BIN)/python -m benchmarks.rules
	$(BIN)/python -m benchmarks.codings
	$(BIN)/python -m benchmarks.prefixes
	$(BIN)/python -m benchmarks.placeholders
	$(BIN)/python -m benchmarks.limits
	$(BIN)/python -m benchmarks.inline
	$(BIN)/python -m benchmarks.masking
	$(BIN)/python -m benchmarks.transformations
	$(BIN)/python -m benchmarks.enhance
	$(BIN)/python -m benchmarks.worker
	$(BIN)/python -m benchmarks.tui_latency
	$(BIN)/python -m benchmarks.watchers
	$(BIN)/python -m benchmarks.store
	$(BIN)/python -m benchmarks.learning_reads
	$(BIN)/python -m benchmarks.screen

test-clients: environment ## real command-line agents from npm through the proxy (needs Node)
	$(BIN)/pytest -m clients -v $(ARGS)

chaos: environment ## a thousand kills of every part, a day without the database (about half an hour)
	$(BIN)/pytest -m chaos -s tests/chaos $(ARGS)

soak: environment ## minutes of load while processes are killed
	$(BIN)/pytest -m soak -s $(ARGS)

constraints: environment ## pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile --quiet pyproject.toml --group dev --universal --python-version 3.12 \
		--upgrade --no-header --no-annotate --no-emit-index-url --output-file constraints.new
	sed -e "s/ ; python_full_version < '3.15'$$//" -e "s/python_full_version < '3.15' and //" \
		constraints.new > constraints.txt
	rm constraints.new

clean: ## remove what make made here; the data in the home folder stays
	rm -rf .venv .uv .clients build dist .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache .hypothesis snapshot_report.html
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
