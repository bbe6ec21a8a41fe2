"""A face's embedding, and how much of a face the recogniser saw in it.

The length of an embedding before it is normalised grows with what the network could make out: of blurred, dark, small
and turned faces, and of what is no face, it is short (Meng et al. 2021, "MagFace"). It costs nothing. What is short
differs from one recogniser to the other: `workers.face.recognisers`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from workers.inference.network import FloatArray


class Examined(NamedTuple):
    """`embedding` is float32[dimension], L2-normalised.

    `is_weak`: its length gives a reason to look closer; a sixth to a half of ordinary photos have such a one, depending
    on the recogniser. `is_poor`: of such faces more than one half are not known again; no ordinary photo has one. Both
    are False for a model whose lengths say nothing or were not measured.
    """

    embedding: FloatArray
    is_weak: bool = False
    is_poor: bool = False
