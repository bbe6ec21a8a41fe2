"""One call of a dialect that works with tenants and tokens, from its guard to its transaction.

    guard  ─ token ─ key still good? ─ rate limit ─> a Call in the request's state
    route  ─ call.ask(operation, images) ─> a result, or RefusedError
    end    ─ one log line; the transaction, unless a worker has written it

Most calls are one job, and its worker writes the transaction. A call of several asks for each with `ask_part`, and is
finished, and written here, when they are put together.

The guard runs before the body is read: a stranger's 30 MB are never taken in.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from gateway.auth.tokens import Claims, ExpiredTokenError, TokenError, TokenKind
from gateway.refusals import RefusedError, failure_of, refuse
from gateway.services import Services
from shared import contracts, tracing
from shared.contracts import Failure, Kind
from shared.db.passwords import PasswordsBusyError
from shared.db.pool import StoreUnavailableError
from shared.db.transactions import OK, Transaction, with_result
from shared.metrics import measures
from shared.storage import FileMissingError, StorageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from gateway.surface import Surface

log = logging.getLogger("fidox.call")

O = TypeVar("O", bound=contracts.Outcome)  # noqa: E741 — an outcome

EXPIRED = {
    TokenKind.ACCESS: (Failure.EXPIRED_TOKEN, "the token has expired; ask for a new one"),
    TokenKind.TENANT: (Failure.EXPIRED_TENANT_TOKEN, "the tenant token has expired; ask the operator for a new one"),
}


class Call:
    """One request: of a tenant, or of nobody's (an API key, an admin). `tx_id` is in the dialect's own form.

    A guard sets `tenant_id`, to NO_TENANT where there is none; before that nothing may be asked for. What an admin
    does is logged, and is no transaction: the guard sets `is_recorded` to False.
    """

    def __init__(self, services: Services, dialect: Surface, traceparent: str = "") -> None:
        self.services = services
        self.dialect = dialect
        self.tx_id = dialect.new_tx_id()
        self.operation = "unknown"
        self.tenant_id: int | None = None
        self.api_key_id: UUID | None = None
        self.is_recorded = dialect.records
        self.spoof_rejects = False
        self.reveals_numbers = False
        self._started = time.monotonic()
        self._at = datetime.now(UTC)
        self._span = tracing.begin(dialect.name, parent=traceparent, serves=True)

    async def ask(
        self, operation: contracts.AnyOperation, images: Sequence[bytes], want: type[O], *, kind: Kind = Kind.FACE
    ) -> O:
        """Have a worker do the call's one job, and finish. Raises RefusedError for a failure."""
        done, recorded = await self._submit(operation, images, want, kind, part=False)
        self.finish(OK, recorded=recorded)
        return done

    async def ask_part(
        self, operation: contracts.AnyOperation, images: Sequence[bytes], want: type[O], *, kind: Kind = Kind.FACE
    ) -> O:
        """Have a worker do one of the call's jobs; it goes on. Raises RefusedError for a failure."""
        done, _ = await self._submit(operation, images, want, kind, part=True)
        return done

    async def _submit(
        self, operation: contracts.AnyOperation, images: Sequence[bytes], want: type[O], kind: Kind, *, part: bool
    ) -> tuple[O, bool]:
        """A result, and whether its worker wrote the transaction."""
        if self.tenant_id is None:
            raise RuntimeError("a call that no guard has let through asks for nothing")
        answer = await self.services.queue.submit(
            operation,
            images,
            tx_id=self.tx_id,
            tenant_id=self.tenant_id,
            dialect=self.dialect.name,
            kind=kind,
            part=part,
            trace=self._span.traceparent if self._span else "",
        )
        recorded = answer.by_worker and not part
        if isinstance(answer.outcome, contracts.Failed):
            raise RefusedError(answer.outcome, recorded=recorded)
        if not isinstance(answer.outcome, want):
            raise TypeError(f"{self.operation} was answered with {type(answer.outcome).__name__}")
        return answer.outcome, recorded

    def finish(self, outcome: str, *, recorded: bool, done: contracts.Outcome | None = None) -> None:
        """Log the call, and write its transaction where no worker did; `done` is the result of its main part."""
        elapsed_ms = (time.monotonic() - self._started) * 1000
        facts = {
            "tx": self.tx_id,
            "tenant": self.tenant_id or None,
            "operation": self.operation,
            "outcome": outcome,
            "ms": round(elapsed_ms, 1),
        }
        if self._span is not None:
            facts["trace"] = self._span.trace_id
            self._span.end(f"{self.dialect.name} {self.operation}", outcome, {**facts, "dialect": self.dialect.name})
        log.info("%s call", self.dialect.name, extra={"facts": facts})
        measures.CALL_SECONDS.labels(self.dialect.name, self.operation, outcome).observe(elapsed_ms / 1000)
        if recorded or not self.is_recorded or not self.services.settings.database.url:
            return
        row = Transaction(
            tx_id=self.tx_id,
            operation=self.operation,
            created_at=self._at,
            tenant_id=self.tenant_id or None,
            dialect=self.dialect.name,
            outcome=outcome,
            total_ms=elapsed_ms,
        )
        self.services.recorder.record(with_result(row, done) if done else row)


