"""Whom to enrol: from a folder or a CSV file to user codes with their pictures.

folder   FOLDER/u1.jpg           the file's name without its suffix is the user code
         FOLDER/u1/anything.jpg  the sub-folder's name is; the first good picture is taken
CSV      user_code,path[,name]   paths from the CSV file's own folder; a first line of these words is a heading
"""

from __future__ import annotations

import csv
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from deploy.faces.fileformat import Name, UserCode
from deploy.faces.pictures import is_picture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADING = "user_code"


class SourceError(Exception):
    """Why a source cannot be read at all."""


class Candidate(NamedTuple):
    """Someone to enrol, with pictures in the order to try them."""

    user_code: str
    name: str | None
    pictures: tuple[Path, ...]


class Unusable(NamedTuple):
    """A file or line that names nobody, and why."""

    where: str
    reason: str


def read(source: Path) -> tuple[list[Candidate], list[Unusable]]:
    """Everybody in a folder or CSV file, each user code once. Raises SourceError."""
    if source.is_dir():
        found = _folder(source)
    elif source.is_file():
        found = _table(source)
    else:
        raise SourceError(f"{source} is neither a folder nor a file")
    people: dict[str, tuple[str | None, list[Path]]] = {}
    unusable: list[Unusable] = []
    for where, user_code, name, picture in found:
        if reason := _wrong(user_code, name, picture):
            unusable.append(Unusable(where, reason))
            continue
        known, pictures = people.setdefault(user_code, (name, []))
        people[user_code] = (known or name, [*pictures, picture])
    return [Candidate(code, name, tuple(pictures)) for code, (name, pictures) in people.items()], unusable


def _folder(folder: Path) -> Iterator[tuple[str, str, str | None, Path]]:
    for entry in _visible(folder):
        for picture in _visible(entry) if entry.is_dir() else (entry,):
            code = entry.name if entry.is_dir() else entry.stem
            # A Mac writes names decomposed (NFD); programs that call the API send them composed.
            yield str(picture), unicodedata.normalize("NFC", code), None, picture


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "_")))


def _table(path: Path) -> Iterator[tuple[str, str, str | None, Path]]:
    try:
        # Spreadsheets put a byte order mark in front.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for cells in reader:
                row = [cell.strip() for cell in cells]
                if not any(row) or (reader.line_num == 1 and row[0].lower() == HEADING):
                    continue
                where = f"line {reader.line_num}"
                if len(row) < 2:
                    yield where, "", None, path
                else:
                    yield where, row[0], (row[2] if len(row) > 2 else "") or None, path.parent / row[1]
    except UnicodeDecodeError:
        raise SourceError(f"{path} is not UTF-8; save it as `CSV UTF-8`") from None
    except csv.Error as error:
        raise SourceError(f"{path} cannot be read as CSV: {error}") from None


def _wrong(user_code: str, name: str | None, picture: Path) -> str:
    """What keeps a line from being tried; empty for nothing."""
    try:
        msgspec.convert(user_code, UserCode)
        user_code.encode()
    except ValueError:
        return "a user code is 1 to 128 characters, none of them a control character"
    try:
        msgspec.convert(name, Name | None)
    except ValueError:
        return "a name is at most 128 characters, none of them a control character"
    return "" if is_picture(picture) else "not a JPEG, PNG or WebP by its name"
