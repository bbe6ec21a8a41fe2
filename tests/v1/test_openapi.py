"""/v1/openapi.json is a valid OpenAPI 3.0.3 document of these calls alone, and /v1/docs shows it."""

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator


@pytest.fixture(scope="module")
def document(anybody) -> dict:
    return anybody.get("/v1/openapi.json").json()


def test_it_is_valid_3_0_3(document):
    assert document["openapi"] == "3.0.3"
    OpenAPIV30SpecValidator(document).validate()


def test_every_path_and_method_is_in_it(document):
    operations = {
        (method, path): op["operationId"] for path, ops in document["paths"].items() for method, op in ops.items()
    }
    assert operations == {
        ("post", "/v1/auth/client/token"): "issueToken",
        ("post", "/v1/fr/register"): "registerFace",
        ("post", "/v1/fr/verify"): "verifyFace",
        ("post", "/v1/fr/compare"): "compareFaces",
        ("post", "/v1/fr/count"): "countFaces",
        ("delete", "/v1/fr/register/{userCode}"): "deleteFace",
        ("get", "/v1/fr/engines"): "listEngines",
        ("post", "/v1/liveness/detect"): "detectLiveness",
        ("post", "/v1/ocr/recognize"): "recognizeDocument",
    }


def test_every_call_but_the_token_asks_for_a_bearer_token(document):
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation.get("security", []) == ([] if "/auth/" in path else [{"bearer": []}])


def test_every_call_documents_its_errors_in_the_one_form(document):
    assert list(document["components"]["schemas"]["ErrorBody"]["properties"]) == ["success", "code", "message", "trxId"]
    for operations in document["paths"].values():
        for operation in operations.values():
            assert {"400", "401", "404", "409", "429", "500", "503"} <= set(operation["responses"])
            for status, response in operation["responses"].items():
                schema = response["content"]["application/json"]["schema"]
                assert (schema["$ref"].endswith("/ErrorBody")) == (status != "200")


def test_the_documents_choices_are_its_enumerations(document):
    schemas = document["components"]["schemas"]
    assert schemas["Engine"]["enum"] == ["ezway", "applemango"]
    assert schemas["Context"]["enum"] == ["login", "monitoring", "general"]
    assert schemas["IdType"]["enum"] == ["RESIDENT", "DRIVER", "PASSPORT", "FOREIGN"]
    assert schemas["CheckType"]["enum"] == ["deepfake", "photo", "mask", "all"]


def test_the_page_shows_this_document_and_the_page_at_the_root_links_both(anybody):
    assert "/v1/openapi.json" in anybody.get("/v1/docs").text
    home = anybody.get("/").text
    assert 'href="/v1/docs"' in home
    assert 'href="/v1/openapi.json"' in home
