"""What this machine's CPU can do, as far as it decides which networks run and in which precision."""

from __future__ import annotations

from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
# Linux's names: Intel's matrix unit, and the dot products of AVX-512 that AMD has as well (Zen 4 and later).
AMX = "amx_bf16"
BF16 = frozenset({AMX, "avx512_bf16"})


def flags(cpuinfo: Path = CPUINFO) -> frozenset[str]:
    """Return the CPU's features by Linux's names; empty where the system does not list them."""
    try:
        text = cpuinfo.read_text("ascii", errors="replace")
    except OSError:
        return frozenset()
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"flags", "Features"}:
            return frozenset(value.split())
    return frozenset()


@cache
def has_bf16() -> bool:
    """Does it multiply bfloat16 in hardware? Emulated, it is slower than single precision."""
    return bool(BF16 & flags())


@cache
def has_amx() -> bool:
    """Does it have the matrix unit, which makes larger networks as cheap as small ones were?"""
    return AMX in flags()
