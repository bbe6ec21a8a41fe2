"""What lives as long as a gateway process, built once at start-up and handed down."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.auth.basic import BasicLogins
from gateway.auth.first_admin import first_admin
from gateway.auth.keys import KeyStates
from gateway.auth.limits import Limiter, open_limiter
from gateway.auth.tokens import Tokens
from gateway.auth.uses import KeyUses
from gateway.console.day import Day, running_day
from gateway.console.weights import WeightPlaces
from gateway.pictures import Pictures, open_pictures
from shared.db.admin_sessions import AdminSessions
from shared.db.admins import Admins
from shared.db.api_keys import ApiKeys
from shared.db.batches import running
from shared.db.passwords import Passwords
from shared.db.pool import Pool, open_pool
from shared.db.recorder import Recorder, open_recorder
from shared.db.tenants import Tenants
from shared.db.traffic import Traffic
from shared.db.transactions import Transactions
from shared.db.users import Users
from shared.metrics.sampled import sampled
from shared.queue import Queue, open_queue

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from shared.db.api_keys import ApiKeyState
    from shared.db.tenants import KeyState
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
    key_states: KeyStates[KeyState]
    api_keys: ApiKeys
    api_key_states: KeyStates[ApiKeyState]
    key_uses: KeyUses
    admins: Admins
    admin_sessions: AdminSessions
    basic_logins: BasicLogins
    users: Users
    transactions: Transactions
    recorder: Recorder
    traffic: Traffic
    day: Day
    weights: WeightPlaces
    pictures: Pictures | None


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncGenerator[Services]:
    """Connect everything. PostgreSQL and Redis may come up later than this process."""
    async with (
        open_pool(settings.database, application="fidox gateway") as pool,
        open_queue(settings.queue) as queue,
        open_limiter(settings.queue) as limiter,
    ):
        passwords = Passwords()
        tenants = Tenants(pool, passwords)
        api_keys = ApiKeys(pool)
        admins = Admins(pool, passwords)
        transactions = Transactions(pool)
        traffic = Traffic(pool)
        async with (
            open_recorder(transactions) as recorder,
            running(KeyUses(api_keys)) as key_uses,
            first_admin(settings, admins),
            sampled(pool, recorder),
            running_day(traffic, has_database=bool(settings.database.url)) as day,
        ):
            yield Services(
                settings=settings,
                pool=pool,
                queue=queue,
                limiter=limiter,
                tokens=Tokens(settings.auth.jwt_secrets, settings.auth.token_ttl_s),
                tenants=tenants,
                passwords=passwords,
                key_states=KeyStates(tenants.key_state, settings.auth.key_cache_s),
                api_keys=api_keys,
                api_key_states=KeyStates(api_keys.state, settings.face_api.key_cache_s),
                key_uses=key_uses,
                admins=admins,
                admin_sessions=AdminSessions(pool),
                basic_logins=BasicLogins(admins, passwords, limiter, settings.face_api.login_rate),
                users=Users(pool),
                transactions=transactions,
                recorder=recorder,
                traffic=traffic,
                day=day,
                weights=WeightPlaces(settings.weights),
                pictures=open_pictures(settings, pool),
            )
