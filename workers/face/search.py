"""Who is this? An exact search among a tenant's templates: in memory where they are many, in PostgreSQL else.

    templates of the tenant     searched
    fewer than IN_MEMORY_FROM   by PostgreSQL: under 2 ms, and no memory
    as many as fit the budget   here: one matrix product, a sixth of PostgreSQL's time
    more                        by PostgreSQL

Each search first asks for the tenant's revision and takes in what changed since the last one, and last asks for the
owner of the best template. So a template that was written before the call is found, and one that is deleted is never
an answer, whichever process wrote or deleted it. docs/identify.md has the measurements.
"""

from __future__ import annotations

import asyncio
import heapq
import mmap
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shared.db.template_changes import BLOCK_ROWS, GalleryKey
from shared.db.templates import COUNTED, Nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shared.db.template_changes import Changes, Revision, TemplateChanges
    from shared.db.templates import Templates, Vector

# Measured: PostgreSQL scans 2,000 templates of 512 numbers in 1.5 ms.
IN_MEMORY_FROM = COUNTED
# How often a search begins again because its answer was deleted meanwhile; then PostgreSQL decides.
TRIES = 3


class Found(NamedTuple):
    """The best template of a gallery; `cosine`, `second` and `between` as in `Nearest`."""

    template_id: int
    cosine: float
    second: float = -1.0
    between: float = -1.0


class Search:
    """One a process. `budget_bytes` bounds what all galleries take together; 0 leaves every search to PostgreSQL."""

    def __init__(self, templates: Templates, changes: TemplateChanges, *, budget_bytes: int) -> None:
        self._templates = templates
        self._changes = changes
        self._budget_bytes = budget_bytes
        # Least recently used first.
        self._galleries: OrderedDict[GalleryKey, Gallery] = OrderedDict()

    @property
    def held_bytes(self) -> int:
        """What the galleries take now."""
        return sum(gallery.held_bytes for gallery in self._galleries.values())

    async def nearest(self, tenant_id: int, engine: str, model_id: str, embedding: Vector) -> Nearest | None:
        """The tenant's user whose template of this model is most alike. None where there is none."""
        key = GalleryKey(tenant_id, engine, model_id)
        for _ in range(TRIES):
            gallery = self._galleries.setdefault(key, Gallery(embedding.size)) if self._budget_bytes else None
            if gallery is None:
                break
            self._galleries.move_to_end(key)
            async with gallery.lock:
                if not await self._catch_up(key, gallery):
                    self._galleries.pop(key, None)
                    break
                found = await asyncio.to_thread(gallery.nearest, embedding)
                among = gallery.count
            if found is None:
                return None
            if owner := await self._changes.owner(key, found.template_id):
                # Nobody asks whether the second is still there: one deleted just now makes the answer more careful.
                return Nearest(*owner, found.cosine, among, found.second, found.between)
        return await self._templates.nearest(tenant_id, engine, model_id, embedding)

    async def _catch_up(self, key: GalleryKey, gallery: Gallery) -> bool:
        """Bring the gallery to the table's state. False where it should not be held in memory."""
        changes = await self._changes.since(key, gallery.revision)
        if changes is None or changes.templates < IN_MEMORY_FROM:
            return False
        if changes.changed is None:
            gallery.clear()
            if not await self._has_room(key, gallery, changes):
                return False
            async for ids, embeddings in self._changes.gallery(key, gallery.dimension):
                gallery.add(ids, embeddings)
        else:
            for template_id, embedding in changes.changed:
                gallery.remove(template_id)
                if embedding is not None:
                    gallery.add(np.array([template_id]), embedding[np.newaxis])
        gallery.revision = changes.revision
        self._evict_others(key, 0)
        return self.held_bytes <= self._budget_bytes

    async def _has_room(self, key: GalleryKey, gallery: Gallery, changes: Changes) -> bool:
        """Is there room for the whole gallery, or can others make it? The tenant's total is known; the key's costs."""
        if gallery.bytes_for(changes.templates) > self._budget_bytes:
            count = await self._changes.count(key)
        else:
            count = changes.templates
        needed = gallery.bytes_for(count)
        if count < IN_MEMORY_FROM or needed > self._budget_bytes:
            return False
        self._evict_others(key, needed)
        return True

    def _evict_others(self, key: GalleryKey, needed_bytes: int) -> None:
        """Forget the least recently used until this one fits."""
        for other in list(self._galleries):
            if self.held_bytes + needed_bytes <= self._budget_bytes:
                return
            if other != key:
                del self._galleries[other]


