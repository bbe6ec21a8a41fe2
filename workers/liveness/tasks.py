"""The liveness operation: one decode, one detection, then the checks that were asked for, all at the same time.

Each check runs in a thread of its own, on the same pixels: networks and OpenCV leave Python's interpreter lock, and
each network has one thread. So "every check" takes about as long as the slowest one where there are cores for it.

A check that breaks is an error of the calls that need it, never a "genuine"; what is wrong with a picture is answered
as the face operations do.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from shared import contracts
from shared.contracts import Check, Failure, PartState, failed
from workers.inference.circuit import PartFailedError, State, first_answer
from workers.vision.decode import ImageError, decode
from workers.vision.detection import DetectOptions, Stopwatch
from workers.vision.profile import profile_of
from workers.vision.upright import find_face

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from shared.settings import Liveness as LivenessSettings
    from workers.inference.circuit import Parts, PartSlot
    from workers.inference.network import FloatArray
    from workers.liveness.checks import LivenessCheck
    from workers.runtime.tasks import Call, Handlers
    from workers.vision.clarity import Clarity
    from workers.vision.decode import Image
    from workers.vision.detection import Detection
    from workers.vision.detectors import Detector

NO_CHECK = "no liveness check answers; an operator can see why in the liveness worker's log and with `fidox doctor`"
NO_DETECTOR = "no face detector answers; an operator can see why in the liveness worker's log and with `fidox doctor`"


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The face that is meant: pixels of the picture (BGR uint8[height, width, 3]) and its box (float32[4]) in them."""

    pixels: NDArray[np.uint8]
    box: FloatArray
    profile: contracts.Profile


class LivenessTasks:
    """The handler of one worker process, and what it says of itself."""

    def __init__(
        self,
        detectors: Parts[Detector],
        checks: Parts[LivenessCheck],
        settings: LivenessSettings,
        clarity: Clarity | None = None,
        *,
        max_pixels: int,
    ) -> None:
        self._detectors = detectors
        self._checks = checks
        self._clarity = clarity
        self._max_pixels = max_pixels
        self._thresholds = {
            Check.PHOTO: settings.threshold_photo,
            Check.DEEPFAKE: settings.threshold_deepfake,
            Check.MASK: settings.threshold_mask,
        }

    def handlers(self) -> Handlers:
        """The table that the worker runtime dispatches by."""
        return {contracts.CheckLiveness: self.check}

    async def load(self) -> None:
        """Load what can be loaded."""
        await asyncio.gather(self._detectors.load(), self._checks.load())

    async def mend(self) -> None:
        """Probe what is off, until cancelled."""
        await asyncio.gather(self._detectors.mend(), self._checks.mend())

    def describe(self) -> Sequence[contracts.Part]:
        """Every check's state, with the detector that finds its faces; without one none of them works."""
        parts = self._checks.describe()
        detectors = self._detectors.in_order()
        if detectors:
            model = detectors[0].part.model_id if detectors[0].part else None
            return [msgspec.structs.replace(part, detector=model) for part in parts]
        return [
            msgspec.structs.replace(part, state=PartState.FAILED) if part.state is PartState.READY else part
            for part in parts
        ]

    async def check(self, operation: contracts.CheckLiveness, call: Call) -> contracts.AnyOutcome:
        """Does a check find an attack?"""
        wanted = self._wanted(operation.checks)
        if isinstance(wanted, contracts.Failed):
            return wanted
        found = await self._find(operation, call)
        if isinstance(found, contracts.Failed):
            return found
        watch = Stopwatch()
        # Every one is waited for, so that none of them still works on a picture whose call was answered.
        results = await asyncio.gather(*(self._run(slot, found, call) for slot in wanted), return_exceptions=True)
        for slot, result in zip(wanted, results, strict=True):
            if isinstance(result, PartFailedError):
                return _unavailable(slot.name)
            if isinstance(result, BaseException):
                raise result
        checked = tuple(result for result in results if isinstance(result, contracts.CheckResult))
        lowest = min(checked, key=lambda result: result.score)
        profile = found.profile
        return contracts.LivenessChecked(
            is_live=not any(result.attack for result in checked),
            score=lowest.score,
            threshold=lowest.threshold,
            checks=checked,
            profile=msgspec.structs.replace(profile, inference_ms=profile.inference_ms + watch.lap()),
        )

    def _wanted(self, asked: Sequence[Check]) -> list[PartSlot[LivenessCheck]] | contracts.Failed:
        """The checks to run, in their own order.

        Without names those that were ever loaded, even one that is broken now: a caller who asked for everything must
        not get less because something broke.
        """
        slots = {slot.name: slot for slot in self._checks.all()}
        names = [name for name, slot in slots.items() if slot.part_state is not PartState.ABSENT]
        if asked:
            names = [check.value for check in Check if check in asked]
        if not names:
            return failed(Failure.ENGINE_UNAVAILABLE, NO_CHECK)
        for name in names:
            if name not in slots or slots[name].state is not State.CLOSED:
                return _unavailable(name)
        return [slots[name] for name in names]

    async def _find(self, operation: contracts.CheckLiveness, call: Call) -> Found | contracts.Failed:
        """The face that is meant, by the first detector that answers."""
        options = DetectOptions(operation.confidence, operation.nms_threshold, operation.max_faces)
        watch = Stopwatch()
        try:
            image = await call.compute(self._decode, call.images[0])
        except ImageError as error:
            return failed(error.failure, error.detail, image=0)
        decode_ms = watch.lap()
        found = await first_answer(self._detectors.in_order(), call.compute, self._detect, image, options)
        if found is None:
            return failed(Failure.ENGINE_UNAVAILABLE, NO_DETECTOR, retry_after_s=1)
        if isinstance(found, contracts.Failed):
            return found
        profile = msgspec.structs.replace(found.profile, decode_ms=decode_ms, input_bytes=len(call.images[0]))
        return Found(found.pixels, found.box, profile)

    def _decode(self, data: bytes) -> Image:
        return decode(data, max_pixels=self._max_pixels)

    def _detect(self, detector: Detector, image: Image, options: DetectOptions) -> Found | contracts.Failed:
        """The face that is meant, with its picture set upright: the checks know upright faces only."""
        try:
            sighting = find_face(detector, image, options, self._clarity.judge if self._clarity else _nobody_knows)
        except ImageError as error:
            return failed(error.failure, error.detail, image=0)
        return Found(sighting.image.pixels, sighting.face.box, profile_of(image, sighting.detections, 0))

    async def _run(self, slot: PartSlot[LivenessCheck], found: Found, call: Call) -> contracts.CheckResult:
        check = Check(slot.name)
        threshold = self._thresholds[check]
        score, model = await slot.run(call.compute, _score, found)
        return contracts.CheckResult(
            check=check, score=score, threshold=threshold, attack=score < threshold, model=model
        )


def _nobody_knows(_image: Image, _face: Detection) -> float | None:
    """Stand for the clarity of a face where that network's weights are missing."""
    return None


def _score(check: LivenessCheck, found: Found) -> tuple[float, str]:
    return check.score(found.pixels, found.box), check.model_id


def _unavailable(check: str) -> contracts.Failed:
    detail = f"the check {check} does not answer; `fidox doctor` tells an operator whether its weights are there"
    return failed(Failure.ENGINE_UNAVAILABLE, detail, retry_after_s=1)
