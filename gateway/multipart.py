"""The files of a multipart/form-data body (RFC 7578), read as they come in.

Litestar's own reading spools a file to disk above 1 MB: 29 ms for one of 9 MB. Here it stays in memory, where it is
bounded, and goes on to the queue as it is. A file's name and its declared type are not even looked at, so neither can
do anything; and the name may be in any code page, as Windows programs write it.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import multipart
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from gateway.refusals import refuse
from shared.contracts import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import TypeAlias

    from litestar import Request

    # The package does not type it.
    _ParseOptions: TypeAlias = Callable[[str], tuple[str, dict[str, str]]]

# Fields beside the file; a form has a handful.
MOST_PARTS = 32
# A field is a number or a word.
LONGEST_FIELD = 256
# RFC 2046, 5.1.1: 1 to 70 characters.
LONGEST_BOUNDARY = 70
MISSING = "send the picture as multipart/form-data, in a part named {name}"


class Form(NamedTuple):
    """A file, what was sent in the fields beside it, and the names of the parts that are neither."""

    file: bytes
    fields: dict[str, str]
    unknown: list[str]


async def form_of(request: Request[Any, Any, Any], name: str, *, fields: Collection[str], max_bytes: int) -> Form:
    """The content of the part `name`, at most `max_bytes`, and the fields of these names.

    Raises RefusedError: BAD_REQUEST or IMAGE_TOO_LARGE. A part that is too large is refused at that byte, and the rest
    of the body is not read.
    """
    reader = await _read(request, _Reader((name,), max_bytes, fields))
    return Form(reader.whole(name), {field: reader.text(field) for field in fields if field in reader}, reader.unknown)


async def files_of(request: Request[Any, Any, Any], *names: str, max_bytes: int) -> list[bytes]:
    """The content of each of these parts, in the order of `names`; other parts are dropped. Otherwise as `form_of`."""
    reader = await _read(request, _Reader(names, max_bytes))
    return [reader.whole(name) for name in names]


async def _read(request: Request[Any, Any, Any], reader: _Reader) -> _Reader:
    # Every byte is a character of Latin-1. Our own names are ASCII, and the others' text is nobody's business here.
    parser = PushMultipartParser(
        _boundary(request, reader.names[0]), max_segment_count=MOST_PARTS, header_charset="latin-1"
    )
    try:
        async with aclosing(request.stream()) as chunks:
            async for chunk in chunks:
                if chunk and not parser.closed:
                    for event in parser.parse(chunk):
                        reader.take(event)
        parser.close()
    except MultipartError:
        raise refuse(Failure.BAD_REQUEST, "the body is not valid multipart/form-data, or not whole") from None
    return reader


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

    def __init__(self, names: tuple[str, ...], max_bytes: int, fields: Collection[str] = ()) -> None:
        self.names = names
        self.unknown: list[str] = []
        self._fields = fields
        self._max_bytes = max_bytes
        self._found: dict[str, list[bytes | bytearray]] = {}
        self._pieces: list[bytes | bytearray] | None = None
        self._size = 0
        self._name, self._bound = "", 0

    def take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if isinstance(event, MultipartSegment):
            self._begin(event.name)
        elif event is not None and self._pieces is not None:
            self._size += len(event)
            if self._size > self._bound:
                raise self._too_large()
            self._pieces.append(event)

    def _begin(self, name: str | None) -> None:
        self._pieces, self._size = None, 0
        if name is None or (name not in self.names and name not in self._fields):
            self.unknown.append(name or "")
            return
        if name in self._found:
            raise refuse(Failure.BAD_REQUEST, f"send one part named {name}")
        self._name = name
        self._bound = self._max_bytes if name in self.names else LONGEST_FIELD
        self._pieces = self._found[name] = []

    def _too_large(self) -> Exception:
        if self._name not in self.names:
            return refuse(Failure.BAD_REQUEST, f"{self._name}: it is too long")
        limit = f"an image may have at most {self._max_bytes >> 20} MB"
        position = self.names.index(self._name)
        return refuse(Failure.IMAGE_TOO_LARGE, limit, image=position if len(self.names) > 1 else None)

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def text(self, name: str) -> str:
        """A field's. What is no UTF-8 in it is no number and no word that anything takes."""
        return b"".join(self._found[name]).decode(errors="replace")

    def whole(self, name: str) -> bytes:
        """The part. Raises RefusedError where there was none."""
        if name not in self._found:
            raise refuse(Failure.BAD_REQUEST, MISSING.format(name=name))
        return b"".join(self._found[name])
