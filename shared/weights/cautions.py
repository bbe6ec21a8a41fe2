"""What is known against weights that are in use, to be said wherever their answers are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.weights.licences import names_in

if TYPE_CHECKING:
    from collections.abc import Iterable

MESONET = frozenset({"meso4_df", "mesoinception_df"})
# Of 94 faces of StyleGAN2, 25 of other generators and 14 swapped ones: docs/liveness.md.
UNPROVEN = (
    "in a trial the networks in use found none of 133 generated or swapped faces, so that no forgery was found means"
    " nothing"
)
# What an operator does about it.
BETTER = (
    "name a better network with FIDOX_DEEPFAKE_NETWORKS (docs/liveness.md), or leave deepfake out of"
    " FIDOX_LIVENESS_CHECKS"
)


def caution(models: Iterable[str | None]) -> str | None:
    """Return what is known against the weights of these model ids, or None."""
    return UNPROVEN if MESONET.intersection(names_in(models)) else None
