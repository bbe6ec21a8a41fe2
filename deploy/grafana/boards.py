"""All boards there are, in the order of their links."""

from __future__ import annotations

from deploy.grafana.dialects import DIALECTS
from deploy.grafana.overview import OVERVIEW
from deploy.grafana.queues import QUEUES
from deploy.grafana.workers import WORKERS

BOARDS = (OVERVIEW, QUEUES, WORKERS, *DIALECTS)
