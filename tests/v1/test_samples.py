"""The document's requests run as written, and each answer has the fields of the document's, in its order and types."""

import json
import re

import pytest

from shared.contracts import IdType
from tests.conftest import SHARED, need
from tests.support.cards import as_base64, card

SECTIONS = {
    "POST/v1/fr/register": "/fr/register",
    "POST/v1/fr/verify": "/fr/verify",
    "POST/v1/fr/compare": "/fr/compare",
    "POST/v1/fr/count": "/fr/count",
    "DELETE/v1/fr/register/{userCode}": None,
    "POST/v1/ocr/recognize": "/ocr/recognize",
    "POST/v1/liveness/detect": "/liveness/detect",
}
# What we add to an answer: which engine answered, and from which score it would be a match; what a check misses.
MORE = {"/fr/compare": {"threshold", "engine"}, "/liveness/detect": {"notice"}}


@pytest.fixture(scope="module")
def samples(specs) -> dict[str, tuple[dict | None, dict]]:
    """{heading: (request body, answer)}, without the comments."""
    text = (specs / "fidox-v1-api.txt").read_text("utf-8")
    found = {}
    for part in re.split(r"^(?=(?:POST|DELETE)/v1/)", text, flags=re.MULTILINE)[1:]:
        request, _, answer = part.partition("\nResponse\n")
        bodies = [re.search(r"^\{.*?^\}", half, re.MULTILINE | re.DOTALL) for half in (request, answer)]
        read = [json.loads(re.sub(r"\s+//.*", "", body.group())) if body else None for body in bodies]
        found[part.splitlines()[0]] = tuple(read)
    return found


def shape(value: object) -> object:
    """Fields, their order and their types, without the values."""
    if isinstance(value, dict):
        return [(name, shape(inner)) for name, inner in value.items()]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


@pytest.mark.parametrize("heading", SECTIONS)
def test_a_sample(v1, photo, samples, heading):
    path = SECTIONS[heading]
    request, answer = samples[heading]
    if path != "/fr/register":
        v1.post("/fr/register", userCode="user-001", image=photo("obama/obama.jpg"))
    if path is None:
        given = v1.delete("user-001")
    else:
        pictures = {"image": "obama/obama2.jpg", "image1": "obama/obama.jpg", "image2": "obama/obama2.jpg"}
        supplied = {"userCode": "user-001", **{name: photo(file) for name, file in pictures.items()}}
        if path == "/ocr/recognize":
            need(SHARED / "models" / "ocr")
            supplied["image"] = as_base64(card(2, IdType.DRIVER))
        given = v1.post(path, **{name: supplied.get(name, value) for name, value in request.items()})
    assert given.status_code == 200, given.text
    told = {name: value for name, value in given.json().items() if name not in MORE.get(path, ())}
    assert shape(told) == shape(answer)
    assert {name: told[name] for name in ("success", "message", "engine") if name in answer} == {
        name: answer[name] for name in ("success", "message", "engine") if name in answer
    }
