"""What somebody without any credentials may send: no answer is a fault of the service, and none leaves a traceback.

Requests go out as they are made here, byte for byte: an HTTP library would put many of their paths and headers right.
They are the same in every run.
"""

import http.client
import json
from urllib.parse import urlsplit

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.app import SURFACES

ROUTES = [
    "/",
    "/admin",
    "/admin/assets/admin.js",
    "/admin/login",
    "/admin/logout",
    "/admin/tenants/1",
    "/admin/users/delete",
    "/api/v1/admin/auth/login",
    "/api/v1/admin/auth/logout",
    "/api/v1/admin/auth/session",
    "/api/v1/admin/images/1/download",
    "/api/v1/admin/stats",
    "/api/v1/admin/tenants/1/users",
    "/api/v1/admin/test/mask",
    "/api/v1/detect",
    "/api/v1/files/originals/x.jpg",
    "/api/v1/mask",
    "/auth/client/token",
    "/docs",
    "/docs/assets/look/look.css",
    "/docs/assets/ui/swagger-ui.css",
    "/face/compare",
    "/face/count",
    "/face/u",
    "/health",
    "/health/live",
    "/health/ready",
    "/openapi.json",
    "/v1/auth/client/token",
    "/v1/fr/engines",
    "/v1/fr/register/u",
    "/v1/liveness/detect",
    "/v1/ocr/recognize",
]
ODD = [
    "/",
    "//",
    "%2F",
    "%00",
    "%FF",
    "%ED%A0%80",
    "%E2%80%AE",
    "..",
    "%2e%2e",
    ";",
    "~zz",
    "~ff",
    "%",
    "%zz",
    "\\",
    "?",
    "#",
]
METHODS = ["GET", "GET", "POST", "POST", "POST", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FIDOX"]
TEXTS = ["", "a", "\0", "\x85", "\ud800", "🙂", "x" * 300, "' OR 1=1 --", "../..", "%00", "\u202e", "xyl_" + "A" * 43]
HEADERS = {
    "Accept": ["application/json", "*/*;q=\xff"],
    "Accept-Language": ["ko", "en;q=\xff", "," * 50],
    "Authorization": [
        "Bearer x",
        "Bearer a.b.c",
        "Bearer \xff",
        "Basic",
        "Basic YQBiOmM=",
        "Basic %%%",
        "Digest x",
        "",
    ],
    "Content-Encoding": ["gzip", "\xff"],
    "Content-Type": [
        "application/json",
        "application/json; charset=utf-16",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "multipart/form-data; boundary=\xff",
        "text/\xff; a=",
        ";;;",
    ],
    "Cookie": ["fidox_admin=x", "fidox_admin=\xff", ";;==", "lang=\x80; theme=%00"],
    "Origin": ["null", "https://evil.example", "http://[", "\xff"],
    "Range": ["bytes=-1", "bytes=9-1"],
    "Sec-Fetch-Site": ["same-origin", "cross-site", "\xff"],
    "traceparent": ["00-" + "a" * 32 + "-" + "b" * 16 + "-01", "00-\xff", "x"],
    "X-API-Key": ["xyl_" + "A" * 43, "xyl_\xff", "\x80"],
    "X-Forwarded-For": ["1.2.3.4", "\xff", ","],
}
# By name: what a JSON body, a form or a query may hold.
FIELDS = ["accessKey", "secretKey", "username", "password", "userCode", "image", "next", "tenant", "user_code", "lang"]

paths = st.builds(
    lambda head, route, tail, query: head + route + tail + query,
    st.sampled_from(["", "", "/", "//"]),
    st.sampled_from(ROUTES),
    st.sampled_from(["", "", "", "", *ODD]),
    st.one_of(
        st.just(""),
        st.builds("?{}={}".format, st.sampled_from(FIELDS), st.sampled_from(["1", "", *ODD])),
    ),
)
headers = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in HEADERS.items()})
objects = st.dictionaries(
    st.sampled_from(FIELDS),
    st.one_of(st.sampled_from(TEXTS), st.integers(), st.none(), st.lists(st.none(), max_size=1)),
)
bodies = st.one_of(
    st.just(b""),
    objects.map(lambda found: json.dumps(found).encode()),
    objects.map(lambda found: b"&".join(f"{name}={value}".encode("utf-8", "replace") for name, value in found.items())),
    st.sampled_from(
        [b"\xff\xfe{\0}\0", b"[" * 5000, b"--x\r\n\r\n", b"tenant=%00&user_code=%00&confirmed=1", b"\0" * 99]
    ),
)


def test_the_paths_are_everybodys_here():
    """A surface that comes new is fuzzed, too."""
    for surface in SURFACES:
        for prefix in surface.prefixes:
            assert any(route.startswith(prefix) for route in ROUTES), prefix


def test_a_stranger_meets_no_fault_of_the_service(stack):
    where = urlsplit(stack.base_url)
    log = stack.folder.logs / "gateway.log"
    before = log.stat().st_size

    @given(method=st.sampled_from(METHODS), path=paths, sent=headers, body=bodies)
    @settings(max_examples=600, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def send(method: str, path: str, sent: dict[str, str], body: bytes) -> None:
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in sent.items():
            connection.putheader(name, value.encode("latin-1"))
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        assert answer.status < 500 or answer.status in {501, 503}

    send()
    assert "Traceback" not in log.read_bytes()[before:].decode()
