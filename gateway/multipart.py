"""The files of a multipart/form-data body (RFC 7578), read as they come in.

Litestar's own reading spools a file to disk above 1 MB: 29 ms for one of 9 MB. Here it stays in memory, where it is
bounded, and goes on to the queue as it is. Whatever else the form holds is read and dropped; a file's name and its
declared type are not even looked at, so neither can do anything.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

import multipart
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from gateway.refusals import refuse
from shared.contracts import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from litestar import Request

    # The package does not type it.
    _ParseOptions: TypeAlias = Callable[[str], tuple[str, dict[str, str]]]

# Fields beside the file; a form has a handful.
MOST_PARTS = 32
# RFC 2046, 5.1.1: 1 to 70 characters.
LONGEST_BOUNDARY = 70
MISSING = "send the picture as multipart/form-data, in a part named {name}"


async def file_of(request: Request[Any, Any, Any], name: str, *, max_bytes: int) -> bytes:
    """The content of the part `name`, at most `max_bytes`. Raises RefusedError: BAD_REQUEST or IMAGE_TOO_LARGE.

    A part that is too large is refused at that byte, and the rest of the body is not read.
    """
    (content,) = await files_of(request, name, max_bytes=max_bytes)
    return content


async def files_of(request: Request[Any, Any, Any], *names: str, max_bytes: int) -> list[bytes]:
    """The content of each of these parts, in the order of `names`; otherwise as `file_of`."""
    parser = PushMultipartParser(_boundary(request, names[0]), max_segment_count=MOST_PARTS)
    reader = _Reader(names, max_bytes)
    try:
        async with aclosing(request.stream()) as chunks:
            async for chunk in chunks:
                if chunk and not parser.closed:
                    for event in parser.parse(chunk):
                        reader.take(event)
        parser.close()
    except MultipartError:
        raise refuse(Failure.BAD_REQUEST, "the body is not valid multipart/form-data, or not whole") from None
    return [reader.whole(name) for name in names]


def _boundary(request: Request[Any, Any, Any], name: str) -> str:
    kind, options = cast("_ParseOptions", cast("Any", multipart).parse_options_header)(
        request.headers.get("content-type", "")
    )
    boundary = options.get("boundary", "")
    if kind != "multipart/form-data" or not 1 <= len(boundary) <= LONGEST_BOUNDARY or not boundary.isascii():
        raise refuse(Failure.BAD_REQUEST, MISSING.format(name=name))
    return boundary


class _Reader:
    """Keeps the wanted parts of what a parser says: a segment, its bytes in pieces, None at its end."""

    def __init__(self, names: tuple[str, ...], max_bytes: int) -> None:
        self._names = names
        self._max_bytes = max_bytes
        self._found: dict[str, list[bytes | bytearray]] = {}
        self._pieces: list[bytes | bytearray] | None = None
        self._size = 0

    def take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if isinstance(event, MultipartSegment):
            self._begin(event.name)
        elif event is not None and self._pieces is not None:
            self._size += len(event)
            if self._size > self._max_bytes:
                limit = f"an image may have at most {self._max_bytes >> 20} MB"
                position = len(self._found) - 1
                raise refuse(Failure.IMAGE_TOO_LARGE, limit, image=position if len(self._names) > 1 else None)
            self._pieces.append(event)

    def _begin(self, name: str | None) -> None:
        self._pieces, self._size = None, 0
        if name is None or name not in self._names:
            return
        if name in self._found:
            raise refuse(Failure.BAD_REQUEST, f"send one part named {name}")
        self._pieces = self._found[name] = []

    def whole(self, name: str) -> bytes:
        """The part. Raises RefusedError where there was none."""
        if name not in self._found:
            raise refuse(Failure.BAD_REQUEST, MISSING.format(name=name))
        return b"".join(self._found[name])
