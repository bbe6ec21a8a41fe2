"""The one file of a multipart/form-data body (RFC 7578), read as it comes in.

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
    parser = PushMultipartParser(_boundary(request, name), max_segment_count=MOST_PARTS)
    reader = _Reader(name, max_bytes)
    try:
        async with aclosing(request.stream()) as chunks:
            async for chunk in chunks:
                if chunk and not parser.closed:
                    for event in parser.parse(chunk):
                        reader.take(event)
        parser.close()
    except MultipartError:
        raise refuse(Failure.BAD_REQUEST, "the body is not valid multipart/form-data, or not whole") from None
    return reader.whole()


def _boundary(request: Request[Any, Any, Any], name: str) -> str:
    kind, options = cast("_ParseOptions", cast("Any", multipart).parse_options_header)(
        request.headers.get("content-type", "")
    )
    boundary = options.get("boundary", "")
    if kind != "multipart/form-data" or not 1 <= len(boundary) <= LONGEST_BOUNDARY or not boundary.isascii():
        raise refuse(Failure.BAD_REQUEST, MISSING.format(name=name))
    return boundary


class _Reader:
    """Keeps the wanted part of what a parser says: a segment, its bytes in pieces, None at its end."""

    def __init__(self, name: str, max_bytes: int) -> None:
        self._name = name
        self._max_bytes = max_bytes
        self._found = 0
        self._is_wanted = False
        self._pieces: list[bytes | bytearray] = []
        self._size = 0

    def take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if isinstance(event, MultipartSegment):
            self._is_wanted = event.name == self._name
            self._found += self._is_wanted
            if self._found > 1:
                raise refuse(Failure.BAD_REQUEST, f"send one part named {self._name}")
        elif event is not None and self._is_wanted:
            self._size += len(event)
            if self._size > self._max_bytes:
                limit = f"an image may have at most {self._max_bytes >> 20} MB"
                raise refuse(Failure.IMAGE_TOO_LARGE, limit)
            self._pieces.append(event)

    def whole(self) -> bytes:
        """The part. Raises RefusedError where there was none."""
        if not self._found:
            raise refuse(Failure.BAD_REQUEST, MISSING.format(name=self._name))
        return b"".join(self._pieces)
