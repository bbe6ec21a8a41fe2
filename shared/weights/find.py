"""Where a model file lies on this machine: the first place that has it, and has the right one.

    1  folder    FIDOX_WEIGHTS_DIR
    2  cache     FIDOX_CACHE_DIR, where `fetch` puts what it downloads
    3  mirror    ../shared/models beside the checkout, where there is one
    4  package   a Python package that carries the file
    5  system    where a package of the operating system puts it
    -  none      `fetch` downloads it to the cache

A file with a wrong hash is refused and never returned; the places behind it are still tried.
"""

from __future__ import annotations

import importlib.util
import logging
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from shared.weights import manifest
from shared.weights.errors import MissingWeightError, WrongHashError
from shared.weights.hashes import Hashes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.settings import Weights as WeightsSettings
    from shared.weights.manifest import Manifest, Weight

log = logging.getLogger(__name__)

MIRROR = Path(__file__).parents[2].parent / "shared" / "models"


class Place(StrEnum):
    """A step of the look-up order."""

    FOLDER = "folder"
    CACHE = "cache"
    MIRROR = "mirror"
    PACKAGE = "package"
    SYSTEM = "system"


class Located(NamedTuple):
    """A file that was found, and whose hash is right."""

    weight: Weight
    path: Path
    place: Place


class WeightStore:
    """The look-up order over one configuration. Cheap to build; what it remembers lies in the cache folder."""

    def __init__(
        self, settings: WeightsSettings, *, known: Manifest | None = None, mirror: Path | None = MIRROR
    ) -> None:
        self.manifest = known or manifest.load()
        self.cache = Path(settings.cache).expanduser()
        self._folder = Path(settings.folder).expanduser() if settings.folder else None
        self._mirror = mirror
        self._hashes = Hashes(self.cache / "verified.json")

    def locate(self, name: str, *, fresh: bool = False) -> Located:
        """Where `name` lies; `fresh` reads the whole file again instead of believing a remembered hash.

        Raises UnknownWeightError, MissingWeightError, or WrongHashError where all there is are wrong files.
        """
        weight = self.manifest.named(name)
        refused: list[Path] = []
        for place, path in self._candidates(weight):
            if self._is_right(weight, path, fresh=fresh):
                return Located(weight, path, place)
            refused.append(path)
        if refused:
            places = ", ".join(map(str, refused))
            raise WrongHashError(
                f"{name}: refused, its sha256 is not {weight.sha256[:16]}…: {places}; remove it and run"
                f" `fidox weights fetch {name}`"
            )
        raise MissingWeightError(f"{name} is not on this machine; {self.way_to_get(weight)}")

    def find(self, name: str) -> Located | None:
        """As `locate`, None where there is no right file. A wrong one is logged, and is as good as none."""
        try:
            return self.locate(name)
        except MissingWeightError:
            return None
        except WrongHashError as error:
            log.warning("%s", error)
            return None

    def way_to_get(self, weight: Weight) -> str:
        """What an operator does about a missing file."""
        by_hand = f"put {weight.file} (sha256 {weight.sha256[:16]}…) into FIDOX_WEIGHTS_DIR or {self.cache}"
        if weight.package is not None:
            return f"install the Python package {weight.package.partition(':')[0]}, or {by_hand}"
        if weight.system is not None:
            by_hand = f"install the system's package {weight.system.partition(':')[0]}, or {by_hand}"
        return f"run `fidox weights fetch {weight.name}`, or {by_hand}" if weight.urls else by_hand

    def _candidates(self, weight: Weight) -> Iterator[tuple[Place, Path]]:
        for place, folder in ((Place.FOLDER, self._folder), (Place.CACHE, self.cache), (Place.MIRROR, self._mirror)):
            if folder is not None and (path := folder / weight.file).is_file():
                yield place, path
        if weight.package is not None and (path := in_package(weight.package)) is not None:
            yield Place.PACKAGE, path
        if weight.system is not None and (path := Path(weight.system.partition(":")[2])).is_file():
            yield Place.SYSTEM, path

    def _is_right(self, weight: Weight, path: Path, *, fresh: bool) -> bool:
        try:
            # A different size is a different file: no need to read it.
            if weight.bytes is not None and path.stat().st_size != weight.bytes:
                return False
            return self._hashes.of(path, fresh=fresh) == weight.sha256
        except OSError as error:
            log.warning("%s cannot be read: %s", path, error.strerror)
            return False


def in_package(spec: str) -> Path | None:
    """The file of "name:path", without importing the package: some of those that only carry data break on import."""
    name, _, path = spec.partition(":")
    found = importlib.util.find_spec(name)
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (file := Path(folder) / path).is_file():
            return file
    return None
