"""Download a model file to the cache: over https only, bounded in size, and kept only if its hash is right."""

from __future__ import annotations

import hashlib
import os
import tempfile
from http.client import HTTPException
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from shared.weights.errors import FetchError, OfflineError, WrongHashError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from http.client import HTTPMessage

    from shared.weights.find import WeightStore
    from shared.weights.manifest import Weight

    # Called with the bytes that have come and the bytes there are in all, where that is known.
    Progress = Callable[[int, int | None], None]
    # Opens a URL with a time-out in seconds, and gives a body to read.
    Opener = Callable[[str, float], AbstractContextManager[IO[bytes]]]

# Chosen: a server that says nothing for this long is one that cannot be reached.
TIMEOUT_S = 10.0
CHUNK = 256 * 1024
# Chosen: twice the largest file of the manifest. It bounds only those whose size the manifest does not know.
MOST_BYTES = 512 * 1024 * 1024


class _OnlyHttps(HTTPRedirectHandler):
    """GitHub redirects to its storage; a redirect that leaves https is not followed."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if urlsplit(newurl).scheme != "https":
            raise FetchError(f"{urlsplit(req.full_url).hostname} redirects to an address that is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_url(url: str, timeout_s: float) -> AbstractContextManager[IO[bytes]]:
    """The opener of real downloads; it takes the machine's proxies from the environment, as every tool does."""
    request = Request(url, headers={"User-Agent": "fidox"})  # noqa: S310 — the manifest holds https only
    return build_opener(_OnlyHttps).open(request, timeout=timeout_s)


def fetch(store: WeightStore, name: str, progress: Progress | None = None, *, opener: Opener = open_url) -> Path:
    """Download `name` to the cache, whether or not it is there already, and return its path.

    The file appears under its name only when it is whole and right. Raises FetchError, its OfflineError, or
    WrongHashError; nothing is left behind then.
    """
    weight = store.manifest.named(name)
    store.require_licence(weight)
    if not weight.urls:
        raise FetchError(f"{name} has no public address; {store.way_to_get(weight)}")
    for url in weight.urls[:-1]:
        try:
            return _download(store, weight, url, progress, opener)
        except (FetchError, WrongHashError):
            continue  # the last address's error is the one that is told
    return _download(store, weight, weight.urls[-1], progress, opener)


def _download(store: WeightStore, weight: Weight, url: str, progress: Progress | None, opener: Opener) -> Path:
    target = store.cache / weight.file
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-", suffix=".part")
    except OSError as error:
        raise FetchError(f"{target.parent} cannot be written ({error.strerror}); set FIDOX_CACHE_DIR") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            sha256 = _copy(weight, url, file, progress, opener)
        if sha256 != weight.digest.value:
            raise WrongHashError(
                f"{weight.name}: what {url} gave has the sha256 {sha256[:16]}…, not {weight.digest.short}; it was"
                " thrown away"
            )
        Path(part).chmod(0o644)
        Path(part).replace(target)
    finally:
        Path(part).unlink(missing_ok=True)
    return target


def _copy(weight: Weight, url: str, file: IO[bytes], progress: Progress | None, opener: Opener) -> str:
    """Copy the body of `url` into `file` and return its sha256."""
    by_hand = (
        f"download {url} on another machine and put it as {weight.file} into FIDOX_WEIGHTS_DIR or the cache folder"
    )
    digest, done = hashlib.new(weight.digest.algorithm), 0
    try:
        with opener(url, TIMEOUT_S) as body:
            total = weight.bytes or _length(body)
            bound = weight.bytes or MOST_BYTES
            while chunk := body.read(CHUNK):
                done += len(chunk)
                if done > bound:
                    raise FetchError(f"{weight.name}: {url} gives more than {bound} bytes; given up")
                digest.update(chunk)
                file.write(chunk)
                if progress is not None:
                    progress(done, total)
    except HTTPError as error:
        error.close()
        raise FetchError(f"{weight.name}: {url} answers {error.code} {error.reason}; {by_hand}") from error
    except URLError as error:
        host = urlsplit(url).hostname
        raise OfflineError(f"{weight.name}: {host} cannot be reached ({error.reason}); {by_hand}") from error
    except (OSError, HTTPException) as error:
        raise FetchError(f"{weight.name}: the download broke off ({error}); try again, or {by_hand}") from error
    return digest.hexdigest()


def _length(body: IO[bytes]) -> int | None:
    headers = getattr(body, "headers", None)
    length = headers.get("Content-Length") if headers is not None else None
    return int(length) if length and length.isdecimal() else None