class Gallery:
    """The templates of one key, in blocks that neither move nor grow. Hold `lock` while changing or searching it."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.lock = asyncio.Lock()
        self.revision: Revision | None = None
        self._blocks: list[_Block] = []

    @property
    def held_bytes(self) -> int:
        """Bytes of all blocks, full or not."""
        return len(self._blocks) * self._block_bytes

    @property
    def _block_bytes(self) -> int:
        return BLOCK_ROWS * self.dimension * np.dtype(np.float32).itemsize

    @property
    def count(self) -> int:
        """How many templates there are: as many as users, who have one of a model each."""
        return sum(block.count for block in self._blocks)

    def bytes_for(self, count: int) -> int:
        """What so many templates take."""
        return -(-count // BLOCK_ROWS) * self._block_bytes

    def clear(self) -> None:
        """Forget everything."""
        self._blocks.clear()
        self.revision = None

    def add(self, ids: NDArray[np.int64], embeddings: Vector) -> None:
        """Take in templates that are not in it."""
        while ids.size:
            block = next((block for block in self._blocks if block.free), None)
            if block is None:
                block = _Block(self.dimension)
                self._blocks.append(block)
            taken = min(block.free, ids.size)
            block.append(ids[:taken], embeddings[:taken])
            ids, embeddings = ids[taken:], embeddings[taken:]

    def remove(self, template_id: int) -> None:
        """Forget a template; nothing happens where it is not in it."""
        for block in self._blocks:
            if block.remove(template_id):
                if not block.count:
                    self._blocks.remove(block)
                return

    def nearest(self, embedding: Vector) -> Found | None:
        """The template with the greatest inner product, by a scan of all, and the second one.

        Blocks a thread; touches no event loop.
        """
        best: list[tuple[float, _Block, int]] = []
        for block in self._blocks:
            cosines = block.embeddings[: block.count] @ embedding
            for _ in range(min(2, block.count)):
                position = int(cosines.argmax())
                best.append((float(cosines[position]), block, position))
                cosines[position] = -np.inf
        if not best:
            return None
        (cosine, block, position), *others = heapq.nlargest(2, best, key=lambda one: one[0])
        template_id = int(block.ids[position])
        if not others:
            return Found(template_id, cosine)
        second, other, place = others[0]
        return Found(template_id, cosine, second, float(block.embeddings[position] @ other.embeddings[place]))


class _Block:
    """BLOCK_ROWS places, the first `count` of them taken.

    Its memory is mapped, not allocated: it goes back to the system with the block, which the allocator, told to keep
    what it has (see the supervisor's KEPT_BYTES), would not do.
    """

    def __init__(self, dimension: int) -> None:
        memory = mmap.mmap(-1, BLOCK_ROWS * dimension * np.dtype(np.float32).itemsize)
        self.embeddings: Vector = np.frombuffer(memory, np.float32).reshape(BLOCK_ROWS, dimension)
        self.ids = np.zeros(BLOCK_ROWS, np.int64)
        self.count = 0

    @property
    def free(self) -> int:
        return BLOCK_ROWS - self.count

    def append(self, ids: NDArray[np.int64], embeddings: Vector) -> None:
        end = self.count + ids.size
        self.ids[self.count : end] = ids
        self.embeddings[self.count : end] = embeddings
        self.count = end

    def remove(self, template_id: int) -> bool:
        """Was it here? The last one takes its place."""
        places = np.flatnonzero(self.ids[: self.count] == template_id)
        if not places.size:
            return False
        self.count -= 1
        self.ids[places[0]] = self.ids[self.count]
        self.embeddings[places[0]] = self.embeddings[self.count]
        return True
