"""The face operations: what each does with pictures, engines and templates.

Every handler is idempotent by its transaction id: a job whose worker died is done again by another, and gives the same
answer. What blocks (decoding, inference) runs in threads; what waits (PostgreSQL) is awaited here.

The engines are asked in their order until one answers; the outcome names it. A user is enrolled with a template of
every engine that sees the face, because an engine without a template cannot stand in for another.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from shared import contracts
from shared.contracts import Context, Failure, failed
from shared.db.templates import Template, Templates, names_of
from workers.face.analysis import Analysis, Want, analyse
from workers.face.anonymous import detected, looked_at
from workers.face.engines import NO_ENGINE
from workers.face.identification import needed_score
from workers.face.judges import PLAIN
from workers.inference.circuit import first_answer
from workers.runtime.process import SPARE_THREADS
from workers.vision.decode import ImageError
from workers.vision.detection import DetectOptions
from workers.vision.profile import same_face

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from shared.db.transactions import Transaction
    from shared.settings import Faces as FaceSettings
    from workers.face.engines import Engine, Engines, EngineSlot
    from workers.face.judges import Judges
    from workers.face.search import Search
    from workers.runtime.tasks import Call, Handlers

ALREADY = "delete the user first, or choose another user code"
OTHER_MODEL = "the user was registered with a model that is no longer used; delete and register again"
MISMATCH = "the face is not the one that this user code was registered with"

# What a verify must score so that its picture becomes a template of an engine that lacks one: one false match in ten
# thousand, ten times rarer than a login's, whatever the call's context was. A false match ends with the call, but a
# template made of one would let the same wrong person in for years. It fills a gap only: a template that exists is
# never replaced by a verify, so whoever holds a user's session cannot drift it step by step towards another face.
FILL_IN_SCORE = 0.8

# How often a registration begins again because another call changed the same user meanwhile.
TRIES = 3

# Only what an engine's outage left behind depends on it.
LACKING_S = 5.0
MOST_REMEMBERED = 10_000


class FaceTasks:
    """The handlers of one worker process."""

    def __init__(
        self,
        engines: Engines,
        templates: Templates,
        search: Search,
        settings: FaceSettings,
        judges: Judges = PLAIN,
        *,
        slots: int = 1,
    ) -> None:
        self._engines = engines
        self._templates = templates
        self._search = search
        self._judges = judges
        # One for each call in hand, and as many spare ones as calls have: a picture keeps its thread where an engine
        # hangs, and the next engine needs another.
        self._pictures = ThreadPoolExecutor(slots + SPARE_THREADS, thread_name_prefix="picture")
        self._lacking: dict[tuple[int, str], tuple[bool, float]] = {}
        self._max_pixels = settings.max_pixels
        self._fpir = settings.identify_fpir
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
        """Enrol a face under a new user code or, with `renew`, in the place of the same person's older one."""
        for _ in range(TRIES):
            enrolled_by = await self._templates.enrolled_by(call.tenant_id, operation.user_code)
            if enrolled_by is None or enrolled_by == call.job.tx_id:
                outcome = await self._enrol(operation, call)
            elif operation.renew:
                outcome = await self._renew(operation, call, enrolled_by)
            else:
                break
            if outcome is not None:
                return outcome
        return failed(Failure.ALREADY_ENROLLED, ALREADY)

    async def _enrol(self, operation: contracts.RegisterFace, call: Call) -> contracts.AnyOutcome | None:
        """A new user. None where another call has just enrolled one under this code."""
        seen = await self._look_to_keep(operation, call, self._engines.in_order(operation.engine))
        return await self._keep(operation, call, seen, self._templates.enrol)

    async def _renew(
        self, operation: contracts.RegisterFace, call: Call, enrolled_by: str
    ) -> contracts.AnyOutcome | None:
        """The same person's new photo. None where the user is no longer the one that `enrolled_by` enrolled."""
        enrolled = await self._templates.of_user(call.tenant_id, operation.user_code)
        if enrolled is None:
            return None
        seen = await self._look_for(operation, call, enrolled)
        return await self._keep(operation, call, seen, partial(self._templates.replace, enrolled_by=enrolled_by))

    async def _look_for(
        self, operation: contracts.RegisterFace, call: Call, enrolled: Sequence[Template]
    ) -> tuple[Engine, Analysis] | contracts.Failed:
        """The face of image 0, if it is good enough to be kept and that of one of these templates of a user.

        The first engine that has one compares. Where all templates are of models of the past there is nothing to
        compare with, and the renewal is refused: otherwise a change of models would let anybody's face take over a
        code. Deleting such a user first is a step that the caller takes knowingly.
        """
        by_model = {(template.engine, template.model_id): template for template in enrolled}
        able = [slot for slot in self._engines.in_order(operation.engine) if _model(slot) in by_model]
        if not able:
            if self._may_come_back(enrolled):
                return failed(Failure.ENGINE_UNAVAILABLE, NO_ENGINE, retry_after_s=1)
            return failed(Failure.ALREADY_ENROLLED, OTHER_MODEL)
        seen = await self._look_to_keep(operation, call, able)
        if isinstance(seen, contracts.Failed):
            return seen
        engine, found = seen
        cosine = float(found.embedding @ by_model[engine.name, engine.model_id].embedding)
        if engine.calibration.score(cosine) < self._thresholds[Context.GENERAL]:
            return failed(Failure.FACE_MISMATCH, MISMATCH)
        return seen

    async def _look_to_keep(
        self, operation: contracts.RegisterFace, call: Call, slots: Iterable[EngineSlot]
    ) -> tuple[Engine, Analysis] | contracts.Failed:
        """The face of image 0, if it is good enough to be kept."""
        looked = await self._look(operation, call, Want.TEMPLATE, slots)
        if isinstance(looked, contracts.Failed):
            return looked
        engine, (found,) = looked
        if found.faults:
            return failed(Failure.LOW_QUALITY, "; ".join(fault.advice for fault in found.faults))
        return engine, found

    async def _keep(
        self,
        operation: contracts.RegisterFace,
        call: Call,
        seen: tuple[Engine, Analysis] | contracts.Failed,
        write: Callable[[int, str, str | None, list[Template], Transaction], Awaitable[bool]],
    ) -> contracts.AnyOutcome | None:
        """Write a template of every engine that sees the same face. None where `write` is False."""
        if isinstance(seen, contracts.Failed):
            return seen
        engine, found = seen
        others = [slot for slot in self._engines.in_order(operation.engine) if slot.name != engine.name]
        made = await asyncio.gather(*(self._template(operation, call, slot, found) for slot in others))
        templates = [Template(engine.name, engine.model_id, found.embedding), *filter(None, made)]
        if call.past_deadline:
            return failed(Failure.DEADLINE, "the call could not be answered in time; try again", retry_after_s=1)
        outcome = contracts.Registered(engine=engine.name, model=engine.model_id, profile=found.profile)
        row = call.transaction(outcome)
        if not await write(call.tenant_id, operation.user_code, operation.name, templates, row):
            return None
        call.recorded = True
        return outcome

    async def verify(self, operation: contracts.VerifyFace, call: Call) -> contracts.AnyOutcome:
        """One against one user's template, by the first engine that has one of the user."""
        enrolled = await self._templates.of_user(call.tenant_id, operation.user_code)
        if enrolled is None:
            return failed(Failure.NOT_ENROLLED, "register the user first")
        by_model = {(template.engine, template.model_id): template for template in enrolled}
        able = [slot for slot in self._engines.in_order(operation.engine) if _model(slot) in by_model]
        if not able:
            waiting = not enrolled or self._may_come_back(enrolled)
            return (
                failed(Failure.ENGINE_UNAVAILABLE, NO_ENGINE) if waiting else failed(Failure.NOT_ENROLLED, OTHER_MODEL)
            )
        looked = await self._look(operation, call, Want.EMBEDDING, able)
        if isinstance(looked, contracts.Failed):
            return looked
        engine, (found,) = looked
        template = by_model[engine.name, engine.model_id]
        score = engine.calibration.score(float(found.embedding @ template.embedding))
        threshold = self._thresholds[operation.context]
        matched = score >= threshold
        if not matched and (unfit := _unfit([found])):
            return unfit
        if score >= FILL_IN_SCORE:
            missing = [slot for slot in self._engines.in_order() if _model(slot) not in by_model]
            call.afterwards.extend(partial(self._fill_in, operation, call, slot, found) for slot in missing)
        return contracts.Verified(
            score=score,
            matched=matched,
            threshold=threshold,
            engine=engine.name,
            model=engine.model_id,
            profile=found.profile,
        )

    async def identify(self, operation: contracts.IdentifyFace, call: Call) -> contracts.AnyOutcome:
        """One against all of the tenant's users; those that the answering engine lacks, by the next one."""
        outcome: contracts.AnyOutcome = failed(Failure.ENGINE_UNAVAILABLE, NO_ENGINE, retry_after_s=1)
        for slot in self._engines.in_order(operation.engine):
            looked = await self._look(operation, call, Want.EMBEDDING, [slot])
            if isinstance(looked, contracts.Failed):
                # A second engine that sees no face changes nothing about what the first one said.
                if isinstance(outcome, contracts.Failed):
                    outcome = looked
                continue
            engine, (found,) = looked
            identified = await self._identify(engine, found, call)
            if not isinstance(outcome, contracts.Identified) or identified.matched:
                outcome = identified
            if identified.matched or not await self._anybody_lacks(call.tenant_id, engine):
                break
        return outcome

    async def _anybody_lacks(self, tenant_id: int, engine: Engine) -> bool:
        """Is there a user whom this engine cannot identify? As it was a few seconds ago: it is a long look."""
        key = tenant_id, engine.model_id
        lacking, until = self._lacking.get(key, (False, 0.0))
        if time.monotonic() >= until:
            lacking = await self._templates.anybody_lacks(tenant_id, engine.name, engine.model_id)
            if len(self._lacking) >= MOST_REMEMBERED:
                self._lacking.clear()
            self._lacking[key] = lacking, time.monotonic() + LACKING_S
        return lacking

    async def _identify(self, engine: Engine, found: Analysis, call: Call) -> contracts.Identified:
        started = time.perf_counter()
        names = names_of(engine.name, engine.model_id)
        each = [await self._search.nearest(call.tenant_id, name, engine.model_id, found.embedding) for name in names]
        best = max((one for one in each if one), key=lambda one: one.cosine, default=None)
        search_ms = (time.perf_counter() - started) * 1000
        threshold = self._thresholds[Context.GENERAL]
        score = engine.calibration.score(best.cosine) if best else 0.0
        if best is not None:
            # What this search of so many asked for: a caller who compares score and threshold sees why.
            threshold = needed_score(engine.calibration, best, threshold=threshold, fpir=self._fpir)
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
        looked = await self._look(operation, call, Want.EMBEDDING, self._engines.in_order(operation.engine))
        if isinstance(looked, contracts.Failed):
            return looked
        engine, (first, second) = looked
        threshold = self._thresholds[Context.GENERAL]
        score = engine.calibration.score(float(first.embedding @ second.embedding))
        matched = score >= threshold
        if not matched and (unfit := _unfit([first, second])):
            return unfit
        return contracts.Compared(
            score=score,
            matched=matched,
            threshold=threshold,
            engine=engine.name,
            model=engine.model_id,
            profile=_summed(first.profile, second.profile),
        )

    async def count(self, operation: contracts.CountFaces, call: Call) -> contracts.AnyOutcome:
        """Every face of a picture."""
        looked = await looked_at(self._engines, operation, call, self._max_pixels)
        if isinstance(looked, contracts.Failed):
            return looked
        found = detected(*looked)
        return contracts.FacesCounted(faces=found.faces, engine=found.engine, model=None, profile=found.profile)

    async def delete(self, operation: contracts.DeleteUser, call: Call) -> contracts.AnyOutcome:
        """Forget a user."""
        row = call.transaction(contracts.UserDeleted(templates=0))
        removed = await self._templates.delete(call.tenant_id, operation.user_code, row)
        if removed is None:
            return failed(Failure.NOT_ENROLLED, "there is no such user")
        call.recorded = True
        return contracts.UserDeleted(templates=removed)

    async def _look(
        self, operation: contracts.Detecting, call: Call, want: Want, slots: Iterable[EngineSlot]
    ) -> tuple[Engine, list[Analysis]] | contracts.Failed:
        """Walk the call's pictures through the first of the engines that answers.

        What is wrong with a picture is an answer; the first such thing is the failure.
        """
        options = DetectOptions.of(operation)
        looked = await first_answer(slots, call.compute, self._analyse_all, call.images, options, want, call.has_room)
        return looked or failed(Failure.ENGINE_UNAVAILABLE, NO_ENGINE, retry_after_s=1)

    def _analyse_all(
        self, engine: Engine, images: Sequence[bytes], options: DetectOptions, want: Want, together: bool
    ) -> tuple[Engine, list[Analysis]] | contracts.Failed:
        """One picture after the other or, where a core is idle, all of them `together`, each in a thread.

        Decoding, OpenCV and networks all leave Python's interpreter lock. On two cores a compare takes 0.7 times as
        long together; but where every core has a call of its own, 8 clients get 0.94 times as many answers.
        """
        first, *others = images
        rest: list[Future[Analysis | ImageError]] = []
        if together:
            rest = [self._pictures.submit(self._analyse, engine, image, options, want) for image in others]
        try:
            found = [self._analyse(engine, first, options, want)]
        finally:
            # Waited for whatever happens, so that no picture is still worked on when its call has been answered.
            wait(rest)
        found += [future.result() for future in rest]
        for image in images[len(found) :]:
            if isinstance(found[-1], ImageError):
                break
            found.append(self._analyse(engine, image, options, want))
        for position, one in enumerate(found):
            if isinstance(one, ImageError):
                return failed(one.failure, one.detail, image=position)
        return engine, [one for one in found if isinstance(one, Analysis)]

    def _analyse(self, engine: Engine, image: bytes, options: DetectOptions, want: Want) -> Analysis | ImageError:
        """One picture, or what is wrong with it; raises what the engine raises."""
        try:
            return analyse(engine, image, options, want, max_pixels=self._max_pixels, judges=self._judges)
        except ImageError as error:
            return error

    def _may_come_back(self, templates: Iterable[Template]) -> bool:
        """Is any of these of an engine that is off now? Where none is, they are all of models of the past."""
        off = {slot.name for slot in self._engines.all()} - {slot.name for slot in self._engines.in_order()}
        return any(template.engine in off for template in templates)

    async def _template(
        self, operation: contracts.Detecting, call: Call, slot: EngineSlot, seen: Analysis
    ) -> Template | None:
        """Another engine's template of the face that was `seen`. None where it fails, or sees no good one.

        An engine that misses the face and finds a passer-by's must not enrol that one.
        """
        looked = await self._look(operation, call, Want.TEMPLATE, [slot])
        if isinstance(looked, contracts.Failed):
            return None
        engine, (found,) = looked
        if found.faults or not same_face(seen.chosen, found.chosen):
            return None
        return Template(engine.name, engine.model_id, found.embedding)

    async def _fill_in(self, operation: contracts.VerifyFace, call: Call, slot: EngineSlot, seen: Analysis) -> None:
        """Give a verified user the template that an engine could not make when they registered."""
        template = await self._template(operation, call, slot, seen)
        if template is not None:
            await self._templates.add(call.tenant_id, operation.user_code, template, call.job.tx_id)


def _model(slot: EngineSlot) -> tuple[str, str]:
    """Engine and model id; the latter is empty for an engine that was never loaded, and matches nothing."""
    return slot.name, slot.part.model_id if slot.part else ""


def _unfit(pictures: Sequence[Analysis]) -> contracts.Failed | None:
    """Say which picture is too bad to tell two persons apart, instead of a "no match" that it is no evidence for."""
    for position, one in enumerate(pictures):
        if one.unfit:
            return failed(Failure.LOW_QUALITY, "; ".join(fault.advice for fault in one.unfit), image=position)
    return None


def _summed(first: contracts.Profile, second: contracts.Profile) -> contracts.Profile:
    """The times of two pictures together; what is no time is the first one's."""
    times = {
        name: getattr(first, name) + getattr(second, name)
        for name in ("decode_ms", "preprocess_ms", "blob_ms", "inference_ms", "postprocess_ms", "nms_ms", "embed_ms")
    }
    return msgspec.structs.replace(first, **times, input_bytes=first.input_bytes + second.input_bytes)
