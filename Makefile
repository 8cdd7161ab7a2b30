# `make run` and `make test` are all a newcomer needs; the others are for whoever works on Guichet.
.PHONY: run test setup services check lint messages bench load

PYTHON = .venv/bin/python

run: ## the product with a demo company, on http://127.0.0.1:8000
	@scripts/setup run
	@exec scripts/run

test: ## the suite, on SQLite
	@scripts/setup dev
	env -u DATABASE_URL -u REDIS_URL $(PYTHON) -m pytest -n auto --dist worksteal

setup: ## .venv with everything for development
	@scripts/setup dev

services: ## PostgreSQL, Redis, Dovecot and Chromium for the tests (Debian, Ubuntu)
	@scripts/services

check: ## what CI runs
	@scripts/setup dev
	@scripts/check

lint: ## the quick part of `check`
	@scripts/setup dev
	@scripts/lint

messages: ## collect the texts to translate into locale/
	@scripts/setup dev
	$(PYTHON) scripts/messages.py collect

bench: ## one JSON line a figure; ONLY=name for one of them
	@scripts/setup dev
	@scripts/bench $(ONLY)

load: ## the tests under load at their full size, with figures (PostgreSQL and Redis of `make services`)
	@scripts/setup dev
	@. ./var/services.env && export DATABASE_URL REDIS_URL && GUICHET_LOAD=full $(PYTHON) -m pytest tests/load tests/faults/test_chat.py
