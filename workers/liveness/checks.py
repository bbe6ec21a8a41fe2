"""What a check is: something that looks at one face of a picture and says how sure it is that nothing is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from shared.contracts import LoadedNetwork
    from workers.inference.network import FloatArray


class LivenessCheck(Protocol):
    """Blocking, and safe to call from several threads at once."""

    @property
    def model_id(self) -> str:
        """The names of its weights, joined by `+`."""
        ...

    @property
    def networks(self) -> tuple[LoadedNetwork, ...]:
        """What it computes with."""
        ...

    def score(self, pixels: NDArray[np.uint8], box: FloatArray) -> float:
        """The probability, 0..1, that the face is genuine as far as this check can see.

        `pixels` is BGR uint8[height, width, 3]; `box` is float32[4], x1 y1 x2 y2, inside it.
        """
        ...

    def warm_up(self) -> None:
        """Run everything once, so that the first request does not pay for it."""
        ...
