"""Prometheus metrics, on a port of their own and never on the public one.

    measures.py   every metric that a working process counts, in one place
    places.py     where the processes of one service keep their numbers, and the sum that is scraped
    queues.py     the queues' figures, asked of Redis at each scrape
    sampled.py    what nobody counts and somebody has to look at: pools, rows that wait, memory
    server.py     the port, in the process that watches over the others

    gateway or worker process ─┐
    gateway or worker process ─┼─> files in a folder ─> the parent's port ─> Prometheus
    Redis, GPUs, the parent ───┴───────────────────────────┘

Names, labels and their meaning are in docs/metrics.md, which a test compares with what is scraped.
"""