def call_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Call:
    """The request's Call; made when it is first asked for, so that a refusal before the guard has one, too."""
    call: Call | None = connection.scope["state"].get("call")
    if call is None:
        dialect: Surface | None = connection.scope["state"]["dialect"]
        if dialect is None:
            raise refuse(Failure.NOT_FOUND)
        traceparent = connection.headers.get("traceparent", "")
        call = connection.scope["state"]["call"] = Call(connection.app.state.services, dialect, traceparent)
    return call


async def bearer_guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let tenants with a good token and calls left in this minute through.

    A route says with `operation=` how its calls are recorded, those that are refused before they ask for anything too.
    """
    call, services = call_of(connection), connection.app.state.services
    call.operation = str(handler.opt.get("operation", call.operation))
    claims = _claims(services, connection.headers.get("authorization", ""))
    state = await or_unavailable(services.key_states.of(claims.key))
    if state is None or not state.is_active or state.tenant_id != claims.tenant_id:
        raise refuse(Failure.UNAUTHENTICATED, "the key that the token was made with is revoked; ask for a new token")
    call.tenant_id = state.tenant_id
    call.spoof_rejects, call.reveals_numbers = state.spoof_rejects, state.reveals_numbers
    await services.limiter.spend(state.calls_per_minute, "tenant", str(state.tenant_id))


def _claims(services: Services, authorization: str) -> Claims:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise refuse(Failure.UNAUTHENTICATED, "send the header Authorization: Bearer TOKEN")
    try:
        return services.tokens.read(token.strip())
    except ExpiredTokenError as error:
        raise refuse(*EXPIRED[error.kind]) from None
    except TokenError:
        raise refuse(Failure.UNAUTHENTICATED, "the token is wrong; ask for a new one") from None


T = TypeVar("T")


async def or_unavailable(reading: Awaitable[T]) -> T:
    """What a repository or the storage gives; one that does not answer as a RefusedError. Raises FileMissingError.

    So it is with a password while too many others are verified.
    """
    try:
        return await reading
    except PasswordsBusyError:
        detail = "too many logins at once"
        raise RefusedError(contracts.failed(Failure.OVERLOADED, detail, retry_after_s=1)) from None
    except StoreUnavailableError:
        detail = "the service is starting or restarting"
    except FileMissingError:
        raise
    except StorageError:
        detail = "the storage does not answer"
    raise RefusedError(contracts.failed(Failure.STORE_UNAVAILABLE, detail, retry_after_s=1))


def refusal(call: Call, error: Exception) -> contracts.Failed:
    """The failure that an exception stands for, with its call logged and recorded."""
    outcome = failure_of(error)
    recorded = isinstance(error, RefusedError) and error.recorded
    call.finish(outcome.failure, recorded=recorded)
    return outcome
