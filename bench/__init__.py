"""Measurements: `make bench [ONLY=name]` prints one JSON line a figure. Never part of a test: machines differ."""
