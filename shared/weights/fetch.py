"""Download a weight to the cache: from the mirror, then from its addresses, and kept only if its hash is right."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from typing import IO, TYPE_CHECKING

from shared.weights.addresses import Address, Mirror
from shared.weights.errors import FetchError, OfflineError, WeightsError, WrongHashError
from shared.weights.partial import Part, opened, part_of_file, part_of_url
from shared.weights.transfer import CHUNK, Limits, Network

if TYPE_CHECKING:
    from pathlib import Path

    from shared.weights.find import WeightStore
    from shared.weights.manifest import Source, Weight
    from shared.weights.transfer import Progress

# Chosen: half as much again as the largest file of the manifest. It bounds what has no size in the manifest: zips.
MOST_BYTES = 400 * 1024 * 1024


def fetch(store: WeightStore, name: str, progress: Progress | None = None, *, network: Network | None = None) -> Path:
    """Download the files of `name` to the cache and return the path of the one that is loaded.

    Files that are in the cache and right are not downloaded again. A file appears under its name only when it is
    complete and right; what has come of a download that broke off is kept for the next call. Hand the same `network`
    to several calls, and a host that cannot be reached is asked once.

    Raises LicenceError, FetchError, its OfflineError, or WrongHashError.
    """
    weight = store.manifest.named(name)
    store.require_licence(weight)
    if not weight.is_published:
        raise FetchError(f"{name} has no public address", store.way_to_get(weight))
    network = network or Network()
    meter = _Meter(weight, progress)
    for source in weight.sources:
        target = store.cache / source.file
        if not (target.is_file() and store.is_right(source, target, fresh=True)):
            try:
                _fetch_file(store, weight, source, network, meter)
            except OSError as error:
                todo = "free some space or set FIDOX_CACHE_DIR"
                raise FetchError(f"{store.cache} cannot be written ({error.strerror})", todo) from error
        meter.next(target.stat().st_size)
    return store.cache / weight.file


def places(store: WeightStore, source: Source) -> list[Address]:
    """Return where `source` is looked for, in this order: the mirror, then its addresses. Raises FetchError."""
    addresses = [Address.parse(url) for url in source.urls]
    if not store.settings.mirror:
        return addresses
    try:
        mirror = Mirror.parse(store.settings.mirror)
    except ValueError as error:
        raise FetchError(f"FIDOX_WEIGHTS_MIRROR: {error}") from error
    return [*(place for address in addresses for place in mirror.places(address)), *addresses]


class _Meter:
    """Turns the progress of each file into that of all files of a weight."""

    def __init__(self, weight: Weight, progress: Progress | None) -> None:
        sizes = [source.bytes for source in weight.sources]
        self._total = None if None in sizes else sum(size or 0 for size in sizes)
        self._before = 0
        self._progress = progress

    def show(self, done: int, total: int | None) -> None:
        if self._progress is not None:
            self._progress(self._before + done, self._total or total)

    def next(self, size: int) -> None:
        self._before += size
        if self._total is not None:
            self.show(0, self._total)


def _fetch_file(store: WeightStore, weight: Weight, source: Source, network: Network, meter: _Meter) -> None:
    target = store.cache / source.file
    failures: list[WeightsError] = []
    with opened(part_of_file(store.cache, source.digest)) as part:
        if part.waited and target.is_file() and store.is_right(source, target, fresh=True):
            return  # another process has fetched it in the meantime
        for place in places(store, source):
            try:
                _fetch_from(store, source, place, part, network, meter)
            except (FetchError, WrongHashError) as error:
                failures.append(error)
            else:
                part.become(target)
                return
    raise _summary(store, weight, failures)


def _fetch_from(
    store: WeightStore, source: Source, place: Address, part: Part, network: Network, meter: _Meter
) -> None:
    """Fill `part` from one address. It is emptied where something else came; what broke off stays."""
    limits = Limits(source.bytes or MOST_BYTES, source.bytes)
    resumed = part.file.seek(0, 2) > 0
    if place.member is None:
        network.copy(place.url, part.file, limits, meter.show)
    else:
        _take_member(store, place, part, limits, network, meter)
    got = part.digest(source.digest.algorithm)
    if got == source.digest.value:
        return
    part.empty()
    if resumed:  # the beginning may have been of another origin
        _fetch_from(store, source, place, part, network, meter)
        return
    raise WrongHashError(
        f"what {place} gave has the {source.digest.algorithm} {got[:16]}…, not {source.digest.short}; it was discarded"
    )


def _take_member(
    store: WeightStore, place: Address, part: Part, limits: Limits, network: Network, meter: _Meter
) -> None:
    """Download a zip, or go on with it, and copy one member into `part`. The zip is removed once it was read."""
    part.empty()
    with opened(part_of_url(store.cache, place.url)) as archive:
        network.copy(place.url, archive.file, Limits(MOST_BYTES), meter.show)
        try:
            with zipfile.ZipFile(archive.file) as members, members.open(place.member or "") as member:
                _copy_member(place, member, part, limits)
        except KeyError as error:
            raise FetchError(f"{place.url} has no member {place.member}") from error
        # A password is a RuntimeError, an unknown way of compression a NotImplementedError.
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, NotImplementedError) as error:
            raise FetchError(f"{place.url} is not a zip that can be read ({error})") from error
        finally:
            archive.empty()


def _copy_member(place: Address, member: IO[bytes], part: Part, limits: Limits) -> None:
    done = 0
    while chunk := member.read(CHUNK):
        done += len(chunk)
        if done > limits.most:
            part.empty()
            raise FetchError(f"{place} has more than {limits.most} bytes; given up")
        part.file.write(chunk)


def _summary(store: WeightStore, weight: Weight, failures: list[WeightsError]) -> WeightsError:
    """Make one error of what every place answered: that of the worst kind, with what to do about it."""
    reason = f"{weight.name}: {'; '.join(dict.fromkeys(str(failure) for failure in failures))}"
    if any(isinstance(failure, WrongHashError) for failure in failures):
        return WrongHashError(reason)
    todo = (
        "where this machine has no way to the internet, set FIDOX_WEIGHTS_MIRROR, take in an archive with"
        f" `fidox weights import`, or {store.by_hand(weight)}"
    )
    # Of a mirror that does not have it the last address says more.
    if isinstance(failures[-1], OfflineError):
        return OfflineError(reason, todo)
    return FetchError(reason, f"try again; {todo}")
