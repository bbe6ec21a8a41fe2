"""Where a model file lies on this machine: the first place that has it, and has the right one.

    0  own       beside the manifest that names it, for a weight of FIDOX_WEIGHTS_MANIFEST
    1  folder    FIDOX_WEIGHTS_DIR
    2  cache     FIDOX_CACHE_DIR, where `fetch` puts what it downloads
    3  beside    ../shared/models beside the checkout, where there is one: by its path here, or, in its folder
                 `originals`, by the name that upstream gave it
    4  package   a Python package that carries the file
    5  system    where a package of the operating system puts it
    -  missing   `fetch` downloads it to the cache

A file with a wrong hash is refused and never returned; the places behind it are still tried. Where a weight is made of
several files, all of them lie in one place. With FIDOX_WEIGHTS_LICENCE=commercial a weight whose licence does not allow
that is located nowhere, as if it were not there.
"""

from __future__ import annotations

import importlib.util
import logging
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from shared.weights import manifest
from shared.weights.addresses import Address
from shared.weights.errors import LicenceError, MissingWeightError, UnreadableWeightError, WrongHashError
from shared.weights.hashes import Hashes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.settings import Weights as WeightsSettings
    from shared.weights.manifest import Manifest, Source, Weight

log = logging.getLogger(__name__)

MIRROR = Path(__file__).parents[2].parent / "shared" / "models"
ORIGINALS = "originals"
COMMERCIAL = "commercial"


# TensorFlow's and OpenVINO's own; ONNX Runtime reads ONNX alone.
_OPENVINO_ALONE = (".tflite", ".pb", ".xml")
NEEDS_OPENVINO = (
    "OpenVINO, which alone reads its file, is not installed; there are packages of it for Linux (x86-64, AArch64) and"
    " macOS (arm64)"
)


class Place(StrEnum):
    """A step of the look-up order."""

    OWN = "own"
    FOLDER = "folder"
    CACHE = "cache"
    BESIDE = "beside"
    PACKAGE = "package"
    SYSTEM = "system"


def is_readable(weight: Weight) -> bool:
    """Is there a runtime for its container on this machine?"""
    return not weight.file.endswith(_OPENVINO_ALONE) or importlib.util.find_spec("openvino") is not None


class Located(NamedTuple):
    """A weight that was found, and whose hashes are right; `path` is the file that is loaded."""

    weight: Weight
    path: Path
    place: Place
    companions: tuple[Path, ...] = ()


