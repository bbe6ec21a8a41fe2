"""Grafana's dashboards, written as tables and built with Grafana's own library, so that they look and read alike.

    panels.py       what a panel, a row and a board are, and how they become Grafana's JSON
    overview.py, queues.py, workers.py, dialects.py    the tables; boards.py lists them
    dashboards/     the JSON, which Grafana reads; `make dashboards` writes it
    provisioning/   where Grafana finds Prometheus, and the dashboards

Each panel says in a sentence what it shows and what to make of it, and links the runbooks of its alerts. A test
executes every expression against a Prometheus that has scraped a running stack.
"""
