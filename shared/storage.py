"""Files of pictures in a local folder or in S3, behind one small class; nothing else imports the library (obstore).

    originals/…    as they came, EXIF and all: private, had by a signed link that expires
    processed/…    masked

A key is random and says nothing of whose picture it is: `originals/0f3c….jpg`. A file is there whole or not at all: the
library writes beside it and renames, S3 does the same. What goes wrong is a StorageError, whose text is fit for a row
and a log: no key, no address, no secret.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from shared.formats import MEDIA_TYPES, SUFFIXES
from shared.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from obstore import BytesStream
    from obstore.store import S3Config

    from shared.contracts import ImageFormat
    from shared.settings import Storage as StorageSettings

log = logging.getLogger(__name__)

ORIGINALS, PROCESSED = "originals", "processed"
# The shape of every key there is: what does not have it names no file.
KEY = re.compile(rf"({ORIGINALS}|{PROCESSED})/[0-9a-f]{{32}}\.({'|'.join(SUFFIXES.values())})", re.ASCII)

# Chosen: a store on the same network writes 10 MB in a tenth of it, and a caller waits for no longer.
PATIENCE_S = 2.0
# Of a file that is handed on while it is read: what a process holds for each reader.
CHUNK_BYTES = 256 * 1024
FOLDER_MODE, FILE_MODE = 0o700, 0o600
_MEDIA_TYPE_OF = {SUFFIXES[image_format]: media_type for image_format, media_type in MEDIA_TYPES.items()}


class StorageError(Exception):
    """The storage does not answer, or refuses."""


class FileMissingError(StorageError):
    """There is no such file."""


def new_key(place: str, image_format: ImageFormat) -> str:
    """A key that nobody has or can guess, in ORIGINALS or PROCESSED."""
    return f"{place}/{secrets.token_hex(16)}.{SUFFIXES[image_format]}"


def media_type_of(key: str) -> str:
    """What HTTP calls the file of a key."""
    return _MEDIA_TYPE_OF[key.rpartition(".")[2]]


class OpenFile(NamedTuple):
    """A file that is being read: how long it is, and its bytes as they come."""

    size: int
    chunks: AsyncGenerator[bytes]


class Storage:
    """One place. Build it with `open_storage`. Every method takes at most `patience_s`, and raises StorageError."""

    def __init__(self, store: LocalStore | S3Store, *, folder: Path | None = None, public: str = "") -> None:
        self._store = store
        self._folder = folder
        self._public = public.rstrip("/")

    @property
    def signs_links(self) -> bool:
        """Does the place itself give files away by link? A folder does not."""
        return isinstance(self._store, S3Store)

    async def put(self, key: str, data: bytes, *, patience_s: float = PATIENCE_S) -> None:
        """Write a file."""
        async with _bounded(patience_s):
            if isinstance(self._store, S3Store):
                # A browser shows it as what it is, under a name that is ours.
                name = key.rpartition("/")[2]
                told = {"Content-Type": media_type_of(key), "Content-Disposition": f'inline; filename="{name}"'}
                await self._store.put_async(key, data, attributes=told, use_multipart=False)
            else:
                await self._store.put_async(key, data, use_multipart=False)
                await asyncio.to_thread(self._path(key).chmod, FILE_MODE)

    async def get(self, key: str, *, patience_s: float = PATIENCE_S) -> bytes:
        """A file whole. Raises FileMissingError where there is none."""
        async with _bounded(patience_s):
            found = await self._store.get_async(key)
            return bytes(await found.bytes_async())

    async def open(self, key: str, *, patience_s: float = PATIENCE_S) -> OpenFile:
        """A file piece by piece, each within `patience_s`. Raises FileMissingError where there is none."""
        async with _bounded(patience_s):
            found = await self._store.get_async(key)
        return OpenFile(found.meta["size"], _pieces(found.stream(min_chunk_size=CHUNK_BYTES), patience_s))

    async def delete(self, key: str, *, patience_s: float = PATIENCE_S) -> None:
        """Remove a file, and what is left of an attempt to write it. One that is not there is none to remove."""
        async with _bounded(patience_s):
            if self._folder is None:
                try:
                    await self._store.delete_async(key)
                except FileNotFoundError:
                    return
            else:
                await asyncio.to_thread(self._unlink, key)

    async def sign(self, keys: Sequence[str], *, ttl_s: int) -> list[str]:
        """Links that give these files to whoever has them, for `ttl_s` seconds; S3 only."""
        if not isinstance(self._store, S3Store):
            raise TypeError("a folder signs no links")
        async with _bounded(PATIENCE_S):
            return list(await obstore.sign_async(self._store, "GET", list(keys), timedelta(seconds=ttl_s)))

    def public_link(self, key: str) -> str | None:
        """Where a processed file lies open; None for any other, and where nothing lies open."""
        return f"{self._public}/{key}" if self._public and key.startswith(f"{PROCESSED}/") else None

    async def check(self) -> None:
        """Does it answer, and may we read and list there?"""
        async with _bounded(PATIENCE_S):
            if self._folder is None:
                # A look at one file would find a missing bucket as well as it finds a missing file.
                await self._store.list_with_delimiter_async("health")
            else:
                await asyncio.to_thread(self._check_folder, self._folder)

    def _path(self, key: str) -> Path:
        if self._folder is None or KEY.fullmatch(key) is None:
            raise StorageError("no key of ours")
        return self._folder / key

    def _unlink(self, key: str) -> None:
        path = self._path(key)
        path.unlink(missing_ok=True)
        # The library's name for a file that it is writing; a process that is killed leaves it behind.
        for staged in path.parent.glob(f"{path.name}#*"):
            staged.unlink(missing_ok=True)

    @staticmethod
    def _check_folder(folder: Path) -> None:
        for place in (ORIGINALS, PROCESSED):
            if not os.access(folder / place, os.R_OK | os.W_OK | os.X_OK):
                raise StorageError("the folder is not there, or not ours")


def open_storage(settings: StorageSettings) -> Storage | None:
    """The place that is set; None where storage is off. Raises SettingsError. Nothing is asked of S3 yet."""
    settings.require_place()
    if not settings.enabled:
        return None
    if not settings.bucket:
        return _open_folder(Path(settings.folder))
    config: S3Config = {"region": settings.region}
    if settings.endpoint:
        config["endpoint"] = settings.endpoint.rstrip("/")
    if settings.access_key:
        config["access_key_id"], config["secret_access_key"] = settings.access_key, settings.secret_key
    store = S3Store(
        settings.bucket,
        config=config,
        client_options={"timeout": "10s", "connect_timeout": "1s", "allow_http": settings.endpoint[:7] == "http://"},
        # For a connection that the server had closed, or a 503 in passing. An outage is the caller's to sit out.
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=PATIENCE_S)},
    )
    return Storage(store, public=settings.public_endpoint)


def _open_folder(folder: Path) -> Storage:
    try:
        # Parents that are missing get the mode of any new folder, so each of ours is made by itself.
        for one in (folder, folder / ORIGINALS, folder / PROCESSED):
            one.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"FACE_API_STORAGE_DIR: the folder cannot be used ({error.strerror})") from None
    return Storage(LocalStore(folder), folder=folder)


async def _pieces(stream: BytesStream, patience_s: float) -> AsyncGenerator[bytes]:
    while True:
        try:
            async with _bounded(patience_s):
                piece = await stream.__anext__()
        except StopAsyncIteration:
            return
        yield bytes(piece)


@asynccontextmanager
async def _bounded(patience_s: float) -> AsyncGenerator[None]:
    """Whatever the library raises, and a time that has passed, as a StorageError."""
    try:
        async with asyncio.timeout(patience_s):
            yield
    except TimeoutError:
        raise StorageError("the storage did not answer in time") from None
    except FileNotFoundError:
        raise FileMissingError("the file, its folder or its bucket is not there") from None
    except (BaseError, OSError) as error:
        # What the library says holds addresses and keys; the first line of it is for whoever turns on debug logs.
        log.debug("storage: %s", str(error).partition("\n")[0])
        raise StorageError(f"the storage refused, or could not be reached ({type(error).__name__})") from None
