"""From settings and weights to checks. What is missing disables one check, and says how to get it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from shared.contracts import Check
from shared.settings import SettingsError
from shared.weights import MissingWeightError, WeightStore, of_check
from workers.liveness.deepfake import DeepfakeCheck
from workers.liveness.mask import MaskCheck
from workers.liveness.photo import PhotoCheck

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.settings import Settings
    from workers.liveness.checks import LivenessCheck


def checks(settings: Settings) -> dict[str, Callable[[], LivenessCheck]]:
    """How to load each check of the settings. Raises SettingsError for a name that is none."""
    for name in settings.liveness.checks:
        if name not in _CHECKS:
            raise SettingsError(f"FIDOX_LIVENESS_CHECKS: there is no check {name}; there are {', '.join(_CHECKS)}")
    return {name: partial(_check, settings, Check(name)) for name in settings.liveness.checks}


def _check(settings: Settings, check: Check) -> LivenessCheck:
    store = WeightStore(settings.weights)
    found, missing = of_check(store, check)
    if missing:
        raise MissingWeightError("; ".join(f"no {weight.name}: {store.way_to_get(weight)}" for weight in missing))
    return _CHECKS[check](settings.inference, *found)


_CHECKS: dict[Check, Callable[..., LivenessCheck]] = {
    Check.PHOTO: PhotoCheck,
    Check.DEEPFAKE: DeepfakeCheck,
    Check.MASK: MaskCheck,
}
