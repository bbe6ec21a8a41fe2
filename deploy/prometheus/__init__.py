"""What Prometheus is told: where to scrape, what to compute and when to alert (see docs/runbooks.md)."""
