"""Which weights each feature needs, by the settings.

feature           one of each
faces_ezway       a detector, a recogniser
faces_applemango  YuNet, face_reidentification_retail_0095
faces_dlib        dlib's landmarks, dlib's network; wanted where it is named, or where there is nothing else
head_pose         both FSA-Nets
face_quality      LightQNet
liveness_*        the networks of the check, and what finds the face
id_cards          lines, Hangul, Latin letters (shared/weights/ocr.py)
hangul            Tesseract's Korean network
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from shared.contracts import Check
from shared.weights import ocr
from shared.weights.choice import (
    APPLEMANGO,
    AUTO,
    DETECTOR,
    DLIB,
    DLIB_FILES,
    EZWAY,
    OF_APPLEMANGO,
    RECOGNISER,
    candidates,
    engines,
    names_of_check,
)
from shared.weights.errors import UnknownWeightError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.settings import Settings
    from shared.weights.find import WeightStore

POSES = ("fsanet_1x1", "fsanet_var")
QUALITY = "lightqnet_dm100"


class Feature(StrEnum):
    """What can be on or off for want of weights."""

    EZWAY = "faces_ezway"
    APPLEMANGO = "faces_applemango"
    DLIB = "faces_dlib"
    HEAD_POSE = "head_pose"
    FACE_QUALITY = "face_quality"
    PHOTO = "liveness_photo"
    DEEPFAKE = "liveness_deepfake"
    MASK = "liveness_mask"
    ID_CARDS = "id_cards"
    HANGUL = "hangul"


_ENGINES = {Feature.EZWAY: EZWAY, Feature.APPLEMANGO: APPLEMANGO, Feature.DLIB: DLIB}
_CHECKS = {Feature.PHOTO: Check.PHOTO, Feature.DEEPFAKE: Check.DEEPFAKE, Feature.MASK: Check.MASK}


class Part(NamedTuple):
    """One of what a feature needs: the weights of any of `ways`, the best first, each of them complete.

    `setting` names the variable that chose the only way, where one did.
    """

    ways: tuple[tuple[str, ...], ...]
    setting: str = ""


class WrongSettingError(Exception):
    """A setting names a weight that there is not, or one of another kind."""

    def __init__(self, setting: str, because: str) -> None:
        super().__init__(because)
        self.setting = setting


def unwanted(store: WeightStore, feature: Feature, settings: Settings, *, gpu: bool) -> tuple[str, str] | None:
    """Return why the settings turn it off, and what turns it on."""
    engine = _ENGINES.get(feature)
    if engine is not None and engine not in engines(store, settings, gpu=gpu):
        wanted = ",".join([*settings.faces.engines, engine])
        return f"FIDOX_ENGINES does not name {engine}", f"FIDOX_ENGINES={wanted}"
    check = _CHECKS.get(feature)
    if check is not None and check not in settings.liveness.checks:
        wanted = ",".join([*settings.liveness.checks, check])
        return f"FIDOX_LIVENESS_CHECKS does not name {check}", f"FIDOX_LIVENESS_CHECKS={wanted}"
    return None


def parts_of(store: WeightStore, settings: Settings, feature: Feature, *, gpu: bool) -> list[Part]:
    """Return what a feature needs, whether it is here or not. Raises WrongSettingError."""
    match feature:
        case Feature.EZWAY:
            asked = settings.faces.recogniser
            recogniser = _chosen(store, RECOGNISER, asked, "FIDOX_RECOGNISER", gpu=gpu)
            parts = [_detector(store, settings, gpu=gpu), recogniser]
        case Feature.APPLEMANGO:
            parts = [Part(tuple((name,) for name in names)) for names in OF_APPLEMANGO.values()]
        case Feature.DLIB:
            parts = _each(DLIB_FILES)
        case Feature.HEAD_POSE:
            parts = _each(POSES)
        case Feature.FACE_QUALITY:
            parts = _each((QUALITY,))
        case Feature.ID_CARDS:
            setting = "" if settings.ocr.models == ocr.AUTO else "FIDOX_OCR_MODELS"
            if settings.ocr.models not in ocr.SETS:
                raise WrongSettingError(setting, f"there is no set {settings.ocr.models}; there are {listed(ocr.SETS)}")
            roles = ocr.SETS[settings.ocr.models]
            parts = [Part(tuple(ocr.files_of(store, name) for name in names), setting) for names in roles.values()]
        case Feature.HANGUL:
            parts = _each(weight.name for weight in store.manifest.of_role(ocr.HANGUL))
        case Feature.PHOTO | Feature.DEEPFAKE | Feature.MASK:
            parts = _check(store, settings, _CHECKS[feature])
            # Any engine's detector finds the face.
            loaded = engines(store, settings, gpu=gpu)
            ways = _detector(store, settings, gpu=gpu).ways if EZWAY in loaded else ()
            ways += tuple((name,) for name in OF_APPLEMANGO[DETECTOR]) if APPLEMANGO in loaded else ()
            ways += (DLIB_FILES,) if DLIB in loaded else ()
            parts += [Part(tuple(dict.fromkeys(ways)))] if ways else []
    return parts


def networks_asked(settings: Settings, check: Check) -> tuple[str, tuple[str, ...]]:
    """Return the setting that chooses a check's networks, and its value; the mask check has neither."""
    match check:
        case Check.PHOTO:
            return "FIDOX_PHOTO_NETWORKS", settings.liveness.photo_networks
        case Check.DEEPFAKE:
            return "FIDOX_DEEPFAKE_NETWORKS", settings.liveness.deepfake_networks
        case Check.MASK:
            return "", (AUTO,)


def listed(names: Iterable[str]) -> str:
    """Return names for a message."""
    return ", ".join(names)


def _each(names: Iterable[str]) -> list[Part]:
    return [Part(((name,),)) for name in names]


def _check(store: WeightStore, settings: Settings, check: Check) -> list[Part]:
    setting, asked = networks_asked(settings, check)
    try:
        names = names_of_check(store.manifest, check, asked)
    except UnknownWeightError as error:
        raise WrongSettingError(setting, str(error)) from None
    return [Part(((name,),), "" if AUTO in asked else setting) for name in names]


def _detector(store: WeightStore, settings: Settings, *, gpu: bool) -> Part:
    return _chosen(store, DETECTOR, settings.faces.detector, "FIDOX_DETECTOR", gpu=gpu)


def _chosen(store: WeightStore, role: str, asked: str, setting: str, *, gpu: bool) -> Part:
    names = candidates(role, asked, gpu=gpu)
    known = [weight.name for weight in store.manifest.of_role(role)]
    if unknown := set(names) - set(known):
        raise WrongSettingError(setting, f"{listed(unknown)} is not one of {listed(known)}")
    return Part(tuple((name,) for name in names), setting if names == (asked,) else "")
