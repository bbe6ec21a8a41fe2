"""Housekeeping of stored pictures: files whose rows are gone are removed, pictures that are old enough are deleted.

Every face process does it, and they share the work: what one has claimed the others do not see.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from shared.cleanup import remove
from shared.db.cleanup import CleanupTasks
from shared.db.keeping import Keeping
from shared.db.pool import StoreUnavailableError
from shared.metrics import measures

if TYPE_CHECKING:
    from shared.db.pool import Pool
    from shared.storage import Storage

log = logging.getLogger(__name__)

# A look costs one statement on a small index.
EVERY_S = 5.0
# What is claimed at once has to be removed before its claim is over (shared/db/cleanup.py), also by a slow S3.
BATCH = 64
BATCH_S = 8.0
OLD_EVERY_S = 600.0
OLD_BATCH = 200


async def keep_pictures_in_order(pool: Pool, storage: Storage, retention_days: int) -> None:
    """Do it for as long as the process lives; what fails is tried again."""
    tasks, keeping = CleanupTasks(pool), Keeping(pool)
    old_at = 0.0
    while True:
        try:
            if retention_days and time.monotonic() >= old_at:
                await delete_old(keeping, retention_days)
                old_at = time.monotonic() + OLD_EVERY_S
            while await clean(storage, tasks):
                pass
            tasks_due, oldest_s = await tasks.backlog()
            measures.CLEANUP.set(tasks_due)
            measures.CLEANUP_AGE.set(oldest_s)
        except StoreUnavailableError:
            log.debug("the database does not answer; files wait to be removed")
        except Exception:  # the process's edge: a bug here must not end the cron for good, and without a word
            log.exception("keeping stored pictures in order")
        await asyncio.sleep(EVERY_S)


async def clean(storage: Storage, tasks: CleanupTasks) -> bool:
    """Remove some files that are due. True where there may be more, and the storage answers."""
    keys = await tasks.claim(BATCH)
    gone = await remove(storage, tasks, keys, within_s=BATCH_S)
    return gone == BATCH


async def delete_old(keeping: Keeping, retention_days: int) -> None:
    """Delete pictures that were last sent more than `retention_days` ago."""
    total = 0
    while deleted := await keeping.delete_older(retention_days, OLD_BATCH):
        total += deleted
    if total:
        log.info("deleted %d pictures that were last sent more than %d days ago", total, retention_days)