class WeightStore:
    """The look-up order over one configuration. Cheap to build; what it remembers lies in the cache folder.

    Raises SettingsError for an operator's manifest that cannot be used.
    """

    def __init__(
        self, settings: WeightsSettings, *, known: Manifest | None = None, mirror: Path | None = MIRROR
    ) -> None:
        self.manifest = known or manifest.with_own(settings.manifest)
        self.settings = settings
        self._own = Path(settings.manifest).expanduser().parent if settings.manifest else None
        self.cache = Path(settings.cache).expanduser()
        self._folder = Path(settings.folder).expanduser() if settings.folder else None
        self._mirror = mirror
        self._hashes = Hashes(self.cache / "verified.json")
        self._warned: set[str] = set()

    def allows(self, weight: Weight) -> bool:
        """Does FIDOX_WEIGHTS_LICENCE allow to load it?"""
        return weight.commercial_use or self.settings.licence != COMMERCIAL

    def require_licence(self, weight: Weight) -> None:
        """Raises LicenceError where `allows` says no."""
        if not self.allows(weight):
            raise LicenceError(
                f"{weight.name}: its licence ({weight.licence}) does not allow commercial use, and"
                f" FIDOX_WEIGHTS_LICENCE={COMMERCIAL} is set; name another weight, or set FIDOX_WEIGHTS_LICENCE=any"
                " where that licence is kept or bought"
            )

    def locate(self, name: str, *, fresh: bool = False) -> Located:
        """Return where `name` lies; `fresh` reads the whole file again instead of believing a remembered hash.

        Raises UnknownWeightError, LicenceError, UnreadableWeightError, MissingWeightError, or WrongHashError where all
        there is are wrong files.
        """
        weight = self.manifest.named(name)
        self.require_licence(weight)
        if not is_readable(weight):
            raise UnreadableWeightError(f"{name}: {NEEDS_OPENVINO}")
        refused: list[tuple[Source, Path]] = []
        for place, paths in self._candidates(weight):
            wrong = self._wrong(weight, paths, fresh=fresh)
            if not wrong:
                return Located(weight, paths[0], place, paths[1:])
            # There the name is a guess: a file of another origin has every right to lie there.
            if paths[0].parent.name != ORIGINALS:
                refused += wrong
        if refused:
            places = ", ".join(f"{path} ({source.digest.algorithm})" for source, path in refused)
            raise WrongHashError(f"{name}: refused, the hash is not the manifest's: {places}; {self._instead(weight)}")
        raise MissingWeightError(f"{name} is not on this machine; {self.way_to_get(weight)}")

    def find(self, name: str) -> Located | None:
        """Return what `locate` does; None where no right file is present, or the licence forbids it.

        A wrong file is ignored, and logged once by each store.
        """
        try:
            return self.locate(name)
        except (MissingWeightError, LicenceError, UnreadableWeightError):
            return None
        except WrongHashError as error:
            if str(error) not in self._warned:
                self._warned.add(str(error))
                log.warning("%s", error)
            return None

    def way_to_get(self, weight: Weight) -> str:
        """Return what an operator does about a missing weight: a clause that begins with a verb."""
        if not self.allows(weight):
            return "set FIDOX_WEIGHTS_LICENCE=any where its licence is kept or bought"
        by_hand = self.by_hand(weight)
        if weight.package is not None:
            return f"install the Python package {weight.package.partition(':')[0]}, or {by_hand}"
        if weight.system is not None:
            by_hand = f"install the system's package {weight.system.partition(':')[0]}, or {by_hand}"
        return f"run `fidox weights fetch {weight.name}`, or {by_hand}" if weight.is_published else by_hand

    def by_hand(self, weight: Weight) -> str:
        """Return how to put its files where they are found: a clause that begins with a verb."""
        files = " and ".join(
            f"{source.file} ({source.digest.algorithm} {source.digest.short})" for source in weight.sources
        )
        own = self._own if weight not in manifest.SHIPPED.weight else None
        return f"put {files} into {own or self._folder or self.cache}"

    def _instead(self, weight: Weight) -> str:
        get = f"run `fidox weights fetch {weight.name}`" if weight.is_published else "put the right one there"
        return f"remove it and {get}"

    def _candidates(self, weight: Weight) -> Iterator[tuple[Place, tuple[Path, ...]]]:
        """Where all of its files are, whatever their hashes."""
        own = self._own if weight not in manifest.SHIPPED.weight else None
        if own is not None and (paths := _all_there(own / source.file for source in weight.sources)):
            yield Place.OWN, paths
        for place, folder in ((Place.FOLDER, self._folder), (Place.CACHE, self.cache), (Place.BESIDE, self._mirror)):
            if folder is not None and (paths := _all_there(folder / source.file for source in weight.sources)):
                yield place, paths
        if self._mirror is not None and (paths := _originals(self._mirror / ORIGINALS, weight)):
            yield Place.BESIDE, paths
        if weight.package is not None and (path := in_package(weight.package)) is not None:
            yield Place.PACKAGE, (path,)
        if weight.system is not None and (path := Path(weight.system.partition(":")[2])).is_file():
            yield Place.SYSTEM, (path,)

    def _wrong(self, weight: Weight, paths: tuple[Path, ...], *, fresh: bool) -> list[tuple[Source, Path]]:
        pairs = zip(weight.sources, paths, strict=True)
        return [(source, path) for source, path in pairs if not self.is_right(source, path, fresh=fresh)]

    def is_right(self, source: Source, path: Path, *, fresh: bool = False) -> bool:
        """Is the file at `path` the one that the manifest names? False where it cannot be read."""
        try:
            # A different size is a different file: no need to read it.
            if source.bytes is not None and path.stat().st_size != source.bytes:
                return False
            return self._hashes.of(path, source.digest.algorithm, fresh=fresh) == source.digest.value
        except OSError as error:
            log.warning("%s cannot be read: %s", path, error.strerror)
            return False


def _all_there(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the paths if each is a file, else nothing."""
    found = tuple(paths)
    return found if all(path.is_file() for path in found) else ()


def _originals(folder: Path, weight: Weight) -> tuple[Path, ...]:
    """Return its files by the names that they have upstream."""
    found: list[Path] = []
    for source in weight.sources:
        names = dict.fromkeys([PurePosixPath(source.file).name, *(Address.parse(url).name for url in source.urls)])
        found += [path for name in names if (path := folder / name).is_file()][:1]
    return tuple(found) if len(found) == len(weight.sources) else ()


def in_package(spec: str) -> Path | None:
    """The file of "name:path", without importing the package: some of those that only carry data break on import."""
    name, _, path = spec.partition(":")
    found = importlib.util.find_spec(name)
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (file := Path(folder) / path).is_file():
            return file
    return None
