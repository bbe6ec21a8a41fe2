"""A stack of two gateway and two face processes, whose metrics and spans are looked at."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.face_api import FaceApi
from tests.support.fidox import Fidox
from tests.support.metrics import Watched, watched_stack


class Collected:
    """A server that takes spans as an OpenTelemetry collector does: OTLP over HTTP, in protobuf."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.requests.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self) -> list[tuple[str, object]]:
        """Every span so far, with the service that sent it."""
        found = []
        for body in list(self.requests):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
                found += [(service, span) for scope in resource.scope_spans for span in scope.spans]
        return found


@pytest.fixture(scope="session")
def collected() -> Iterator[Collected]:
    collected = Collected()
    yield collected
    collected.server.shutdown()
    collected.server.server_close()


@pytest.fixture(scope="session")
def watched(tmp_path_factory, collected) -> Iterator[Watched]:
    with watched_stack(
        tmp_path_factory.mktemp("watched"),
        FIDOX_GATEWAY_PROCESSES="2",
        FIDOX_FACE_PROCESSES="2",
        # For the test in which nobody works while the queue is looked at from three sides.
        FIDOX_DEADLINE_S="60",
        OTEL_EXPORTER_OTLP_ENDPOINT=collected.url,
        OTEL_BSP_SCHEDULE_DELAY="100",
        FIDOX_LOG_FORMAT="json",
    ) as running:
        yield running


@pytest.fixture(scope="session")
def root_api(watched) -> Iterator[Fidox]:
    demo = watched.stack.demo
    with Fidox.login(watched.stack.base_url, demo["ACCESS_KEY"], demo["SECRET_KEY"]) as client:
        yield client


@pytest.fixture(scope="session")
def face_api(watched) -> Iterator[FaceApi]:
    with FaceApi(watched.stack.base_url, watched.stack.demo["API_KEY"]) as api:
        yield api
