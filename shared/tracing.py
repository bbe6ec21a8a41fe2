"""Spans by OpenTelemetry: a call at the gateway, its wait in the queue, its work in a worker, as one trace.

    caller's traceparent ─> span of the call ─> Job.trace ─> spans of the wait and the work

Off, and not even loaded, unless OTEL_EXPORTER_OTLP_ENDPOINT names a place; OpenTelemetry's own variables say the rest
(OTEL_TRACES_SAMPLER, OTEL_RESOURCE_ATTRIBUTES, OTEL_EXPORTER_OTLP_HEADERS). Spans are sent from a thread, in batches,
and thrown away where the place does not take them: a call never waits for its trace.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from shared.contracts import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry import trace

    from shared.settings import Telemetry

# Failures that are the service's own; the others are the caller's, and no error of a span.
FAULTS: Final = frozenset(
    {Failure.INTERNAL, Failure.DEADLINE, Failure.OVERLOADED, Failure.ENGINE_UNAVAILABLE, Failure.STORE_UNAVAILABLE}
)

_tracer: trace.Tracer | None = None


def set_up_tracing(settings: Telemetry, role: str) -> None:
    """Send this process's spans to where the settings say. Once, as a process starts; `role` is which it is."""
    global _tracer  # noqa: PLW0603 — as logging is: one place a process, and everybody may write
    if not settings.otlp_endpoint:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": f"fidox-{role}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    # A place that is away is said once in a while by OpenTelemetry itself, with a trace that tells nothing.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    _tracer = provider.get_tracer("fidox")


class Span:
    """One piece of a call, from `begin` to `end`."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        """What its continuation elsewhere is given: a traceparent of W3C's Trace Context, section 3.2."""
        context = self._span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    @property
    def trace_id(self) -> str:
        """By which the trace is found."""
        return f"{self._span.get_span_context().trace_id:032x}"

    def end(self, name: str, outcome: str, facts: Mapping[str, str | float | None]) -> None:
        """Call it `name`, note the facts that there are, and send it."""
        from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

        self._span.update_name(name)
        self._span.set_attribute("fidox.outcome", outcome)
        for fact, value in facts.items():
            if value is not None:
                self._span.set_attribute(f"fidox.{fact}", value)
        if outcome in FAULTS:
            self._span.set_status(Status(StatusCode.ERROR, outcome))
        self._span.end()


def begin(name: str, *, parent: str = "", serves: bool = False, ago_ms: float = 0.0) -> Span | None:
    """A span that began `ago_ms` ago; None where none are sent.

    `parent` is a traceparent, and anything else than one is no parent. `serves` where somebody waits for the answer.
    """
    if _tracer is None:
        return None
    from opentelemetry.trace import SpanKind  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    context = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
    kind = SpanKind.SERVER if serves else SpanKind.CONSUMER
    start_ns = time.time_ns() - int(ago_ms * 1e6) if ago_ms else None
    return Span(_tracer.start_span(name, context, kind=kind, start_time=start_ns))
