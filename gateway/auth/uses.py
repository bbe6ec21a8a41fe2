"""How often each API key is used, and when last: counted here, written in batches.

A write a request would be a lock on one row that all of a key's requests queue for. What a gateway that is killed had
counted in its last half second is lost; one that is stopped writes it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.db.batches import BatchWriter

if TYPE_CHECKING:
    from uuid import UUID

    from shared.db.api_keys import ApiKeys


class KeyUses(BatchWriter):
    """One a process; there is at most one entry for each live key."""

    what = "counts of API keys"

    def __init__(self, api_keys: ApiKeys) -> None:
        super().__init__()
        self._api_keys = api_keys
        self._uses: dict[UUID, tuple[int, datetime]] = {}

    def __len__(self) -> int:
        """How many keys have counts that wait."""
        return len(self._uses)

    def count(self, key_id: UUID) -> None:
        """One request with this key, now."""
        uses, _ = self._uses.get(key_id, (0, None))
        self._uses[key_id] = uses + 1, datetime.now(UTC)
        self._something.set()

    async def flush(self) -> None:
        """See `BatchWriter.flush`."""
        if not self._uses:
            return
        batch, self._uses = self._uses, {}
        try:
            await self._api_keys.add_uses(batch)
        except BaseException:
            for key_id, (uses, last) in batch.items():
                more, latest = self._uses.get(key_id, (0, last))
                self._uses[key_id] = uses + more, latest
            raise
