"""An engine in a process of its own: what `workers.inference.isolated` holds, with the engine's face."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from workers.inference.isolated import CALL_S, IsolatedProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.contracts import LoadedNetwork
    from workers.face.calibration import Calibration
    from workers.face.examined import Examined
    from workers.inference.network import FloatArray
    from workers.vision.decode import Image
    from workers.vision.detection import Detection, Detections, DetectOptions


class IsolatedEngine:
    """See `Engine`. Everything may raise IsolatedProcessError. One call at a time; others wait for it."""

    def __init__(self, factory: str, arguments: Sequence[str], *, call_s: float = CALL_S) -> None:
        self._process = IsolatedProcess(factory, arguments, call_s=call_s)
        facts = self._process.attributes("name", "model_id", "detector", "dimension", "calibration", "networks")
        self.name, self.model_id, self.detector, self.dimension, self.calibration, self.networks = cast(
            "tuple[str, str, str, int, Calibration, tuple[LoadedNetwork, ...]]", facts
        )

    def detect(self, image: Image, options: DetectOptions) -> Detections:
        """See `Engine.detect`."""
        return cast("Detections", self._process.call("detect", image, options))

    def embed(self, image: Image, face: Detection) -> FloatArray:
        """See `Engine.embed`."""
        return cast("FloatArray", self._process.call("embed", image, face))

    def examine(self, image: Image, face: Detection) -> Examined:
        """See `Engine.examine`."""
        return cast("Examined", self._process.call("examine", image, face))

    def warm_up(self) -> None:
        """See `Engine.warm_up`."""
        self._process.call("warm_up")

    def close(self) -> None:
        """End the child."""
        self._process.close()
