# Two commands for a fresh machine: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check explore bench snapshots clean

demo: $(VENV)/ready
	@$(BIN)/tls-wizard --demo

# Three at a time on two cores: many tests wait for a terminal.
test: $(VENV)/ready-to-test check
	$(BIN)/pytest -n 3

check: $(VENV)/ready-to-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

explore: $(VENV)/ready-to-test
	$(BIN)/pytest -n 2 -m hypothesis --hypothesis-profile others

bench: $(VENV)/ready-to-test
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.bench_wire
	$(BIN)/python -m tests.bench.bench_certificates
	$(BIN)/python -m tests.bench.bench_nano
	$(BIN)/python -m tests.bench.bench_nginx

snapshots: $(VENV)/ready-to-test
	$(BIN)/pytest tests/screens --snapshot-update

$(VENV)/ready: pyproject.toml .ci/prepare
	PYTHON=$(PYTHON) .ci/prepare run
	touch $@

$(VENV)/ready-to-test: pyproject.toml .ci/prepare $(VENV)/ready
	PYTHON=$(PYTHON) .ci/prepare test
	touch $@

clean:
	rm -rf $(VENV)
