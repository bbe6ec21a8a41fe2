"""A face operation with a liveness check beside it: two jobs of one call, and what a spoof means for the tenant."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import msgspec

from shared import contracts
from shared.contracts import Check, Kind
from shared.db.transactions import OK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.calls import Call

S = TypeVar("S", contracts.Verified, contracts.Identified)


async def ask_with_liveness(
    call: Call, operation: contracts.AnyOperation, images: Sequence[bytes], want: type[S]
) -> tuple[S, contracts.LivenessChecked]:
    """The face job and the photo check, at the same time. Raises RefusedError where either fails.

    The caller asked for both: one without the other is no answer.
    """
    check = contracts.CheckLiveness(checks=(Check.PHOTO,))
    done, checked = await asyncio.gather(
        call.ask_part(operation, images, want),
        call.ask_part(check, images, contracts.LivenessChecked, kind=Kind.LIVENESS),
        return_exceptions=True,
    )
    # Both are waited for, so that the same call is refused for the same reason each time: the face's first.
    if isinstance(done, BaseException):
        raise done
    if isinstance(checked, BaseException):
        raise checked
    if call.spoof_rejects and not checked.is_live:
        done = _nobody(done)
    call.finish(OK, recorded=False, done=done)
    return done, checked


def _nobody(done: S) -> S:
    """The same answer, where it matched nobody."""
    who: dict[str, None] = {"user_code": None, "name": None} if isinstance(done, contracts.Identified) else {}
    return msgspec.structs.replace(done, matched=False, **who)
