"""Downloads: whole and right, or not at all. The opener is injected: real ones are https to the internet."""

import io
from urllib.error import HTTPError
from urllib.request import Request

import msgspec
import pytest

from shared.settings import Weights
from shared.weights import FetchError, Manifest, WeightStore, fetch
from shared.weights.fetch import _OnlyHttps
from tests.weights.conftest import BODY


def serving(body: bytes):
    return lambda _url, _timeout_s: io.BytesIO(body)


def failing(error: Exception):
    def opener(_url, _timeout_s):
        raise error

    return opener


def left_behind(store: WeightStore) -> list[str]:
    return [path.name for path in store.cache.rglob("*") if path.is_file()]


def test_a_download_that_breaks_off_says_so(store):
    with pytest.raises(FetchError, match="broke off"):
        fetch(store, "tiny", opener=failing(ConnectionResetError("reset by peer")))


def test_a_server_that_refuses_is_named_with_its_status(store):
    error = HTTPError("https://models.example/tiny.onnx", 404, "Not Found", {}, io.BytesIO())
    with pytest.raises(FetchError, match="404 Not Found"):
        fetch(store, "tiny", opener=failing(error))


def test_a_weight_without_an_address_cannot_be_fetched(weight, places):
    store = WeightStore(
        Weights(cache=str(places["cache"])), known=Manifest((msgspec.structs.replace(weight, urls=()),)), mirror=None
    )
    with pytest.raises(FetchError, match="no public address"):
        fetch(store, "tiny", opener=serving(BODY))


def test_a_redirect_that_leaves_https_is_not_followed():
    with pytest.raises(FetchError, match="not https"):
        _OnlyHttps().redirect_request(
            Request("https://models.example/a"), io.BytesIO(), 302, "Found", {}, "http://models.example/a"
        )
