"""Model files: the manifest that names them, where they lie on this machine, and how they get there.

    store = WeightStore(settings.weights)
    store.locate("scrfd_500m").path         a file whose hash is right, or a WeightsError
    choose(store, DETECTOR, gpu=False)      the best detector that is on this machine, or None
    fetch(store, "w600k_r50", progress)     download to the cache

No model file is committed, and none is loaded whose hash is wrong. What is missing disables just the engine or check
that needs it.
"""

from shared.weights.choice import (
    APPLEMANGO,
    DETECTOR,
    DLIB,
    DLIB_FILES,
    EZWAY,
    OF_APPLEMANGO,
    RECOGNISER,
    candidates,
    choose,
    engines,
    first,
    names_of_check,
    of_check,
    require,
)
from shared.weights.errors import (
    BundleError,
    FetchError,
    LicenceError,
    MissingWeightError,
    OfflineError,
    UnknownWeightError,
    WeightsError,
    WrongHashError,
)
from shared.weights.fetch import fetch
from shared.weights.find import Located, Place, WeightStore
from shared.weights.manifest import Manifest, Source, Weight
from shared.weights.probe import Probe, known_input
from shared.weights.transfer import Network

__all__ = [
    "APPLEMANGO",
    "DETECTOR",
    "DLIB",
    "DLIB_FILES",
    "EZWAY",
    "OF_APPLEMANGO",
    "RECOGNISER",
    "BundleError",
    "FetchError",
    "LicenceError",
    "Located",
    "Manifest",
    "MissingWeightError",
    "Network",
    "OfflineError",
    "Place",
    "Probe",
    "Source",
    "UnknownWeightError",
    "Weight",
    "WeightStore",
    "WeightsError",
    "WrongHashError",
    "candidates",
    "choose",
    "engines",
    "fetch",
    "first",
    "known_input",
    "names_of_check",
    "of_check",
    "require",
]
