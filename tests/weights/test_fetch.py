"""Downloads: complete and right, or not at all; resumed, tried again, and from a mirror before anywhere else.

The server is a real one, of HTTP, which is allowed for a mirror alone. What only an address of https can meet comes
from an opener that is handed in.
"""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.request import Request

import msgspec
import pytest

from deploy.local.folder import CHECKOUT
from shared.settings import Weights
from shared.weights import (
    FetchError,
    Manifest,
    Network,
    OfflineError,
    Source,
    Weight,
    WeightStore,
    WrongHashError,
    fetch,
)
from shared.weights.transfer import _Redirects
from tests.support.file_server import Asked, Fault, FileServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RIGHT = bytes(range(256)) * 4096  # a MiB, of which every part differs from the one before in its place alone
PATH = "models.test/v1/model.onnx"
ZIP_PATH = "models.test/v1/models.zip"


def weight(data: bytes = RIGHT, **other) -> Weight:
    fields = {
        "name": "model",
        "file": "nets/model.onnx",
        "role": "face.detector",
        "sha256": hashlib.sha256(data).hexdigest(),
        "licence": "MIT",
        "commercial_use": True,
        "urls": (f"https://{PATH}",),
    }
    return Weight(**{**fields, **other})


def zipped(**members: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return written.getvalue()


def offline(url: str, _timeout_s: float, _headers: object):
    raise URLError(f"no way to {url.split('/')[2]}")


class Answer(io.BytesIO):
    """What an opener gives: a body of one status, without headers."""

    status = 200

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.headers: dict[str, str] = {}


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer({PATH: RIGHT}) as running:
        yield running


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def network(pauses: list[float]) -> Network:
    """The mirror can be reached and nothing else can; pauses are counted and not waited for."""
    from shared.weights.transfer import open_url

    def opener(url: str, timeout_s: float, headers):
        return offline(url, timeout_s, headers) if url.startswith("https:") else open_url(url, timeout_s, headers)

    return Network(opener, pause=pauses.append)


@pytest.fixture
def store_of(tmp_path: Path, server: FileServer):
    def build(*weights: Weight, mirror: str | None = None) -> WeightStore:
        settings = Weights(cache=str(tmp_path / "cache"), mirror=server.url if mirror is None else mirror)
        return WeightStore(settings, known=Manifest(weights or (weight(),)), mirror=None)

    return build


def left(store: WeightStore) -> list[str]:
    """What lies in the cache: nothing but weights, where a fetch was successful."""
    files = [path.relative_to(store.cache) for path in store.cache.rglob("*") if path.is_file()]
    return sorted(str(path) for path in files if path.name != "verified.json")


def part_of(store: WeightStore, size: int, data: bytes = RIGHT) -> Path:
    """What an earlier fetch has left of the model."""
    path = store.cache / "partial" / f"sha256-{hashlib.sha256(RIGHT).hexdigest()[:32]}.part"
    path.parent.mkdir(parents=True)
    path.write_bytes(data[:size])
    return path


def test_a_mirror_stands_before_the_address(store_of, network) -> None:
    store, told = store_of(), []
    path = fetch(store, "model", lambda done, total: told.append((done, total)), network=network)
    assert (path, path.read_bytes()) == (store.cache / "nets/model.onnx", RIGHT)
    assert told[-1] == (len(RIGHT), len(RIGHT))
    assert left(store) == ["nets/model.onnx"]
    assert store.locate("model").path == path


def test_a_folder_is_a_mirror_too(store_of, tmp_path, network) -> None:
    at = tmp_path / "media" / PATH
    at.parent.mkdir(parents=True)
    at.write_bytes(RIGHT)
    store = store_of(mirror=str(tmp_path / "media"))
    assert fetch(store, "model", network=network).read_bytes() == RIGHT


def test_what_the_mirror_lacks_comes_from_the_address(store_of, server) -> None:
    server.files.clear()
    asked = []

    def opener(url: str, timeout_s: float, headers):
        from shared.weights.transfer import open_url

        asked.append(url)
        return Answer(RIGHT) if url.startswith("https:") else open_url(url, timeout_s, headers)

    assert fetch(store_of(), "model", network=Network(opener)).read_bytes() == RIGHT
    assert asked == [f"{server.url}/{PATH}", f"https://{PATH}"]


def test_a_mirror_of_another_kind_is_refused(store_of) -> None:
    with pytest.raises(FetchError, match=r"FIDOX_WEIGHTS_MIRROR: expected a folder or an http\(s\) address; got ftp"):
        fetch(store_of(mirror="ftp://mirror.test/"), "model")
    for address in ("http://[::1", "http://mirror.test:port/", "https://name:secret@mirror.test/"):
        with pytest.raises(FetchError, match=r"^FIDOX_WEIGHTS_MIRROR: ") as refused:
            fetch(store_of(mirror=address), "model")
        assert "secret" not in str(refused.value)


def test_a_wrong_file_of_the_mirror_is_discarded_and_named(store_of, server, network) -> None:
    server.files[PATH] = b"something else"
    store = store_of()
    with pytest.raises(WrongHashError, match=rf"{server.url}/{PATH} gave has the sha256 .* discarded"):
        fetch(store, "model", network=network)
    assert left(store) == []


def test_the_next_address_is_tried_after_a_wrong_file(store_of) -> None:
    bodies = {"https://one.test/m": b"wrong", "https://two.test/m": RIGHT}
    store = store_of(weight(urls=tuple(bodies)), mirror="")
    network = Network(lambda url, _timeout_s, _headers: Answer(bodies[url]))
    assert fetch(store, "model", network=network).read_bytes() == RIGHT
    assert left(store) == ["nets/model.onnx"]


@pytest.mark.parametrize("has_length", [True, False])
def test_a_download_that_breaks_off_goes_on_where_it_was(store_of, server, network, pauses, has_length) -> None:
    server.faults[PATH] = [Fault(cut_at=300_000, has_length=has_length), Fault(cut_at=700_000)]
    store = store_of(weight(bytes=len(RIGHT)))
    assert fetch(store, "model", network=network).read_bytes() == RIGHT
    assert server.asked == [Asked(PATH, None), Asked(PATH, "bytes=300000-"), Asked(PATH, "bytes=700000-")]
    assert len(pauses) == 2


def test_what_an_earlier_fetch_left_is_not_downloaded_again(store_of, server, network) -> None:
    store = store_of()
    part_of(store, 400_000)
    assert fetch(store, "model", network=network).read_bytes() == RIGHT
    assert server.asked == [Asked(PATH, "bytes=400000-")]
    assert left(store) == ["nets/model.onnx"]


@pytest.mark.parametrize(
    ("size", "data", "faults"),
    [
        pytest.param(400_000, RIGHT, [Fault(ignores_range=True)], id="a server that ignores the range"),
        pytest.param(400_000, RIGHT[::-1], [], id="a beginning of another origin"),
        pytest.param(2_000_000, RIGHT * 2, [], id="more than there is"),
        pytest.param(len(RIGHT), RIGHT[::-1], [], id="as much as there is, and something else"),
        pytest.param(len(RIGHT), RIGHT, [], id="everything"),
    ],
)
@pytest.mark.parametrize("sized", [True, False])
def test_whatever_was_left_the_file_is_right_in_the_end(store_of, server, network, size, data, faults, sized) -> None:
    store = store_of(weight(bytes=len(RIGHT) if sized else None))
    part_of(store, size, data)
    server.faults[PATH] = faults
    assert fetch(store, "model", network=network).read_bytes() == RIGHT
    assert left(store) == ["nets/model.onnx"]


def test_a_server_that_fails_for_a_moment_is_asked_again_after_a_growing_pause(
    store_of, server, network, pauses
) -> None:
    server.faults[PATH] = [Fault(status=503), Fault(status=429), Fault(status=502)]
    assert fetch(store_of(), "model", network=network).read_bytes() == RIGHT
    assert pauses == [0.5, 1.0, 2.0]


def test_a_server_that_goes_on_failing_is_given_up_and_named(store_of, server, network) -> None:
    server.faults[PATH] = [Fault(status=503)] * 9
    with pytest.raises(FetchError, match=rf"{server.url}/{PATH}: it answers 503 .*, 4 times"):
        fetch(store_of(), "model", network=network)
    assert len(server.asked) == 4


def test_what_came_before_it_was_given_up_is_kept(store_of, server, network) -> None:
    server.faults[PATH] = [Fault(cut_at=300_000), *[Fault(status=503)] * 3]
    store = store_of()
    with pytest.raises(FetchError):
        fetch(store, "model", network=network)
    (part,) = left(store)
    assert (store.cache / part).stat().st_size == 300_000


def test_a_server_that_has_no_such_file_is_named_with_its_status(store_of) -> None:
    def opener(url: str, _timeout_s: float, _headers):
        raise HTTPError(url, 404, "Not Found", {}, io.BytesIO())

    with pytest.raises(FetchError, match=rf"model: https://{PATH} answers 404 Not Found; try again") as error:
        fetch(store_of(mirror=""), "model", network=Network(opener))
    assert error.value.reason == f"model: https://{PATH} answers 404 Not Found"


def test_a_download_that_never_ends_is_given_up(store_of, network) -> None:
    store = store_of(weight(bytes=10))
    with pytest.raises(FetchError, match="more than 10 bytes"):
        fetch(store, "model", network=network)
    assert left(store) == []


def test_without_a_network_the_message_says_what_to_do(store_of) -> None:
    with pytest.raises(OfflineError) as error:
        fetch(store_of(mirror=""), "model", network=Network(offline))
    for way in ("FIDOX_WEIGHTS_MIRROR", "fidox weights import", "put nets/model.onnx (sha256 "):
        assert way in str(error.value)


def test_a_host_that_cannot_be_reached_is_asked_once_for_all_files(store_of) -> None:
    asked = []

    def opener(url: str, timeout_s: float, headers):
        asked.append(url)
        return offline(url, timeout_s, headers)

    store = store_of(weight(), weight(name="other", file="other.onnx"), mirror="")
    network = Network(opener)
    for name in ("model", "other"):
        with pytest.raises(OfflineError, match=r"models\.test cannot be reached \(no way to models\.test\)"):
            fetch(store, name, network=network)
    assert len(asked) == 1


def test_a_weight_without_an_address_cannot_be_fetched(store_of) -> None:
    with pytest.raises(FetchError, match=r"no public address; put nets/model\.onnx"):
        fetch(store_of(weight(urls=())), "model")


def test_a_cache_that_cannot_be_written_is_named(tmp_path, server, network) -> None:
    (tmp_path / "a_file").write_text("")
    settings = Weights(cache=str(tmp_path / "a_file"), mirror=server.url)
    with pytest.raises(FetchError, match=r"a_file cannot be written .* FIDOX_CACHE_DIR"):
        fetch(WeightStore(settings, known=Manifest((weight(),)), mirror=None), "model", network=network)


@pytest.mark.parametrize(
    ("begin", "end"),
    [("https://models.test/a", "http://models.test/a"), ("http://mirror.test/a", "ftp://mirror.test/a")],
)
def test_a_redirect_that_leaves_https_is_not_followed(begin: str, end: str) -> None:
    with pytest.raises(FetchError, match="not https"):
        _Redirects().redirect_request(Request(begin), io.BytesIO(), 302, "Found", {}, end)


def test_a_redirect_of_the_mirror_is_followed(store_of, server, network) -> None:
    server.files["elsewhere"] = RIGHT
    server.faults[PATH] = [Fault(status=302, location="/elsewhere")]
    assert fetch(store_of(), "model", network=network).read_bytes() == RIGHT


@pytest.mark.parametrize("whole", [True, False])
def test_a_member_of_a_zip_comes_out_of_the_zip_or_alone(store_of, server, network, whole: bool) -> None:
    member = {ZIP_PATH: zipped(other=b"not this", model=RIGHT)} if whole else {f"{ZIP_PATH}/model": RIGHT}
    server.files = member
    store = store_of(weight(urls=(f"https://{ZIP_PATH}#model",)))
    assert fetch(store, "model", network=network).read_bytes() == RIGHT
    assert left(store) == ["nets/model.onnx"]


def test_a_zip_that_breaks_off_goes_on_where_it_was(store_of, server, network) -> None:
    server.files = {ZIP_PATH: zipped(model=RIGHT)}
    server.faults[ZIP_PATH] = [Fault(cut_at=1000)]
    assert fetch(store_of(weight(urls=(f"https://{ZIP_PATH}#model",))), "model", network=network).read_bytes() == RIGHT
    assert server.asked[-1] == Asked(ZIP_PATH, "bytes=1000-")


@pytest.mark.parametrize(
    ("archive", "complaint"),
    [
        (zipped(other=RIGHT), "has no member model"),
        (b"PK no zip", "is not a zip that can be read"),
        (zipped(model=RIGHT)[:-30], "is not a zip that can be read"),
        (zipped(model=bytes(50_000_000)), r"models\.zip#model has more than 1048576 bytes"),
        (zipped(model=b"something else"), r"models\.zip#model gave has the sha256"),
    ],
)
def test_a_zip_of_anything_else_is_refused_and_leaves_nothing(
    store_of, server, network, archive: bytes, complaint: str
) -> None:
    server.files = {ZIP_PATH: archive}
    store = store_of(weight(bytes=len(RIGHT), urls=(f"https://{ZIP_PATH}#model",)))
    with pytest.raises((FetchError, WrongHashError), match=complaint):
        fetch(store, "model", network=network)
    assert left(store) == []


def test_every_file_of_a_weight_is_fetched_and_a_right_one_not_again(store_of, server, network) -> None:
    numbers = Source(
        file="nets/model.bin", sha384=hashlib.sha384(b"numbers").hexdigest(), urls=("https://models.test/v1/m.bin",)
    )
    store = store_of(weight(bytes=len(RIGHT), companions=(numbers,)))
    with pytest.raises(FetchError, match=r"models\.test/v1/m\.bin answers 404"):
        fetch(store, "model", network=network)
    server.files["models.test/v1/m.bin"] = b"numbers"
    fetch(store, "model", network=network)
    assert store.locate("model").companions[0].read_bytes() == b"numbers"
    assert [asked.path for asked in server.asked] == [PATH, "models.test/v1/m.bin", "models.test/v1/m.bin"]


def test_two_that_fetch_the_same_file_at_once_download_it_once(store_of, server) -> None:
    results, begin = [], threading.Barrier(3)

    def run() -> None:
        begin.wait()
        results.append(fetch(store_of(), "model").read_bytes() == RIGHT)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 3
    assert len(server.asked) == 1
    assert left(store_of()) == ["nets/model.onnx"]


def test_an_interrupted_fetch_leaves_its_part_for_the_next_one(tmp_path) -> None:
    """A process of its own, which a signal ends while the server holds back the second half."""
    server = FileServer({PATH: RIGHT})
    server.hold_after = 600_000
    code = (
        "import sys; from tests.weights.test_fetch import weight; from shared.settings import Weights;"
        " from shared.weights import Manifest, WeightStore, fetch;"
        " settings = Weights(cache=sys.argv[1], mirror=sys.argv[2]);"
        " fetch(WeightStore(settings, known=Manifest((weight(),)), mirror=None), 'model')"
    )
    with server:
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), server.url], cwd=CHECKOUT, stderr=subprocess.DEVNULL
        )
        part = tmp_path / "partial" / f"sha256-{hashlib.sha256(RIGHT).hexdigest()[:32]}.part"
        until = time.monotonic() + 60
        while not (part.exists() and part.stat().st_size) and time.monotonic() < until:
            time.sleep(0.02)
        os.kill(child.pid, signal.SIGINT)
        child.wait(30)
        server.hold.set()
    came = part.stat().st_size
    assert 0 < came < len(RIGHT)
    with FileServer({PATH: RIGHT}) as again:
        store = WeightStore(Weights(cache=str(tmp_path), mirror=again.url), known=Manifest((weight(),)), mirror=None)
        assert fetch(store, "model").read_bytes() == RIGHT
        assert again.asked == [Asked(PATH, f"bytes={came}-")]


def test_a_wrong_file_in_the_cache_is_replaced(store_of, network) -> None:
    store = store_of()
    target = store.cache / "nets/model.onnx"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"something else")
    assert fetch(store, "model", network=network).read_bytes() == RIGHT


def test_the_sizes_of_all_entries_are_within_what_is_downloaded_at_most() -> None:
    from shared.weights.fetch import MOST_BYTES
    from shared.weights.manifest import load

    for known in load().weight:
        for source in known.sources:
            assert msgspec.structs.asdict(source)["bytes"] is None or source.bytes < MOST_BYTES
