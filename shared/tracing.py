"""Spans by OpenTelemetry: a call at the gateway, its wait in the queue, its work in a worker, as one trace.

    caller's traceparent ─> span of the call ─> Job.trace ─> spans of the wait and the work

Off, and not even loaded, unless OTEL_EXPORTER_OTLP_ENDPOINT names a place; OpenTelemetry's own variables say the rest
(OTEL_TRACES_SAMPLER, OTEL_RESOURCE_ATTRIBUTES, OTEL_EXPORTER_OTLP_HEADERS). Spans are sent from a thread, in batches,
and thrown away where the place does not take them: a call never waits for its trace.
"""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING, Final

from shared.contracts import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry import trace
    from opentelemetry.context import Context

    from shared.settings import Telemetry

# Failures that are the service's own; the others are the caller's, and no error of a span.
FAULTS: Final = frozenset(
    {Failure.INTERNAL, Failure.DEADLINE, Failure.OVERLOADED, Failure.ENGINE_UNAVAILABLE, Failure.STORE_UNAVAILABLE}
)

_PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


class _Sent:
    """What this process needs of OpenTelemetry, loaded once."""

    def __init__(self, role: str) -> None:
        from opentelemetry import trace  # noqa: PLC0415
        from opentelemetry.context import Context  # noqa: PLC0415
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        provider = TracerProvider(resource=Resource.create({"service.name": f"fidox-{role}"}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        # It tells with a trace of the stack, and again and again, that the place is away.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self.api = trace
        self.no_parent = Context()
        self.tracer = provider.get_tracer("fidox")
        self.error = trace.Status(trace.StatusCode.ERROR)

    def context(self, parent: str) -> Context:
        """Of a traceparent; anything else than one is no parent, and an empty context."""
        found = _PARENT.fullmatch(parent)
        if found is None:
            return self.no_parent
        trace_id, span_id, flags = (int(part, 16) for part in found.groups())
        # Read here and not by OpenTelemetry, which takes ten times as long for it.
        spoken_of = self.api.SpanContext(trace_id, span_id, is_remote=True, trace_flags=self.api.TraceFlags(flags))
        return self.api.set_span_in_context(self.api.NonRecordingSpan(spoken_of), self.no_parent)


_sent: _Sent | None = None


def set_up_tracing(settings: Telemetry, role: str) -> None:
    """Send this process's spans to where the settings say. Once, as a process starts; `role` is which it is."""
    global _sent  # noqa: PLW0603 — as logging is: one place a process, and everybody may write
    if settings.otlp_endpoint:
        _sent = _Sent(role)


class Span:
    """One piece of a call, from `begin` to `end`."""

    def __init__(self, span: trace.Span, error: trace.Status) -> None:
        self._span = span
        self._error = error
        self._context = span.get_span_context()

    @property
    def traceparent(self) -> str:
        """What its continuation elsewhere is given: a traceparent of W3C's Trace Context, section 3.2."""
        context = self._context
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    @property
    def trace_id(self) -> str:
        """By which the trace is found."""
        return f"{self._context.trace_id:032x}"

    def end(self, name: str, outcome: str, facts: Mapping[str, str | float | None]) -> None:
        """Call it `name`, note the facts that there are, and send it."""
        self._span.update_name(name)
        noted = {f"fidox.{fact}": value for fact, value in facts.items() if value is not None}
        self._span.set_attributes({**noted, "fidox.outcome": outcome})
        if outcome in FAULTS:
            self._span.set_status(self._error)
        self._span.end()


def begin(name: str, *, parent: str = "", serves: bool = False, ago_ms: float = 0.0) -> Span | None:
    """A span that began `ago_ms` ago; None where none are sent.

    `parent` is a traceparent, and anything else than one is no parent. `serves` where somebody waits for the answer.
    """
    if _sent is None:
        return None
    kind = _sent.api.SpanKind.SERVER if serves else _sent.api.SpanKind.CONSUMER
    start_ns = time.time_ns() - int(ago_ms * 1e6) if ago_ms else None
    return Span(_sent.tracer.start_span(name, _sent.context(parent), kind=kind, start_time=start_ns), _sent.error)
