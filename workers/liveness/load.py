"""From settings and weights to checks. What is missing disables one check, and says how to get it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from shared.contracts import Check
from shared.settings import SettingsError
from shared.weights import MissingWeightError, UnknownWeightError, WeightStore, names_of_check, of_check
from shared.weights.requirements import networks_asked
from workers.liveness.deepfake import deepfake_check
from workers.liveness.mask import MaskCheck
from workers.liveness.photo import photo_check

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.settings import Settings
    from workers.liveness.checks import LivenessCheck


def checks(settings: Settings) -> dict[str, Callable[[], LivenessCheck]]:
    """How to load each check of the settings. Raises SettingsError for an unknown check or network."""
    known = WeightStore(settings.weights).manifest
    for name in settings.liveness.checks:
        if name not in _CHECKS:
            raise SettingsError(f"FIDOX_LIVENESS_CHECKS: there is no check {name}; there are {', '.join(_CHECKS)}")
        setting, asked = networks_asked(settings, Check(name))
        try:
            names_of_check(known, Check(name), asked)
        except UnknownWeightError as error:
            raise SettingsError(f"{setting}: {error}") from None
    return {name: partial(_check, settings, Check(name)) for name in settings.liveness.checks}


def _check(settings: Settings, check: Check) -> LivenessCheck:
    store = WeightStore(settings.weights)
    _, asked = networks_asked(settings, check)
    found, missing = of_check(store, check, asked)
    if missing:
        raise MissingWeightError("; ".join(f"no {weight.name}: {store.way_to_get(weight)}" for weight in missing))
    return _CHECKS[check](settings.inference, *found)


_CHECKS: dict[Check, Callable[..., LivenessCheck]] = {
    Check.PHOTO: photo_check,
    Check.DEEPFAKE: deepfake_check,
    Check.MASK: MaskCheck,
}
