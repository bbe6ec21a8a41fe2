"""A small HTTP server with files under chosen paths, as a mirror of weights has, that can be made to fail."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from shared.weights import Manifest


class Fault(NamedTuple):
    """What one request meets instead of an answer in good order."""

    status: int = 200
    # The connection ends after so many bytes of the body.
    cut_at: int | None = None
    # It sends everything, whatever range is asked for.
    ignores_range: bool = False
    location: str = ""
    has_length: bool = True


class Asked(NamedTuple):
    """A request that came."""

    path: str
    range: str | None


class FileServer:
    """`files` by path, without the slash at the beginning. Faults of a path are met in turn, then it works."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.faults: dict[str, list[Fault]] = {}
        self.asked: list[Asked] = []
        # A body is held back after so many bytes until the event.
        self.hold_after: int | None = None
        self.hold = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"of": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    of: FileServer

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        wanted = self.headers.get("Range")
        self.of.asked.append(Asked(path, wanted))
        faults = self.of.faults.get(path, [])
        fault = faults.pop(0) if faults else Fault()
        body = self.of.files.get(path)
        if body is None or fault.status >= 300:
            self.send_response(404 if body is None else fault.status)
            if fault.location:
                self.send_header("Location", fault.location)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._send(body, None if fault.ignores_range else wanted, fault)

    def _send(self, body: bytes, wanted: str | None, fault: Fault) -> None:
        begin = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted else 0
        if begin >= len(body) and wanted:
            self.send_error(416)
            return
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        if fault.has_length:
            self.send_header("Content-Length", str(len(body) - begin))
        self.end_headers()
        if self.of.hold_after is None:
            self.wfile.write(body[begin : fault.cut_at])
            return
        self.wfile.write(body[begin : self.of.hold_after])
        self.of.hold.wait()

    def log_message(self, *_args: object) -> None:
        """The tests' output is pytest's."""


def upstream_paths(manifest: Manifest, folder: Path) -> Iterator[tuple[str, Path]]:
    """Each `host/path` of the manifest's addresses whose file lies in `folder`, or in its folder `originals`."""
    from shared.weights.addresses import Address

    for weight in manifest.weight:
        for source in weight.sources:
            address = next((one for url in source.urls if not (one := Address.parse(url)).member), None)
            if address is None:
                continue
            names = (source.file, f"originals/{address.name}")
            if found := next((path for name in names if (path := folder / name).is_file()), None):
                yield str(address.in_mirror), found
