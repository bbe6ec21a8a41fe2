"""Removing files whose rows are gone: by the gateway, at once, and by the worker's cron, until it is done."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from shared.storage import StorageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.db.cleanup import CleanupTasks
    from shared.storage import Storage

log = logging.getLogger(__name__)

# S3 answers in some 20 ms; ten thousand results of one picture are no reason to open a connection for each.
AT_ONCE = 16


async def remove(storage: Storage, tasks: CleanupTasks, keys: Sequence[str], *, within_s: float) -> int:
    """Remove the files of claimed tasks; how many are gone after `within_s` seconds. The others stay tasks.

    The first failure ends it: a storage that is away is not asked for every file. Raises StoreUnavailableError.
    """
    gone: list[str] = []
    error: StorageError | None = None
    until = asyncio.get_running_loop().time() + within_s
    for start in range(0, len(keys), AT_ONCE):
        left_s = until - asyncio.get_running_loop().time()
        if left_s <= 0 or error is not None:
            break
        some = keys[start : start + AT_ONCE]
        ends = await asyncio.gather(*(storage.delete(key, patience_s=left_s) for key in some), return_exceptions=True)
        for key, end in zip(some, ends, strict=True):
            if end is None:
                gone.append(key)
            elif isinstance(end, StorageError):
                error = end
            else:
                raise end
    if gone:
        await tasks.done(gone)
    if error is not None:
        left = [key for key in keys if key not in set(gone)]
        await tasks.failed(left, str(error))
        log.warning(
            "files could not be removed, and are tried again",
            extra={"facts": {"files": len(left), "error": str(error)}},
        )
    return len(gone)
