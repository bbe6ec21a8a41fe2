"""The face operations: what each does with pictures, engines and templates.

Every handler is idempotent by its transaction id: a job whose worker died is done again by another, and gives the same
answer. What blocks (decoding, inference) runs through `call.compute`; what waits (PostgreSQL) is awaited here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from shared import contracts
from shared.contracts import Context, Failure, failed
from shared.db.templates import Template, Templates
from workers.face.analysis import Analysis, Want, analyse
from workers.face.detection import DetectOptions
from workers.face.images import ImageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.settings import Faces as FaceSettings
    from workers.face.engines import Engine
    from workers.face.search import Search
    from workers.runtime.tasks import Call, Handlers

NO_ENGINE = "no face engine is loaded; an operator can see why with `fidox doctor`"


class FaceTasks:
    """The handlers of one worker process. `engines` in the order they are asked; the first answers."""

    def __init__(self, engines: Sequence[Engine], templates: Templates, search: Search, settings: FaceSettings) -> None:
        self._engines = engines
        self._templates = templates
        self._search = search
        self._max_pixels = settings.max_pixels
        self._thresholds = {
            Context.LOGIN: settings.threshold_login,
            Context.GENERAL: settings.threshold_general,
            Context.MONITORING: settings.threshold_monitoring,
        }

    def handlers(self) -> Handlers:
        """The table that the worker runtime dispatches by."""
        return {
            contracts.RegisterFace: self.register,
            contracts.VerifyFace: self.verify,
            contracts.IdentifyFace: self.identify,
            contracts.CompareFaces: self.compare,
            contracts.CountFaces: self.count,
            contracts.DeleteUser: self.delete,
        }

    async def register(self, operation: contracts.RegisterFace, call: Call) -> contracts.AnyOutcome:
        """Enrol a face under a new user code."""
        enrolled_by = await self._templates.enrolled_by(call.tenant_id, operation.user_code)
        if enrolled_by is not None and enrolled_by != call.job.tx_id:
            return failed(Failure.ALREADY_ENROLLED, "delete the user first, or choose another user code")
        looked = await self._look(operation, call, Want.TEMPLATE)
        if isinstance(looked, contracts.Failed):
            return looked
        engine, (found,) = looked
        if found.faults:
            return failed(Failure.LOW_QUALITY, "; ".join(fault.advice for fault in found.faults))
        if call.past_deadline:
            return failed(Failure.DEADLINE, "the call could not be answered in time; try again", retry_after_s=1)
        outcome = contracts.Registered(engine=engine.name, model=engine.model_id, profile=found.profile)
        template = Template(engine.name, engine.model_id, found.embedding)
        row = call.transaction(outcome)
        if not await self._templates.enrol(call.tenant_id, operation.user_code, operation.name, [template], row):
            return failed(Failure.ALREADY_ENROLLED, "delete the user first, or choose another user code")
        call.recorded = True
        return outcome

    async def verify(self, operation: contracts.VerifyFace, call: Call) -> contracts.AnyOutcome:
        """One against one user's template."""
        enrolled = await self._templates.of_user(call.tenant_id, operation.user_code)
        if enrolled is None:
            return failed(Failure.NOT_ENROLLED, "register the user first")
        looked = await self._look(operation, call, Want.EMBEDDING)
        if isinstance(looked, contracts.Failed):
            return looked
        engine, (found,) = looked
        for template in enrolled:
            if (template.engine, template.model_id) == (engine.name, engine.model_id):
                score = engine.calibration.score(float(found.embedding @ template.embedding))
                threshold = self._thresholds[operation.context]
                return contracts.Verified(
                    score=score,
                    matched=score >= threshold,
                    threshold=threshold,
                    engine=engine.name,
                    model=engine.model_id,
                    profile=found.profile,
                )
        detail = "the user was registered with another model; delete and register again"
        return failed(Failure.NOT_ENROLLED, detail)

    async def identify(self, operation: contracts.IdentifyFace, call: Call) -> contracts.AnyOutcome:
        """One against all of the tenant's users."""
        looked = await self._look(operation, call, Want.EMBEDDING)
        if isinstance(looked, contracts.Failed):
            return looked
        engine, (found,) = looked
        started = time.perf_counter()
        best = await self._search.nearest(call.tenant_id, engine.name, engine.model_id, found.embedding)
        search_ms = (time.perf_counter() - started) * 1000
        threshold = self._thresholds[Context.GENERAL]
        score = engine.calibration.score(best.cosine) if best else 0.0
        matched = best is not None and score >= threshold
        return contracts.Identified(
            score=score,
            matched=matched,
            threshold=threshold,
            user_code=best.user_code if best and matched else None,
            name=best.name if best and matched else None,
            engine=engine.name,
            model=engine.model_id,
            profile=msgspec.structs.replace(found.profile, search_ms=search_ms),
        )

    async def compare(self, operation: contracts.CompareFaces, call: Call) -> contracts.AnyOutcome:
        """One picture against another."""
        looked = await self._look(operation, call, Want.EMBEDDING)
        if isinstance(looked, contracts.Failed):
            return looked
        engine, (first, second) = looked
        threshold = self._thresholds[Context.GENERAL]
        score = engine.calibration.score(float(first.embedding @ second.embedding))
        return contracts.Compared(
            score=score,
            matched=score >= threshold,
            threshold=threshold,
            engine=engine.name,
            model=engine.model_id,
            profile=_summed(first.profile, second.profile),
        )

    async def count(self, operation: contracts.CountFaces, call: Call) -> contracts.AnyOutcome:
        """Every face of a picture."""
        looked = await self._look(operation, call, Want.FACES)
        if isinstance(looked, contracts.Failed):
            return looked
        engine, (found,) = looked
        return contracts.FacesCounted(faces=found.faces, engine=engine.name, model=None, profile=found.profile)

    async def delete(self, operation: contracts.DeleteUser, call: Call) -> contracts.AnyOutcome:
        """Forget a user."""
        outcome = contracts.UserDeleted(templates=0)
        row = call.transaction(outcome)
        removed = await self._templates.delete(call.tenant_id, operation.user_code, row)
        if removed is None:
            return failed(Failure.NOT_ENROLLED, "there is no such user")
        call.recorded = True
        return contracts.UserDeleted(templates=removed)

    async def _look(
        self, operation: contracts.Detecting, call: Call, want: Want
    ) -> tuple[Engine, list[Analysis]] | contracts.Failed:
        """Walk the call's pictures through the engine that answers; the first thing wrong with one is the failure."""
        if not self._engines:
            return failed(Failure.ENGINE_UNAVAILABLE, NO_ENGINE)
        engine = self._engines[0]
        options = DetectOptions(operation.confidence, operation.nms_threshold, operation.max_faces)
        return await call.compute(self._analyse_all, engine, call.images, options, want)

    def _analyse_all(
        self, engine: Engine, images: Sequence[bytes], options: DetectOptions, want: Want
    ) -> tuple[Engine, list[Analysis]] | contracts.Failed:
        analyses: list[Analysis] = []
        for position, image in enumerate(images):
            try:
                analyses.append(analyse(engine, image, options, want, max_pixels=self._max_pixels))
            except ImageError as error:
                return failed(error.failure, error.detail, image=position)
        return engine, analyses


def _summed(first: contracts.Profile, second: contracts.Profile) -> contracts.Profile:
    """The times of two pictures together; what is no time is the first one's."""
    times = {
        name: getattr(first, name) + getattr(second, name)
        for name in ("decode_ms", "preprocess_ms", "blob_ms", "inference_ms", "postprocess_ms", "nms_ms", "embed_ms")
    }
    return msgspec.structs.replace(first, **times, input_bytes=first.input_bytes + second.input_bytes)
