"""Measurements, not tests: `python -m tests.bench` or `make bench`."""
