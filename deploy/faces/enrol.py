"""Many pictures into templates, as register makes them: the same engines, the same rules, the same quality gate.

A chunk at a time: who is enrolled already is left out before any work, the rest is looked at in threads, and what is
good is written in one transaction. So a stop loses one chunk's work and nothing else, and the next run goes on.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from deploy.faces import pictures
from shared.db.bulk import Person, Stored
from shared.db.templates import TEMPLATE_VERSION
from workers.face.analysis import Want, analyse
from workers.face.judges import PLAIN
from workers.runtime.supervisor import cores
from workers.vision.decode import ImageError
from workers.vision.detection import DetectOptions
from workers.vision.profile import same_face

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from deploy.faces.sources import Candidate
    from shared.db.bulk import Bulk
    from shared.db.tenants import Tenant
    from shared.settings import Settings
    from workers.face.engines import Engine
    from workers.face.judges import Judges

# People a thread: long enough that its end, where threads wait for the last picture, is a small part of it.
CHUNK = 16

ENROLLED = "enrolled"
ALREADY_THERE = "already there"
REFUSED = "refused"
UNUSED = "unused"  # a further picture of someone who has a good one


class Line(NamedTuple):
    """What came of one picture."""

    user_code: str
    file: str
    result: str
    detail: str


class Looked(NamedTuple):
    """What came of one candidate; `person` is None where no picture was good."""

    person: Person | None
    lines: list[Line]


class Tally(msgspec.Struct):
    """Counts of pictures, growing while it runs; `incomplete` of the enrolled lack an engine's template."""

    enrolled: int = 0
    already_there: int = 0
    refused: int = 0
    unused: int = 0
    incomplete: int = 0


class Enrolment:
    """Enrols candidates with `engines`: the first decides, and each of the others adds a template where it can."""

    def __init__(
        self,
        bulk: Bulk,
        tenant: Tenant,
        engines: Sequence[Engine],
        settings: Settings,
        report: Callable[[Line], None],
        judges: Judges = PLAIN,
    ) -> None:
        self.tally = Tally()
        self._bulk = bulk
        self._tenant = tenant
        self._engines = engines
        self._settings = settings
        self._report = report
        self._judges = judges
        self._tx_id = f"enrol_{secrets.token_hex(6)}"

    async def run(self, candidates: Sequence[Candidate], advance: Callable[[int], None]) -> None:
        """All of them. `advance` is told how many candidates are done with."""
        loop = asyncio.get_running_loop()
        with pictures.workforce() as pool:
            for chunk in _chunks(candidates, CHUNK * cores()):
                there = await self._bulk.enrolled(self._tenant.id, [one.user_code for one in chunk])
                for one in chunk:
                    if one.user_code in there:
                        self._say(Line(one.user_code, str(one.pictures[0]), ALREADY_THERE, ""))
                fresh = [one for one in chunk if one.user_code not in there]
                looked = await asyncio.gather(*(loop.run_in_executor(pool, self._look, one) for one in fresh))
                people = [one.person for one in looked if one.person is not None]
                new = await self._bulk.insert(self._tenant.id, people, self._tx_id)
                for one in looked:
                    self._tell(one, new)
                advance(len(chunk))

    def _tell(self, looked: Looked, new: set[str]) -> None:
        for line in looked.lines:
            if line.result == ENROLLED and line.user_code not in new:
                self._say(line._replace(result=ALREADY_THERE, detail="registered meanwhile"))
                continue
            self.tally.incomplete += bool(line.result == ENROLLED and line.detail)
            self._say(line)

    def _say(self, line: Line) -> None:
        name = line.result.replace(" ", "_")
        setattr(self.tally, name, getattr(self.tally, name) + 1)
        self._report(line)

    def _look(self, candidate: Candidate) -> Looked:
        """The first good picture of a candidate. Runs in a thread."""
        lines: list[Line] = []
        person: Person | None = None
        for path in candidate.pictures:
            if person is not None:
                lines.append(Line(candidate.user_code, str(path), UNUSED, "an earlier picture is enrolled"))
                continue
            try:
                templates, detail = self._templates(path)
            except ImageError as error:
                lines.append(Line(candidate.user_code, str(path), REFUSED, f"{error.failure}: {error.detail}"))
                continue
            if not templates:
                lines.append(Line(candidate.user_code, str(path), REFUSED, f"low_quality: {detail}"))
                continue
            person = Person(candidate.user_code, candidate.name, tuple(templates))
            lines.append(Line(candidate.user_code, str(path), ENROLLED, detail))
        return Looked(person, lines)

    def _templates(self, path: Path) -> tuple[list[Stored], str]:
        """A template of each engine and what is missing, or none and why. Raises ImageError."""
        data = pictures.read(path, max_bytes=self._settings.http.max_image_bytes)
        most = self._settings.faces.max_pixels
        first, *others = self._engines
        found = analyse(first, data, DetectOptions(), Want.TEMPLATE, max_pixels=most, judges=self._judges)
        if found.faults:
            return [], "; ".join(fault.advice for fault in found.faults)
        templates, missing = [_stored(first, found.embedding)], list[str]()
        for engine in others:
            try:
                other = analyse(engine, data, DetectOptions(), Want.TEMPLATE, max_pixels=most, judges=self._judges)
            except ImageError as error:
                missing.append(f"no template of {engine.name} ({error.failure})")
                continue
            if other.faults:
                missing.append(f"no template of {engine.name} (low_quality)")
            elif not same_face(found.chosen, other.chosen):
                missing.append(f"no template of {engine.name} (it sees another face)")
            else:
                templates.append(_stored(engine, other.embedding))
        return templates, "; ".join(missing)


def _stored(engine: Engine, embedding: np.typing.NDArray[np.float32]) -> Stored:
    return Stored(engine.name, engine.model_id, TEMPLATE_VERSION, embedding.astype(np.float16))


def _chunks(candidates: Sequence[Candidate], size: int) -> list[Sequence[Candidate]]:
    return [candidates[start : start + size] for start in range(0, len(candidates), size)]
