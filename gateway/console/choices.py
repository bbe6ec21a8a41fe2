"""The tenants that a field of a filter offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.calls import or_unavailable
from shared.db.pages import Window

if TYPE_CHECKING:
    from gateway.services import Services
    from shared.db.tenants import Tenant

# A longer list is no help; who has more tenants comes by the tenant's own page.
MOST = 200


async def tenant_choices(services: Services, wanted: int | None) -> tuple[list[Tenant], Tenant | None]:
    """The first tenants by name, and the wanted one, which is among them wherever it stands."""
    tenants = (await or_unavailable(services.tenants.page(Window(1, MOST, "name")))).items
    chosen = next((tenant for tenant in tenants if tenant.id == wanted), None)
    if wanted is not None and chosen is None:
        chosen = await or_unavailable(services.tenants.get(wanted))
        tenants = [*tenants, *([chosen] if chosen else [])]
    return tenants, chosen
