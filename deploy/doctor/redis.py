"""Redis as the queue needs it, and what workers and queues look like in it."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from redis.exceptions import RedisError, ResponseError

from deploy.doctor.database import skew
from deploy.doctor.finding import Finding, State, judged
from shared import contracts, envelopes, keys
from shared.contracts import Kind, PartState
from shared.figures import Figures, read_figures
from shared.redis_client import connect_blocking
from shared.release import RELEASE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from redis import Redis

    from shared.settings import Settings

MOST_MEMORY = 0.8
MIB = 2**20


class Seen(NamedTuple):
    """One kind of worker and its queue."""

    workers: Sequence[str]
    parts: Sequence[Sequence[contracts.Part]]
    queue: Figures


def examine(settings: Settings) -> Iterator[Finding]:
    """Everything about it; one line where it does not answer."""
    url = settings.queue.url
    if not url:
        yield Finding(State.WARN, "Redis", "REDIS_URL is unset", "`fidox up` starts one; elsewhere set it")
        return
    try:
        with connect_blocking(settings.queue, patience_s=3.0) as client:
            info = cast("dict[str, Any]", client.info())
            asked = time.time()
            seconds, micros = cast("tuple[int, int]", client.time())
            now_s = seconds + micros / 1e6
            skew_s = now_s - (asked + time.time()) / 2
            save = _configured(client, "save")
            seen = {kind: _seen(client, kind, now_s * 1000) for kind in Kind}
    except (RedisError, OSError, ValueError) as error:
        yield Finding(State.FAIL, "Redis", str(error), "start it, or mend REDIS_URL")
        return
    yield from _server(info, save, settings)
    yield skew("Redis clock", skew_s)
    yield _workers(seen)
    yield _releases(seen)
    for kind, one in seen.items():
        if one.workers:
            yield _parts(kind, one)
            yield from _networks(kind, one)
    for kind, one in seen.items():
        yield _queue(kind, one.queue, settings.queue.deadline_s)


def _configured(client: Redis, name: str) -> str | None:
    """A setting of the server; None where it does not say, as managed ones do not."""
    try:
        found = cast("Mapping[str, str]", client.config_get(name))
    except ResponseError:
        return None
    return found.get(name)


def _seen(client: Redis, kind: Kind, now_ms: float) -> Seen:
    alive = cast("list[bytes]", client.zrangebyscore(keys.workers(kind), now_ms, "+inf"))
    said = cast("dict[bytes, bytes]", client.hgetall(keys.parts(kind)))
    parts = [envelopes.decode_parts(said[worker]) for worker in alive if worker in said]
    return Seen([worker.decode() for worker in alive], parts, read_figures(client, kind))


def _server(info: Mapping[str, Any], save: str | None, settings: Settings) -> Iterator[Finding]:
    version = str(info.get("redis_version", "0"))
    major, minor = (int(part) for part in version.split(".")[:2])
    todo = "" if (major, minor) >= (6, 2) else "6.2 or newer is needed"
    if info.get("cluster_enabled"):
        todo = "the queue needs one Redis, not a cluster: its scripts touch keys of several slots"
    yield judged("Redis", version, todo, bad=State.FAIL)
    policy = str(info.get("maxmemory_policy", "unknown"))
    must = "set maxmemory-policy noeviction: a full Redis must refuse jobs, not drop them"
    yield judged("Redis maxmemory-policy", policy, "" if policy == "noeviction" else must)
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    # Each queue may hold that much, and a picture lies in it once.
    need = len(Kind) * settings.queue.max_bytes
    if not most:
        detail, todo = f"{used / MIB:.0f} MiB used, no maxmemory", f"set maxmemory to {need // MIB} MiB or more"
    else:
        detail, todo = f"{used / MIB:.0f} of {most / MIB:.0f} MiB used", ""
        if used > MOST_MEMORY * most:
            todo = "raise maxmemory, or lower FIDOX_QUEUE_MAX_BYTES"
        elif most < need:
            todo = f"raise it to {need // MIB} MiB, or lower FIDOX_QUEUE_MAX_BYTES: three queues may hold that much"
    yield judged("Redis memory", detail, todo)
    writes = [name for name, on in (("RDB", save), ("AOF", info.get("aof_enabled"))) if on]
    todo = 'set save "" and appendonly no: nothing in it lasts, and callers\' pictures would lie on its disk'
    yield judged("Redis persistence", " and ".join(writes) if writes else "off", todo if writes else "")


def _workers(seen: Mapping[Kind, Seen]) -> Finding:
    missing = [kind for kind, one in seen.items() if not one.workers]
    todo = "; ".join(f"no {kind} worker runs: `fidox up`, or `python -m workers.{kind}`" for kind in missing)
    return judged("workers", ", ".join(f"{kind} {len(one.workers)}" for kind, one in seen.items()), todo)


def _releases(seen: Mapping[Kind, Seen]) -> Finding:
    """HOST:PID:RANDOM:RELEASE; without the last it is a worker of before there was one."""
    found = Counter(
        (worker.split(":")[3] if worker.count(":") > 2 else "older") for one in seen.values() for worker in one.workers
    )
    detail = ", ".join(f"{release} ({count})" for release, count in sorted(found.items())) or "no worker"
    todo = "" if len(found) < 2 else "right during an upgrade; afterwards end the old ones"
    if set(found) not in ({RELEASE}, set[str]()) and not todo:
        todo = f"this command is of {RELEASE}: upgrade the other one"
    return judged("releases", detail, todo)


def _parts(kind: Kind, one: Seen) -> Finding:
    """Engines or checks: in how many of the processes each works."""
    states: dict[str, Counter[PartState]] = {}
    for parts in one.parts:
        for part in parts:
            states.setdefault(part.name, Counter())[part.state] += 1
    detail = ", ".join(f"{name} {count[PartState.READY]} of {count.total()}" for name, count in states.items())
    if not states:
        return Finding(State.WARN, f"{kind} parts", "the workers say nothing of theirs", "see their logs")
    off = [name for name, count in states.items() if count[PartState.READY] < count.total()]
    todo = (
        f"not ready everywhere: {', '.join(off)}; see `fidox weights list` there, and the worker's log" if off else ""
    )
    none_works = all(not count[PartState.READY] for count in states.values())
    return judged(f"{kind} parts", detail, todo, bad=State.FAIL if none_works else State.WARN)


def _networks(kind: Kind, one: Seen) -> Iterator[Finding]:
    """What the live processes compute with, each network once."""
    loaded = {str(network): None for parts in one.parts for part in parts for network in part.networks}
    if loaded:
        yield Finding(State.OK, f"{kind} networks", ", ".join(loaded))


def _queue(kind: Kind, queue: Figures, deadline_s: float) -> Finding:
    oldest_s = queue.oldest_s
    detail = f"{queue.waiting} waiting, {queue.running} running, the oldest waits {oldest_s:.1f} of {deadline_s:.0f} s"
    todo = "more workers of this kind, or fewer calls (FIDOX_QUEUE_MAX_JOBS)" if oldest_s > deadline_s / 2 else ""
    return judged(f"queue {kind}", detail, todo, bad=State.FAIL if oldest_s > deadline_s else State.WARN)
