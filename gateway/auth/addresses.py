"""Whose calls are counted together where nothing but an address is known.

One customer has a whole /64 of IPv6 addresses (RFC 6177), often more: counted one by one they are as good as no limit.
"""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection

NETWORK_BITS = 64
UNKNOWN = "unknown"


def address_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Whom a connection counts as."""
    return counted_as(connection.client.host if connection.client else UNKNOWN)


def counted_as(host: str) -> str:
    """An IPv4 address itself, also where it is written as IPv6; of IPv6 the network of 64 bits; other text as it is."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), NETWORK_BITS), strict=False))
