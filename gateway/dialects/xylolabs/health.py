"""`GET /health`: what there is and how it is, for people and monitors. Probes: `/health/live`, `/health/ready`."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from litestar import Request, Response, get
from litestar.openapi.datastructures import ResponseSpec
from redis.exceptions import RedisError

from gateway.dialects.xylolabs import schemas
from gateway.dialects.xylolabs.schemas import HealthPart
from gateway.engines import summarise
from gateway.services import Services
from shared.contracts import Kind, PartState
from shared.db.pool import StoreUnavailableError, connection
from shared.storage import StorageError
from shared.weights import licences
from shared.weights.cautions import caution

if TYPE_CHECKING:
    from shared.queue import Queue

OK, UNAVAILABLE, DISABLED = "ok", "unavailable", "disabled"
NO_WORKER, NO_ENGINE = "no live worker", "no weights, or every engine is broken"
VERSION = version("fidox")
# A monitor wants to be told that Redis stands still, not to wait for it.
PATIENCE_S = 2.0


@get(
    "/health",
    operation_id="health",
    summary="Is it well?",
    tags=["health"],
    response_description="A call would be answered",
    responses={503: ResponseSpec(schemas.HealthResponse, description="It would not; the components say why")},
)
async def health(request: Request[Any, Any, Any]) -> Response[schemas.HealthResponse]:
    """200 where the weights, a live face worker, and the database and storage that are in use are ready, else 503."""
    services: Services = request.app.state.services
    database, storage, face, liveness, ocr = await asyncio.gather(
        _database(services),
        _storage(services),
        _workers(services.queue, Kind.FACE),
        _workers(services.queue, Kind.LIVENESS),
        _workers(services.queue, Kind.OCR),
    )
    redis = HealthPart(UNAVAILABLE if UNAVAILABLE in {face.status, liveness.status, ocr.status} else OK)
    parts = schemas.HealthParts(
        redis=redis,
        database=database,
        storage=storage,
        face=face,
        liveness=liveness,
        ocr=ocr,
    )
    needed = (redis, face, *(part for part in (database, storage) if part.status != DISABLED))
    fine = all(part.status == OK for part in needed)
    model = next((engine.detector for engine in face.engines if engine.state is PartState.READY), None)
    engines = [*face.engines, *liveness.engines, *ocr.engines]
    answer = schemas.HealthResponse(
        status=OK if fine else UNAVAILABLE,
        version=VERSION,
        model=model,
        notice=licences.notice(
            (name for engine in engines for name in (engine.model, engine.detector)), services.weights.manifest
        ),
        components=parts,
    )
    return Response(answer, status_code=200 if fine else 503, headers={"Cache-Control": "no-store"})


async def _database(services: Services) -> HealthPart:
    if not services.settings.database.url:
        return HealthPart(DISABLED)
    try:
        async with connection(services.pool) as conn:
            await conn.execute("SELECT 1")
    except StoreUnavailableError:
        return HealthPart(UNAVAILABLE)
    return HealthPart(OK)


async def _storage(services: Services) -> HealthPart:
    if services.pictures is None:
        return HealthPart(DISABLED)
    try:
        await services.pictures.storage.check()
    except StorageError:
        return HealthPart(UNAVAILABLE)
    return HealthPart(OK)


async def _workers(queue: Queue, kind: Kind) -> schemas.HealthWorkers:
    """The workers of one kind; UNAVAILABLE where Redis, which knows, does not answer."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            said = await queue.parts(kind)
    except (RedisError, OSError):
        return schemas.HealthWorkers(status=UNAVAILABLE, processes=0, engines=[])
    engines = summarise(said)
    if not said:
        status = NO_WORKER
    elif (able := [engine for engine in engines if not engine.helps]) and not any(engine.ready for engine in able):
        status = NO_ENGINE
    else:
        status = OK
    listed = [
        schemas.HealthEngine(
            name=engine.name,
            state=engine.state,
            ready=engine.ready,
            processes=engine.processes,
            model=engine.model,
            detector=engine.detector,
            networks=[
                schemas.HealthNetwork(network.name, network.runtime, network.device, network.precision)
                for network in engine.networks
            ],
            because=engine.because or None,
            get=engine.get or None,
            helps=engine.helps,
            caution=caution([engine.model]),
        )
        for engine in engines
    ]
    return schemas.HealthWorkers(status=status, processes=len(said), engines=listed)
