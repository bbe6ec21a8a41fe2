"""Which of the weights of one role to take: the best that the machine runs without a caller noticing.

    machine                  detector       why (docs/accuracy.md has the tables)
    GPU                      SCRFD 10g      it runs the larger ones in a batch
    CPU with AMX             SCRFD 2.5g     in bf16 12 ms, where 500m took 16 in f32; it finds twice as many faces of 16
                                            pixels in 640
    other CPUs               SCRFD 500m     2.5g takes 16 ms in AVX512's bf16 and 43 in f32, 500m 6 and 12; from 64
                                            pixels on the two find the same

The recogniser of a CPU is MobileFaceNet: with R50 in bf16 a compare takes 1.55 times what it took on ONNX Runtime with
MobileFaceNet, and a process 230 MB more; on a CPU with AMX it has not been measured. A GPU takes R50.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared import cpu
from shared.contracts import Check
from shared.weights.errors import MissingWeightError, UnknownWeightError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.settings import Settings
    from shared.weights.find import Located, WeightStore
    from shared.weights.manifest import Manifest, Weight

DETECTOR = "face.detector"
RECOGNISER = "face.recogniser"

AUTO = "auto"

# The engines of faces: each a detector and a recogniser, or what a package brings.
EZWAY, APPLEMANGO, DLIB = "ezway", "applemango", "dlib"

# Behind those of InsightFace come those that may be used commercially: under FIDOX_WEIGHTS_LICENCE=commercial they are
# all there is, and beside the others they are no worse than nothing.
_FREE_DETECTORS = ("yunet_2023mar",)
_FREE_RECOGNISERS = (
    "arcface_lresnet100e_ir",
    "face_reidentification_retail_0095",
    "face_reidentification_retail_0095_onnx",
)
# Taken where they are, and fetched by name or with everything else: a start does not download 261 MB unasked.
ON_REQUEST = frozenset({"arcface_lresnet100e_ir"})
# Engine `applemango` is the same on every machine: small, and free for commercial use. Its networks are those that
# `ezway` has under FIDOX_WEIGHTS_LICENCE=commercial, too, in another process.
OF_APPLEMANGO = {
    DETECTOR: _FREE_DETECTORS,
    RECOGNISER: ("face_reidentification_retail_0095", "face_reidentification_retail_0095_onnx"),
}
DLIB_FILES = ("dlib_5_landmarks", "dlib_resnet_v1")
_WITH_AMX = ("scrfd_2.5g", "scrfd_500m", "scrfd_10g", *_FREE_DETECTORS)
_ON_CPU = {
    DETECTOR: ("scrfd_500m", "scrfd_2.5g", "scrfd_10g", *_FREE_DETECTORS),
    RECOGNISER: ("w600k_mbf", "w600k_mbf_dequantised", "w600k_r50", *_FREE_RECOGNISERS),
}
_ON_GPU = {
    DETECTOR: ("scrfd_10g", "scrfd_2.5g", "scrfd_500m", *_FREE_DETECTORS),
    RECOGNISER: ("w600k_r50", "w600k_mbf", "w600k_mbf_dequantised", *_FREE_RECOGNISERS),
}

# What each liveness check is made of by itself, in the order in which it takes them.
CHECK_WEIGHTS = {
    Check.PHOTO: ("minifasnet_v2_2.7", "minifasnet_v1se_4.0"),
    Check.DEEPFAKE: ("meso4_df", "mesoinception_df"),
    Check.MASK: ("face_mask_aizoo_260",),
}
# What may be named in its place.
CHECK_ROLES = {Check.PHOTO: "liveness.photo", Check.DEEPFAKE: "liveness.deepfake"}


def engines(store: WeightStore, settings: Settings, *, gpu: bool) -> tuple[str, ...]:
    """Return the names of the engines to load, in their order: those of the settings and, where it is needed, `dlib`.

    dlib comes with the Python packages, and tells people apart too badly to stand in for an engine that is merely
    broken (docs/accuracy.md). So it is added to `applemango` only on a machine that has the weights of neither engine:
    faces are found, counted and masked then, and hardly anybody is recognised. Weights that arrive later are loaded
    without it being taken away; the next start leaves it out.
    """
    wanted = settings.faces.engines
    if APPLEMANGO not in wanted or DLIB in wanted:
        return wanted
    return wanted if any(_is_here(store, settings, name, gpu=gpu) for name in wanted) else (*wanted, DLIB)


def _is_here(store: WeightStore, settings: Settings, engine: str, *, gpu: bool) -> bool:
    faces = settings.faces
    names = {
        EZWAY: (candidates(DETECTOR, faces.detector, gpu=gpu), candidates(RECOGNISER, faces.recogniser, gpu=gpu)),
        APPLEMANGO: tuple(OF_APPLEMANGO.values()),
    }
    # What is not in the manifest is reported where the engine is loaded.
    known = {weight.name for weight in store.manifest.weight}
    return all(any(name in known and store.find(name) for name in each) for each in names.get(engine, ((),)))


def names_of_check(known: Manifest, check: Check, asked: Sequence[str] = (AUTO,)) -> tuple[str, ...]:
    """Return the weights that a check is made of: `asked` by name, or with `auto` its own.

    Raises UnknownWeightError for one that cannot be part of it, with the names of those that can.
    """
    if list(asked) == [AUTO]:
        return CHECK_WEIGHTS[check]
    able = [weight.name for weight in known.of_role(CHECK_ROLES.get(check, ""))]
    if unknown := [name for name in asked if name not in able]:
        raise UnknownWeightError(f"{', '.join(unknown)} is not one of {', '.join(able)}, nor {AUTO} alone")
    if not asked:
        raise UnknownWeightError(f"no network is named; expected some of {', '.join(able)}, or {AUTO}")
    return tuple(dict.fromkeys(asked))


def of_check(store: WeightStore, check: Check, asked: Sequence[str] = (AUTO,)) -> tuple[list[Located], list[Weight]]:
    """Return the weights of a check that are on this machine, in its order, and those that are missing.

    Raises UnknownWeightError as `names_of_check` does.
    """
    weights = [store.manifest.named(name) for name in names_of_check(store.manifest, check, asked)]
    found = [located for weight in weights if (located := store.find(weight.name)) is not None]
    there = {located.weight.name for located in found}
    return found, [weight for weight in weights if weight.name not in there]


def candidates(role: str, asked: str = AUTO, *, gpu: bool) -> tuple[str, ...]:
    """Names of weights for `role`, the best first. One that is asked for by name has no substitute."""
    if asked != AUTO:
        return (asked,)
    if role == DETECTOR and not gpu and cpu.has_amx():
        return _WITH_AMX
    return (_ON_GPU if gpu else _ON_CPU)[role]


def choose(store: WeightStore, role: str, asked: str = AUTO, *, gpu: bool) -> Located | None:
    """The best of those that are on this machine. None where there is none. Raises UnknownWeightError."""
    for name in candidates(role, asked, gpu=gpu):
        if (located := store.find(name)) is not None:
            return located
    return None


def require(store: WeightStore, role: str, asked: str = AUTO, *, gpu: bool) -> Located:
    """As `choose`, but where nothing can be loaded it raises the WeightsError that says why and what to do."""
    names = candidates(role, asked, gpu=gpu)
    if asked != AUTO:
        return store.locate(asked)  # raises: refused for its licence or its hash, or missing
    return first(store, role, names)


def first(store: WeightStore, role: str, names: tuple[str, ...]) -> Located:
    """Return the first of these weights that is on this machine. Raises MissingWeightError."""
    for name in names:
        if (located := store.find(name)) is not None:
            return located
    weights = [store.manifest.named(name) for name in names]
    allowed = [weight for weight in weights if store.allows(weight)]
    best = next((weight for weight in allowed if weight.is_published), allowed[0] if allowed else weights[0])
    raise MissingWeightError(f"no weights for {role} are on this machine; {store.way_to_get(best)}")
