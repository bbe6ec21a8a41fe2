"""One archive with every weight of a machine, for another machine that has no way to the internet.

    manifest.json                     {"format": 1, "files": [{"weight", "file", "bytes", "sha256" or "sha384"}, …]}
    WEIGHT/FILE                       each file: the weight's name, and the last part of its path
    …

A plain tar (POSIX ustar) in the order of the product's manifest, without times and owners: the same weights make the
same archive, byte by byte. It is written and read as a stream.

What comes in is believed in nothing: the name says which weight of this product's own manifest a file claims to be, and
only the hash that this manifest has for it lets it into the cache, under the path that this manifest gives it.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, NamedTuple

import msgspec

from shared.weights.errors import BundleError
from shared.weights.fetch import MOST_BYTES
from shared.weights.partial import opened, part_of_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.weights.find import WeightStore
    from shared.weights.manifest import Source, Weight

    # Called with the name of each weight as its turn comes.
    Watch = Callable[[str], None]

FORMAT = 1
CONTENTS = "manifest.json"
BLOCK = tarfile.BLOCKSIZE
CHUNK = 256 * 1024
# Chosen: a hundred times what the manifest of today takes.
MOST_CONTENTS = 1024 * 1024


class BundledFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file of an archive, as its contents list it."""

    weight: str
    file: str
    bytes: int
    sha256: str | None = None
    sha384: str | None = None


class Contents(msgspec.Struct, frozen=True):
    """What an archive says that it holds."""

    format: int
    files: tuple[BundledFile, ...]


# Built here, in the one thread that imports: see manifest.py.
_DECODER = msgspec.json.Decoder(Contents)


class Imported(NamedTuple):
    """What became of an archive, by names of weights. `skipped` and `refused` say why."""

    taken: list[str]
    present: list[str]
    skipped: dict[str, str]
    refused: dict[str, str]


def write_bundle(store: WeightStore, target: Path, watch: Watch | None = None) -> list[str]:
    """Write every weight that is on this machine, and may be used, into `target`; return their names.

    The archive appears under its name only when it is complete. Raises BundleError.
    """
    files = [(weight, source, path) for weight in store.manifest.weight for source, path in _files(store, weight)]
    if not files:
        raise BundleError("no weight is on this machine; `fidox weights fetch` gets them")
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    except OSError as error:
        raise BundleError(f"{target.parent} cannot be written ({error.strerror})") from error
    try:
        with (
            os.fdopen(descriptor, "wb") as file,
            tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            _write_contents(tar, files)
            for weight, source, path in files:
                if watch is not None:
                    watch(weight.name)
                _write_file(tar, weight, source, path)
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except OSError as error:
        raise BundleError(f"{target} cannot be written ({error.strerror})") from error
    finally:
        Path(name).unlink(missing_ok=True)
    return list(dict.fromkeys(weight.name for weight, _, _ in files))


def import_bundle(store: WeightStore, archive: Path, watch: Watch | None = None) -> Imported:
    """Take the weights of `archive` into the cache. Safe to run again; what is there and right stays as it is.

    Raises BundleError where the archive is not one, or ends too early: what came before that is in the cache.
    """
    done = Imported([], [], {}, {})
    try:
        with archive.open("rb") as file:
            listed = _read_contents(archive, file)
            for name, size in _members(archive, file):
                after = file.tell() + size + -size % BLOCK
                weight = name.partition("/")[0]
                if watch is not None:
                    watch(weight)
                try:
                    _take(store, name, size, file, listed, done)
                except BundleError as error:
                    done.refused[weight] = str(error)
                if file.seek(0, 2) < after:
                    raise BundleError(f"{archive} ends in the middle of {name}; copy it again")
                file.seek(after)
    except OSError as error:
        raise BundleError(f"{error.filename or store.cache}: {error.strerror}") from error
    return done


def _files(store: WeightStore, weight: Weight) -> Iterator[tuple[Source, Path]]:
    if located := store.find(weight.name):
        yield from zip(weight.sources, (located.path, *located.companions), strict=True)


def _name_of(weight: Weight, source: Source) -> str:
    return f"{weight.name}/{PurePosixPath(source.file).name}"


def _write_contents(tar: tarfile.TarFile, files: list[tuple[Weight, Source, Path]]) -> None:
    listed = [
        BundledFile(
            weight=weight.name,
            file=_name_of(weight, source),
            bytes=path.stat().st_size,
            sha256=source.sha256,
            sha384=source.sha384,
        )
        for weight, source, path in files
    ]
    data = msgspec.json.format(msgspec.json.encode(Contents(FORMAT, tuple(listed))))
    with tempfile.SpooledTemporaryFile(MOST_CONTENTS) as spooled:
        spooled.write(data)
        spooled.seek(0)
        tar.addfile(_entry(CONTENTS, len(data)), spooled)


def _write_file(tar: tarfile.TarFile, weight: Weight, source: Source, path: Path) -> None:
    with path.open("rb") as file:
        if hashlib.file_digest(file, source.digest.algorithm).hexdigest() != source.digest.value:
            raise BundleError(f"{path} has changed and is not {weight.name} any more")
        size = file.tell()
        file.seek(0)
        tar.addfile(_entry(_name_of(weight, source), size), file)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)  # of nobody, from 1970, 0644
    entry.size = size
    return entry


