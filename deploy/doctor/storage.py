"""The place for pictures: a probe is written, read and deleted there; and whether a folder's disk has room."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from typing import TYPE_CHECKING

from deploy.doctor.finding import Finding, State, judged
from shared.contracts import ImageFormat
from shared.settings import SettingsError
from shared.storage import PROCESSED, Storage, StorageError, new_key, open_storage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.settings import Settings

GIB = 1024**3
LEAST_DISK = 2 * GIB


def examine(settings: Settings) -> Iterator[Finding]:
    """Whether it takes, gives back and forgets a file."""
    try:
        storage = open_storage(settings.storage)
        if storage is None:
            yield Finding(State.OK, "storage", "off: no pictures are kept")
            return
        asyncio.run(_probe(storage))
    except SettingsError as error:
        yield Finding(State.FAIL, "storage", "no place", str(error))
        return
    except StorageError as error:
        todo = "see that it is there, and that the credentials may put, get, delete and list (docs/xylolabs-api.md)"
        yield Finding(State.FAIL, "storage", str(error), todo)
        return
    where = "S3" if storage.signs_links else "a folder"
    yield Finding(State.OK, "storage", f"{where}: a file was written, read and deleted")
    if not storage.signs_links:
        free = shutil.disk_usage(settings.storage.folder).free
        todo = "" if free >= LEAST_DISK else "free some space, or set FACE_API_IMAGES_RETENTION_DAYS"
        yield judged("storage disk", f"{free / GIB:.1f} GiB free", todo)


async def _probe(storage: Storage) -> None:
    await storage.check()
    key, data = new_key(PROCESSED, ImageFormat.JPEG), secrets.token_bytes(1024)
    try:
        await storage.put(key, data)
        if await storage.get(key) != data:
            raise StorageError("a file came back other than it was written")
    finally:
        # Also what half a write has left; no row knows of it, so nobody else would remove it.
        await storage.delete(key)
