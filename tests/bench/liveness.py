"""Liveness: what the checks get right on the samples at hand, and what it costs to ask for it."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import time

from shared import contracts
from shared.contracts import Check, Dialect, Kind, LivenessChecked
from shared.queue import open_queue
from shared.settings import Queue as QueueSettings
from tests.bench.faces import Client, bearer
from tests.bench.report import Section, percentile
from tests.support import liveness as samples
from tests.support.fidox import Fidox
from workers.face.fit import wilson

ROUNDS = 8
MOST_OF_SLOWEST = 1.3
MOST_OF_VERIFY = 1.25
LEAST_PASSED = 0.9


def accuracy(stack) -> Section:
    """Every sample at the thresholds as shipped, through queue and worker."""
    section = Section(
        "Liveness: what is found",
        "The samples beside the checkout, at the thresholds as shipped, of those pictures in which one face was found;"
        " in brackets the 95% Wilson interval. Some thresholds and crops were chosen on these very pictures, and there"
        " are few of them: docs/liveness.md says what this does not prove.",
    )
    asked: dict[str, list[contracts.AnyOutcome]] = {}
    for name, paths in {
        "spoofs": samples.spoofs(),
        "forged": samples.forged(),
        "masked": samples.masked(),
        "bare": samples.bare(),
        "genuine": samples.genuine(),
    }.items():
        asked[name] = samples.check_all(stack.redis_url, [path.read_bytes() for path in paths])
    for what, name, check, least in (
        ("prints and screens found", "spoofs", Check.PHOTO, 1.0),
        ("forged faces found", "forged", Check.DEEPFAKE, 1.0),
        ("masked faces found", "masked", Check.MASK, 0.92),
    ):
        found = samples.attacks(asked[name], check)
        section.add(f"check `{check}`: {what}", *_share(sum(found), len(found), least))
    bare = samples.attacks(asked["bare"], Check.MASK)
    section.add("check `mask`: bare faces left alone", *_share(bare.count(False), len(bare), 0.95))
    for name in ("masked", "bare"):
        answered = [isinstance(outcome, LivenessChecked) for outcome in asked[name]]
        section.add(f"{name} faces answered at all", *_share(sum(answered), len(answered), 0.9))
    for check in Check:
        alarms = samples.attacks(asked["genuine"], check)
        section.add(f"check `{check}`: real photos taken for an attack", *_share(sum(alarms), len(alarms)))
    live = [outcome.is_live for outcome in asked["genuine"] if isinstance(outcome, LivenessChecked)]
    section.add("all checks: real photos passed", *_share(sum(live), len(live), LEAST_PASSED))
    section.add("real photos with no face or several, not answered", f"{len(asked['genuine']) - len(live)}")
    return section


def _share(count: int, total: int, least: float | None = None) -> tuple[str, str, bool | None]:
    """The cell, the target and whether it is met."""
    rate = wilson(count, total)
    cell = f"{count} of {total} ({100 * rate.low:.0f} to {100 * rate.high:.0f}%)"
    if least is None:
        return cell, "", None
    return cell, f"≥ {100 * least:.0f}%", count >= least * total


def speed(stack) -> Section:
    """Each check alone and all of them, in turns; verify without and with liveness, in turns."""
    section = Section(
        "Liveness: what it costs",
        "One client, portraits of `people/` (0.2 to 2 MP), taking turns picture by picture. The checks through the"
        " queue without HTTP: decode, detection and the checks; `POST /face/verify` over HTTP.",
    )
    images = [path.read_bytes() for path in samples.portraits()]
    times = asyncio.run(_checks_in_turns(stack.redis_url, images))
    p50 = {name: percentile(taken, 0.5) for name, taken in times.items()}
    for name, value in p50.items():
        section.add(f"{name}, p50", f"{value:.1f} ms")
    ratio = p50["all"] / max(value for name, value in p50.items() if name != "all")
    section.add("all, of the slowest single check", f"{ratio:.2f}", f"≤ {MOST_OF_SLOWEST}", ratio <= MOST_OF_SLOWEST)
    plain, live = _verify_in_turns(stack, images)
    section.add("verify, p50", f"{plain:.1f} ms")
    section.add("verify with liveness, p50", f"{live:.1f} ms")
    ratio = live / plain
    section.add("with liveness, of without", f"{ratio:.2f}", f"≤ {MOST_OF_VERIFY}", ratio <= MOST_OF_VERIFY)
    return section


async def _checks_in_turns(redis_url: str, images: list[bytes]) -> dict[str, list[float]]:
    wanted: dict[str, tuple[Check, ...]] = {**{check.value: (check,) for check in Check}, "all": ()}
    times: dict[str, list[float]] = {name: [] for name in wanted}
    async with open_queue(QueueSettings(url=redis_url)) as queue:
        for turn in range(ROUNDS + 1):
            for image in images:
                for name, checks in wanted.items():
                    started = time.perf_counter()
                    answer = await queue.submit(
                        contracts.CheckLiveness(checks=checks),
                        [image],
                        tx_id=f"tx_{secrets.token_hex(6)}",
                        tenant_id=1,
                        dialect=Dialect.V1,
                        kind=Kind.LIVENESS,
                    )
                    assert isinstance(answer.outcome, LivenessChecked), answer
                    if turn:  # the first is to warm up
                        times[name].append((time.perf_counter() - started) * 1000)
    return times


def _verify_in_turns(stack, images: list[bytes]) -> tuple[float, float]:
    """p50 without and with liveness, in ms."""
    with Fidox.login(stack.base_url, stack.demo["ACCESS_KEY"], stack.demo["SECRET_KEY"]) as api:
        token, user = api.token, f"liveness-{secrets.token_hex(4)}"
        enrolled = api.post("/face/register", userCode=user, image=base64.b64encode(images[0]).decode())
        assert enrolled.status_code == 200, enrolled.text
        bodies = [
            [
                json.dumps({"userCode": user, "image": base64.b64encode(image).decode(), "withLiveness": live}).encode()
                for live in (False, True)
            ]
            for image in images
        ]
        times: tuple[list[float], list[float]] = ([], [])
        with Client(stack, bearer(token)) as client:
            for turn in range(ROUNDS + 1):
                for pair in bodies:
                    for body, taken in zip(pair, times, strict=True):
                        started = time.perf_counter()
                        client.post("/face/verify", body)
                        if turn:
                            taken.append((time.perf_counter() - started) * 1000)
        api.delete(user)
    return percentile(times[0], 0.5), percentile(times[1], 0.5)
