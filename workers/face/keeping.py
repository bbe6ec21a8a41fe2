"""Keeps a picture, what was found in it and what was made of it, before the caller has the answer.

    wait for a place ─ give the slot to the next job ─> begin (rows) ─> write files (storage) ─> write (rows)
                                                                            └ away: rows all the same, with the reason

The answer never depends on it. Storage that does not answer in time leaves rows without files, which say why;
a database that does not answer leaves nothing, and the answer has no ids. After a failure nothing is tried for some
seconds, so that an outage costs one call its patience, and not every call.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import msgspec

from shared import contracts
from shared.db.keeping import Files, Picture, VanishedError, Work
from shared.db.pool import StoreUnavailableError
from shared.formats import sniff
from shared.storage import ORIGINALS, PATIENCE_S, PROCESSED, StorageError, new_key

if TYPE_CHECKING:
    from shared.db.keeping import Keeping
    from shared.storage import Storage
    from workers.runtime.tasks import Call

log = logging.getLogger(__name__)

F = TypeVar("F", bound=contracts.FacesDetected)

# Jobs that wait for storage hold their pictures, 10 MB of one and at most 32 MB of the other, and no slot.
MOST_AT_ONCE = 8
# Of what the gateway still waits, for storing; the rest is for the answer's way.
SHARE = 0.5
# What is written after the files: a transaction of some statements.
ROWS_S = 1.0
# Chosen: in an outage one call in this time waits in vain, and after it the first ones are kept this much later.
RETRY_S = 3.0
# How often a picture may be deleted under our hands.
TRIES = 3

NOT_TRIED = "the storage failed a moment ago, and was not asked again"


class Breaker:
    """Open for RETRY_S after a failure; then everybody may try again."""

    def __init__(self) -> None:
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Not to be tried now."""
        return time.monotonic() < self._open_until

    def open(self) -> None:
        """It has failed."""
        self._open_until = time.monotonic() + RETRY_S


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """What is to be kept: a job's picture and what came of it, and the time that may be spent on its files."""

    found: contracts.FacesDetected
    operation: contracts.DetectFaces | contracts.MaskFaces
    keep: contracts.Keep
    call: Call
    within_s: float

    @property
    def result(self) -> bytes | None:
        """The masked picture, where there is one."""
        return self.found.image if isinstance(self.found, contracts.FacesMasked) else None


class Keeper:
    """One a worker process."""

    def __init__(self, storage: Storage, keeping: Keeping) -> None:
        self._storage = storage
        self._keeping = keeping
        self._places = asyncio.Semaphore(MOST_AT_ONCE)
        self._files_breaker = Breaker()
        self._rows_breaker = Breaker()
        # The loop alone would forget those that were given up and are not over yet.
        self._tasks: set[asyncio.Task[UUID | None]] = set()

    async def keep(self, found: F, operation: contracts.DetectFaces | contracts.MaskFaces, call: Call) -> F:
        """`found` with the ids of its rows, and the time that it took. Raises nothing."""
        if operation.keep is None:
            return found
        started = time.monotonic()
        image_id: UUID | None = None
        async with self._places:
            call.give_slot()
            within_s = min(PATIENCE_S, call.left_s * SHARE)
            # Past its deadline the caller has been told that the call failed.
            if within_s > 0 and not self._rows_breaker.is_open:
                image_id = await self._keep(Item(found, operation, operation.keep, call, within_s))
        profile = msgspec.structs.replace(found.profile, storage_ms=_ms_since(started))
        found = msgspec.structs.replace(found, profile=profile)
        if image_id is None:
            return found
        return msgspec.structs.replace(found, image_id=str(image_id), job_id=operation.keep.job_id)

    async def _keep(self, item: Item) -> UUID | None:
        """The picture's id; None where there are no rows, or none yet."""
        task = asyncio.create_task(self._write(item))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # Not wait_for, which waits for what it cancels: that can be a database that stands still.
        done, _ = await asyncio.wait({task}, timeout=item.within_s + ROWS_S)
        if not done:
            task.cancel()
            self._rows_breaker.open()
            log.warning("a picture was not kept: the database stands still", extra=_facts(item))
            return None
        if error := task.exception():
            log.error("a picture was not kept", exc_info=error, extra=_facts(item))
            return None
        return task.result()

    async def _write(self, item: Item) -> UUID | None:
        started = time.monotonic()
        picture = await item.call.compute(_picture, item.call.images[0], item.found.profile)
        try:
            for _ in range(TRIES):
                files = await self._write_files(item, picture)
                profile = msgspec.structs.replace(
                    item.found.profile, storage_ms=_ms_since(started), total_ms=item.call.elapsed_ms
                )
                try:
                    return await self._keeping.write(picture, _work(item, profile), files)
                except VanishedError:
                    continue
        except StoreUnavailableError:
            self._rows_breaker.open()
        log.warning("a picture was not kept", extra=_facts(item))
        return None

    async def _write_files(self, item: Item, picture: Picture) -> Files:
        """Write the picture, unless it is there, and the result; what failed is told of."""
        if self._files_breaker.is_open:
            return Files(original_error=NOT_TRIED, processed_error=None if item.result is None else NOT_TRIED)
        original = new_key(ORIGINALS, picture.format)
        processed, result = None, item.result
        if isinstance(item.operation, contracts.MaskFaces):
            processed = new_key(PROCESSED, item.operation.format)
        is_known = await self._keeping.begin(picture.sha256, original, processed)
        original_error, processed_error = await asyncio.gather(
            self._put(original, None if is_known else item.call.images[0], item.within_s),
            self._put(processed, result, item.within_s),
        )
        return Files(
            original=None if is_known or original_error else original,
            processed=None if processed_error else processed,
            is_known=is_known,
            original_error=original_error,
            processed_error=processed_error,
        )

    async def _put(self, key: str | None, data: bytes | None, within_s: float) -> str | None:
        """Write a file, if there is one; why it could not be."""
        if key is None or data is None:
            return None
        try:
            await self._storage.put(key, data, patience_s=within_s)
        except StorageError as error:
            self._files_breaker.open()
            log.warning("a file was not stored: %s", error)
            return str(error)
        return None


def _picture(data: bytes, profile: contracts.Profile) -> Picture:
    image_format = sniff(data)
    if image_format is None:
        raise ValueError("a picture that was decoded has a format")
    width, height = profile.image_size
    return Picture(
        sha256=hashlib.sha256(data).digest(), format=image_format, width=width, height=height, size_bytes=len(data)
    )


def _work(item: Item, profile: contracts.Profile) -> Work:
    asked, found, keep = item.operation, item.found, item.keep
    is_mask = isinstance(found, contracts.FacesMasked)
    # Bytes, ids and the caller's key are not what was asked for.
    parameters = {name: value for name, value in msgspec.structs.asdict(asked).items() if name != "keep"}
    return Work(
        id=UUID(keep.job_id),
        api_key_id=UUID(keep.api_key_id) if keep.api_key_id else None,
        job_type=contracts.JobType.MASK if is_mask else contracts.JobType.DETECT,
        method=asked.method if isinstance(asked, contracts.MaskFaces) else None,
        parameters=parameters,
        model=profile.detector,
        faces=found.faces,
        profile=profile,
        processed_format=found.format if is_mask else None,
        processed_bytes=len(found.image) if is_mask else None,
    )


def _ms_since(started: float) -> float:
    return (time.monotonic() - started) * 1000


def _facts(item: Item) -> dict[str, object]:
    return {"facts": {"tx": item.call.job.tx_id}}
