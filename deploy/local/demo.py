"""The demo tenant: real rows with hashed secrets, and the credentials in `demo.env`, made once.

They are made anew where the file or the rows are missing: a database that was replaced, a file that was deleted, a
key that was revoked. The keys that this lost are revoked, so that no unknown key stays alive.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from deploy.local import envfiles
from shared.db.admins import Admins
from shared.db.api_keys import ApiKeys
from shared.db.pool import DuplicateNameError, open_pool
from shared.db.tenants import Tenants

if TYPE_CHECKING:
    from pathlib import Path

    from shared.db.pool import Pool
    from shared.settings import Database

TENANT = "demo"
LABEL = "make run"
CALLS_PER_MINUTE = 6000
NAMES = ("ACCESS_KEY", "SECRET_KEY", "API_KEY", "ADMIN_USERNAME", "ADMIN_PASSWORD")


async def seed(database: Database, path: Path) -> bool:
    """Make sure that `path` holds credentials that work. True where they were made now."""
    async with open_pool(database, application="fidox-up") as pool:
        known = envfiles.read(path)
        if all(known.get(name) for name in NAMES) and await _are_rows_there(pool, known):
            return False
        envfiles.write(path, await _create(pool))
        return True


async def _are_rows_there(pool: Pool, known: dict[str, str]) -> bool:
    tenants = Tenants(pool)
    tenant = await tenants.by_name(TENANT)
    if tenant is None:
        return False
    live = {key.access_key for key in await tenants.keys(tenant.id) if key.revoked_at is None}
    # The API key and the account were made in the same breath as this key: where it is, they were.
    return known["ACCESS_KEY"] in live


async def _create(pool: Pool) -> dict[str, str]:
    tenants = Tenants(pool)
    tenant = await tenants.by_name(TENANT) or await tenants.create(TENANT, CALLS_PER_MINUTE)
    for key in await tenants.keys(tenant.id):
        if key.label == LABEL and key.revoked_at is None:
            await tenants.revoke_key(key.access_key)
    _, access_key, secret_key = await tenants.create_key(tenant.id, LABEL)
    _, api_key = await ApiKeys(pool).create(f"{TENANT} ({LABEL})")
    username, password = await _create_admin(Admins(pool))
    return dict(zip(NAMES, (access_key, secret_key, api_key, username, password), strict=True))


async def _create_admin(admins: Admins) -> tuple[str, str]:
    password = secrets.token_urlsafe(18)
    try:
        await admins.create("admin", password)
    except DuplicateNameError:
        # An account of that name is someone's own, or the lost file's; its password is not ours to change.
        username = f"admin-{secrets.token_hex(3)}"
        await admins.create(username, password)
        return username, password
    return "admin", password