def _read_contents(archive: Path, file: IO[bytes]) -> dict[str, BundledFile]:
    name, size = next(_members(archive, file), ("", 0))
    if name != CONTENTS or size > MOST_CONTENTS:
        raise BundleError(f"{archive} was not written by `fidox weights bundle`: it does not begin with {CONTENTS}")
    data = file.read(size)
    file.read(-size % BLOCK)
    try:
        contents = _DECODER.decode(data)
    except msgspec.DecodeError as error:
        raise BundleError(f"{archive}: {CONTENTS} cannot be read ({error})") from error
    if contents.format != FORMAT:
        raise BundleError(f"{archive} has format {contents.format}; this version reads {FORMAT}, so use a newer one")
    return {one.file: one for one in contents.files}


def _members(archive: Path, file: IO[bytes]) -> Iterator[tuple[str, int]]:
    """Yield name and size of each regular file, `file` standing at its first byte.

    Only what `write_bundle` writes is read: tarfile's own reader follows links and takes headers of any size.
    """
    while True:
        header = file.read(BLOCK)
        if header == bytes(BLOCK):
            return
        try:
            entry = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            what = "ends too early" if len(header) < BLOCK else "is damaged"
            raise BundleError(f"{archive} {what} ({error}); copy it again") from error
        if entry.type != tarfile.REGTYPE or entry.size < 0:
            raise BundleError(f"{archive} was not written by `fidox weights bundle`: {entry.name} is not a plain file")
        yield entry.name, entry.size


def _take(
    store: WeightStore, name: str, size: int, file: IO[bytes], listed: dict[str, BundledFile], done: Imported
) -> None:
    """Take one file in, or say in `done` why not. Raises BundleError where it is not what it says it is."""
    weight_name = name.partition("/")[0]
    known = {
        _name_of(weight, source): (weight, source) for weight in store.manifest.weight for source in weight.sources
    }
    if name not in known:
        done.skipped[weight_name] = "this version does not know it"
        return
    weight, source = known[name]
    if not store.allows(weight):
        done.skipped[weight_name] = f"FIDOX_WEIGHTS_LICENCE=commercial, and its licence is {weight.licence}"
        return
    claimed = listed.get(name)
    if claimed is not None and source.digest.value not in {claimed.sha256, claimed.sha384}:
        done.skipped[weight_name] = "it is another file than the one that this version uses"
        return
    target = store.cache / source.file
    if target.is_file() and store.is_right(source, target):
        _note(done.present, weight.name)
        return
    if size > (source.bytes or MOST_BYTES):
        raise BundleError(f"{name} has {size} bytes, expected {source.bytes or MOST_BYTES} at most")
    _copy(store, source, target, name, size, file)
    _note(done.taken, weight.name)


def _note(names: list[str], name: str) -> None:
    if name not in names:
        names.append(name)


def _copy(store: WeightStore, source: Source, target: Path, name: str, size: int, file: IO[bytes]) -> None:
    with opened(part_of_file(store.cache, source.digest)) as part:
        part.empty()
        left = size
        while left and (chunk := file.read(min(CHUNK, left))):
            part.file.write(chunk)
            left -= len(chunk)
        if part.digest(source.digest.algorithm) != source.digest.value:
            part.empty()
            raise BundleError(f"{name} is damaged: its {source.digest.algorithm} is not {source.digest.short}")
        part.become(target)
