"""Benchmarks: `make bench` runs them against a real stack and writes docs/benchmarks.md. Timings are no tests."""
