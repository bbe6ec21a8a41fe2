"""Copy one address into a file: bounded, resumed where it broke off, tried again after a passing failure.

    failure                                what happens
    host not found, refused, no route      OfflineError at once; the host is not asked again by this Network
    5xx, 408, 429, broken off, silence     up to TRIES times, from the byte that is missing, with a growing pause
    another status, too many bytes         FetchError
    no range in the answer                 from the first byte

Nothing here looks at what comes: whoever asked compares the hash.
"""

from __future__ import annotations

import re
import shutil
import ssl
import time
from http.client import HTTPException
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from shared.weights.errors import FetchError, OfflineError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from http.client import HTTPMessage

# Chosen: a server that says nothing for this long is one that cannot be reached.
TIMEOUT_S = 10.0
CHUNK = 256 * 1024
# Chosen: tries without a MEBIBYTE of progress, and the pause before the second one, which doubles.
TRIES = 4
PAUSE_S = 0.5
MEBIBYTE = 1024 * 1024
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


class Body(Protocol):
    """An answer of HTTP that is being read."""

    @property
    def status(self) -> int:
        """HTTP's."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """HTTP's."""
        ...

    def read(self, amount: int, /) -> bytes:
        """Return at most `amount` bytes; none at the end."""
        ...


if TYPE_CHECKING:
    # Called with the bytes that have come and the bytes there are in all, where that is known.
    Progress = Callable[[int, int | None], None]
    # Opens a URL, with a time-out in seconds and headers. Raises as urllib does.
    Opener = Callable[[str, float, Mapping[str, str]], AbstractContextManager[Body]]


class Limits(NamedTuple):
    """`most` bytes are taken; `size` is how many there are, where that is known before."""

    most: int
    size: int | None = None


class _PassingError(Exception):
    """A failure that the next try may not meet."""


class _Redirects(HTTPRedirectHandler):
    """GitHub redirects to its storage; a redirect that leaves https is not followed."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        allowed = {"https"} if urlsplit(req.full_url).scheme == "https" else {"http", "https"}
        if urlsplit(newurl).scheme not in allowed:
            raise FetchError(f"{urlsplit(req.full_url).hostname} redirects to an address that is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_url(url: str, timeout_s: float, headers: Mapping[str, str]) -> AbstractContextManager[Body]:
    """The opener of real downloads; it takes the machine's proxies from the environment, as every tool does."""
    request = Request(url, headers={"User-Agent": "fidox", **headers})  # noqa: S310 — https, or the operator's mirror
    return cast("AbstractContextManager[Body]", build_opener(_Redirects).open(request, timeout=timeout_s))


class Network:
    """What one command knows of the network. Hosts that cannot be reached are asked once, not once a file."""

    def __init__(self, opener: Opener = open_url, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._opener = opener
        self._pause = pause
        self.unreachable: dict[str, str] = {}

    def copy(self, url: str, part: IO[bytes], limits: Limits, progress: Progress | None = None) -> None:
        """Append to `part`, which is open for reading and appending, what is missing of `url`.

        `url` may be a path, of a mirror that is a folder. Raises FetchError or its OfflineError; what has come stays
        in `part`, but for a body that has too many bytes. Raises OSError where `part` cannot be written.
        """
        if "://" not in url:
            _copy_file(Path(url), part, limits, progress)
            return
        host = urlsplit(url).netloc
        if host in self.unreachable:
            raise OfflineError(f"{host} cannot be reached ({self.unreachable[host]})")
        tries, best = 0, _size(part)
        while True:
            try:
                self._once(url, part, limits, progress)
            except _PassingError as error:
                there = _size(part)
                tries, best = (1, there) if there >= best + MEBIBYTE else (tries + 1, best)
                if tries >= TRIES:
                    raise FetchError(f"{url}: {error}, {tries} times") from error
                self._pause(PAUSE_S * 2 ** (tries - 1))
            except OfflineError as error:
                self.unreachable[host] = str(error)
                raise OfflineError(f"{host} cannot be reached ({error})") from error
            else:
                return

    def _once(self, url: str, part: IO[bytes], limits: Limits, progress: Progress | None) -> None:
        offset = _size(part)
        if offset and offset == limits.size:
            return
        ranged = {"Range": f"bytes={offset}-"} if offset else {}
        with self._open(url, part, ranged) as body:
            if offset and not _goes_on(body, offset):
                _empty(part)
            _read(url, body, part, limits, progress)

    def _open(self, url: str, part: IO[bytes], ranged: Mapping[str, str]) -> AbstractContextManager[Body]:
        try:
            return self._opener(url, TIMEOUT_S, {"Accept-Encoding": "identity", **ranged})
        except HTTPError as error:
            error.close()
            if error.code == 416:
                _empty(part)  # what is there is longer than what the server has
            if error.code in {416, *_PASSING}:
                raise _PassingError(f"it answers {error.code} {error.reason}") from error
            raise FetchError(f"{url} answers {error.code} {error.reason}") from error
        except URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                raise FetchError(f"{url}: its certificate is not trusted ({error.reason.verify_message})") from error
            raise OfflineError(f"{getattr(error.reason, 'strerror', None) or error.reason}") from error
        except (OSError, HTTPException) as error:
            raise _PassingError(f"it does not answer ({str(error) or type(error).__name__})") from error


def _read(url: str, body: Body, part: IO[bytes], limits: Limits, progress: Progress | None) -> None:
    done = _size(part)
    length = body.headers.get("Content-Length", "")
    size = done + int(length) if length.isdecimal() else limits.size
    while chunk := _chunk(body):
        done += len(chunk)
        if done > limits.most:
            _empty(part)
            raise FetchError(f"{url} gives more than {limits.most} bytes; given up")
        part.write(chunk)
        if progress is not None:
            progress(done, limits.size or size)
    part.flush()
    if size is not None and done < size:
        raise _PassingError(f"it broke off after {done} of {size} bytes")


def _chunk(body: Body) -> bytes:
    """Read some. Only errors of reading are failures of the network; those of writing are the disk's."""
    try:
        return body.read(CHUNK)
    except (OSError, HTTPException) as error:
        raise _PassingError(f"it broke off ({str(error) or type(error).__name__})") from error


def _goes_on(body: Body, offset: int) -> bool:
    """Does the answer begin at `offset`? Many servers ignore a range and send everything."""
    found = _CONTENT_RANGE.fullmatch(body.headers.get("Content-Range", "")) if body.status == 206 else None
    return found is not None and int(found[1]) == offset


def _copy_file(path: Path, part: IO[bytes], limits: Limits, progress: Progress | None) -> None:
    _empty(part)
    try:
        size = path.stat().st_size
        source = path.open("rb")
    except OSError as error:
        raise FetchError(f"{path}: {error.strerror}") from error
    with source:
        if size > limits.most:
            raise FetchError(f"{path} has more than {limits.most} bytes; given up")
        shutil.copyfileobj(source, part, CHUNK)
    part.flush()
    if progress is not None:
        progress(size, size)


def _size(part: IO[bytes]) -> int:
    return part.seek(0, 2)


def _empty(part: IO[bytes]) -> None:
    part.seek(0)
    part.truncate()
