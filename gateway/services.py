"""What lives as long as a gateway process, built once at start-up and handed down."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.auth.keys import KeyStates
from gateway.auth.limits import Limiter, open_limiter
from gateway.auth.tokens import Tokens
from shared.db.passwords import Passwords
from shared.db.pool import Pool, open_pool
from shared.db.recorder import Recorder, open_recorder
from shared.db.tenants import Tenants
from shared.db.transactions import Transactions
from shared.queue import Queue, open_queue

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """Handed to every route through the application's state."""

    settings: Settings
    pool: Pool
    queue: Queue
    limiter: Limiter
    tokens: Tokens
    tenants: Tenants
    passwords: Passwords
    key_states: KeyStates
    recorder: Recorder


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncGenerator[Services]:
    """Connect everything. PostgreSQL and Redis may come up later than this process."""
    async with (
        open_pool(settings.database, application="fidox gateway") as pool,
        open_queue(settings.queue) as queue,
        open_limiter(settings.queue.url) as limiter,
    ):
        passwords = Passwords()
        tenants = Tenants(pool, passwords)
        async with open_recorder(Transactions(pool)) as recorder:
            yield Services(
                settings=settings,
                pool=pool,
                queue=queue,
                limiter=limiter,
                tokens=Tokens(settings.auth.jwt_secrets, settings.auth.token_ttl_s),
                tenants=tenants,
                passwords=passwords,
                key_states=KeyStates(tenants, settings.auth.key_cache_s),
                recorder=recorder,
            )
