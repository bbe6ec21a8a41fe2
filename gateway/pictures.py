"""Stored pictures as the gateway has them: rows to read, links to files, and deleting with what has to go with it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.links import Links
from shared.cleanup import remove
from shared.db.cleanup import CleanupTasks
from shared.db.images import Images
from shared.db.keeping import Keeping
from shared.db.pool import StoreUnavailableError
from shared.settings import SettingsError
from shared.storage import PATIENCE_S, Storage, open_storage

if TYPE_CHECKING:
    from uuid import UUID

    from shared.db.pool import Pool
    from shared.settings import Settings

log = logging.getLogger(__name__)


def file_headers(key: str, *, cache: str, attached: bool = False) -> dict[str, str]:
    """What a browser is told of a stored file: a picture, whatever its bytes may look like; nothing in it is run."""
    name = key.rpartition("/")[2]
    return {
        "Content-Disposition": f'{"attachment" if attached else "inline"}; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": cache,
        "Referrer-Policy": "no-referrer",
    }


@dataclass(frozen=True, slots=True)
class Pictures:
    """One a process. Build it with `open_pictures`."""

    storage: Storage
    links: Links
    images: Images
    keeping: Keeping
    tasks: CleanupTasks

    async def delete(self, image_id: UUID) -> bool:
        """Forget a picture and its jobs, and try to remove their files; the cron removes those that could not be.

        False where there is no such picture. Raises StoreUnavailableError, and then nothing is done.
        """
        keys = await self.keeping.delete(image_id, claim=True)
        if keys is None:
            return False
        try:
            await remove(self.storage, self.tasks, keys, within_s=PATIENCE_S)
        except StoreUnavailableError:
            log.warning("the database went away; %d files are left to the cron", len(keys))
        return True


def open_pictures(settings: Settings, pool: Pool) -> Pictures | None:
    """None where storage is off, or where there is no database for its rows. Raises SettingsError."""
    try:
        storage = open_storage(settings.storage)
    except SettingsError as error:
        # Granian ends a process whose start fails without a word of its own.
        log.error("%s", error)  # noqa: TRY400 — the message is all there is to it
        raise
    if storage is None or not settings.database.url:
        return None
    links = Links(storage, settings.auth.jwt_secrets, settings.storage.link_ttl_s)
    return Pictures(storage, links, Images(pool), Keeping(pool), CleanupTasks(pool))
