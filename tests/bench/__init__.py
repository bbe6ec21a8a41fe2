"""Benchmarks: `make bench` runs them against a real stack and writes docs/benchmarks.md. Timings are no tests."""

import os

from workers.runtime.supervisor import ONE_BLAS_THREAD

# As in a worker's process. Here, because numpy reads it when it is imported.
os.environ.update(ONE_BLAS_THREAD | os.environ)
