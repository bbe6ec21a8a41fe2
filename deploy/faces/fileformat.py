"""The file of `fidox faces export` and `import`: JSON lines, by the suffix .gz compressed.

    {"format": "fidox-faces", "version": 1, "tenant": "acme", "exported_at": "2026-01-31T09:00:00Z"}
    {"user_code": "u1", "name": "Kim", "templates": [{"engine": …, "model_id": …, "version": 1, "vector": "base64"}]}
    …

A vector is the base64 of little-endian float16, as many as the model has dimensions, L2-normalised: the very bits that
the table holds.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np
from msgspec import Meta

from shared.db.bulk import Person, Stored

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "fidox-faces"
VERSION = 1
# float16 keeps 11 bits: the norm of a stored 512-d embedding is off by less than 0.001.
NORM_TOLERANCE = 0.01
MAX_DIMENSION = 4096  # far above any face model; what is longer is no template

# As the root API's document bounds them (gateway.dialects.fidox.schemas).
UserCode = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Name = Annotated[str, Meta(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")]
Label = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Header(msgspec.Struct, frozen=True):
    """The first line."""

    format: str
    version: int
    tenant: str
    exported_at: datetime


class TemplateLine(msgspec.Struct, frozen=True):
    """A template inside a line; msgspec writes and reads bytes as base64."""

    engine: Label
    model_id: Label
    version: Annotated[int, Meta(ge=1, le=32767)]
    vector: bytes


class UserLine(msgspec.Struct, frozen=True):
    """Each further line."""

    user_code: UserCode
    name: Name | None
    templates: tuple[TemplateLine, ...]


class LineError(ValueError):
    """What is wrong with a line."""


_encoder = msgspec.json.Encoder()
_headers = msgspec.json.Decoder(Header)
_users = msgspec.json.Decoder(UserLine)


def header_line(tenant: str, at: datetime) -> bytes:
    """The first line, with its end."""
    return _encoder.encode(Header(FORMAT, VERSION, tenant, at)) + b"\n"


def read_header(line: bytes) -> Header:
    """The first line. Raises LineError for a file of another kind, or of a newer version."""
    try:
        header = _headers.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise LineError("it does not begin as a file of `fidox faces export`") from None
    if header.format != FORMAT:
        raise LineError(f"it is a file of the format {header.format}, not {FORMAT}")
    if header.version != VERSION:
        raise LineError(f"it has the version {header.version}, and this program reads {VERSION}")
    return header


def user_line(person: Person) -> bytes:
    """A user's line, with its end."""
    templates = tuple(
        TemplateLine(t.engine, t.model_id, t.version, t.embedding.astype("<f2").tobytes()) for t in person.templates
    )
    return _encoder.encode(UserLine(person.user_code, person.name, templates)) + b"\n"


def read_user(line: bytes, dimensions: Mapping[tuple[str, str], int]) -> Person:
    """A user's line. Raises LineError for what would spoil the table.

    `dimensions` by engine and model id, for the models that are known: one vector of another length among a model's
    would make every search fail.
    """
    try:
        user = _users.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LineError(str(error)) from None
    if len({(t.engine, t.model_id) for t in user.templates}) < len(user.templates):
        raise LineError("two templates of one model")
    if not user.templates:
        raise LineError("no templates")
    stored = tuple(_template(t, dimensions.get((t.engine, t.model_id))) for t in user.templates)
    return Person(user.user_code, user.name, stored)


def _template(line: TemplateLine, dimension: int | None) -> Stored:
    label = f"{line.engine} {line.model_id}"
    count, rest = divmod(len(line.vector), 2)
    if rest or not 0 < count <= MAX_DIMENSION:
        raise LineError(f"the vector of {label} has {len(line.vector)} bytes, which is no template")
    if dimension is not None and count != dimension:
        raise LineError(f"the vector of {label} has {count} dimensions instead of {dimension}")
    vector = np.frombuffer(line.vector, "<f2").astype(np.float16)
    if not np.isfinite(vector).all():
        raise LineError(f"the vector of {label} is not finite")
    norm = float(np.linalg.norm(vector.astype(np.float64)))
    if abs(norm - 1) > NORM_TOLERANCE:
        raise LineError(f"the vector of {label} is not normalised: its length is {norm:.3f}")
    return Stored(line.engine, line.model_id, line.version, vector)
