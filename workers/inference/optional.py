"""Networks that help and no more: without their weights, or where they fail, the work goes on without them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from shared.weights import MissingWeightError, WeightsError
from workers.inference.sessions import open_network

if TYPE_CHECKING:
    from shared.settings import Inference
    from shared.weights import WeightStore
    from workers.inference.network import Network

log = logging.getLogger(__name__)


def open_optional(store: WeightStore, name: str, settings: Inference) -> Network | None:
    """Load the network `name` in f32, or return None with a line in the log where it is missing or cannot be loaded."""
    try:
        return open_network(store.locate(name), settings, exact=True)
    except MissingWeightError as error:
        log.info("pictures are judged without %s: %s", name, error)
    except WeightsError as error:
        log.warning("pictures are judged without %s: %s", name, error)
    except Exception as error:  # noqa: BLE001 — a file that the runtime cannot load, in whatever way it says so
        log.warning("pictures are judged without %s: %s: %s", name, type(error).__name__, error)
    return None
