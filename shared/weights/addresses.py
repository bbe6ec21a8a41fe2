"""Addresses of model files, and where a mirror has them.

    https://host/path/model.onnx              a file
    https://host/path/models.zip#model.onnx   a member of a zip

A mirror is a folder or an http(s) address. It repeats the hosts as folders, so that one can be filled by any tool:

    MIRROR/host/path/model.onnx
    MIRROR/host/path/models.zip               the whole zip, or
    MIRROR/host/path/models.zip/model.onnx    the member alone
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import NamedTuple, Self
from urllib.parse import quote, unquote, urlsplit


class Address(NamedTuple):
    """Where a file is: `url` without a fragment, and the `member` of the zip that is there, or None."""

    url: str
    member: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address of the manifest. Raises ValueError where it is not one: https, and no way out of a zip."""
        url, _, member = text.partition("#")
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError(f"weights come over https only; got {text}")
        if ".." in PurePosixPath(unquote(parts.path)).parts:
            raise ValueError(f"the path of an address has no ..; got {text}")
        if not member:
            return cls(url)
        path = PurePosixPath(member)
        if path.is_absolute() or ".." in path.parts or "\\" in member or not parts.path.endswith(".zip"):
            raise ValueError(f"a member is ADDRESS.zip#name; got {text}")
        return cls(url, member)

    @property
    def host(self) -> str:
        """The host's name."""
        return urlsplit(self.url).hostname or ""

    @property
    def name(self) -> str:
        """The file's own name: the member's, or the last part of the path."""
        return PurePosixPath(self.member or unquote(urlsplit(self.url).path)).name

    @property
    def in_mirror(self) -> PurePosixPath:
        """Where a mirror has the file, or the zip: `host/path`."""
        return PurePosixPath(self.host, unquote(urlsplit(self.url).path).lstrip("/"))

    def __str__(self) -> str:
        return f"{self.url}#{self.member}" if self.member else self.url


class Mirror(NamedTuple):
    """A place that stands before every host: a folder, or an address without a slash at its end."""

    root: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the setting. Raises ValueError where it is no address of http or https, or has a password."""
        scheme, separator, rest = text.partition("://")
        if separator:
            parts = urlsplit(text)
            if parts.username is not None:
                # It would end in messages and logs.
                raise ValueError("expected an address without a user name and a password")
            _ = parts.port  # raises ValueError, too
        if separator and (scheme not in {"http", "https"} or not rest.strip("/")):
            raise ValueError(f"expected a folder or an http(s) address; got {text}")
        return cls(text.rstrip("/") or "/")

    @property
    def is_folder(self) -> bool:
        """Is it on this machine's disks?"""
        return "://" not in self.root

    def places(self, address: Address) -> list[Address]:
        """Return where to look for `address`, in this order. Of a folder, `url` is a path."""
        at = address.in_mirror
        if address.member is None:
            return [Address(self._at(at))]
        return [Address(self._at(at / address.member)), Address(self._at(at), address.member)]

    def _at(self, path: PurePosixPath) -> str:
        return str(Path(self.root).expanduser() / path) if self.is_folder else f"{self.root}/{quote(str(path))}"
