"""/openapi.json is a valid OpenAPI 3.0.3 document, and what it says is what the API does."""

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from gateway.openapi import _downgrade


@pytest.fixture(scope="module")
def document(anybody) -> dict:
    answer = anybody.get("/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def test_it_is_valid_3_0_3(document):
    assert document["openapi"] == "3.0.3"
    OpenAPIV30SpecValidator(document).validate()


def test_every_documented_path_and_method_is_in_it_with_an_operation_id(document):
    operations = {
        (method, path): op["operationId"] for path, ops in document["paths"].items() for method, op in ops.items()
    }
    assert operations == {
        ("post", "/auth/client/token"): "issueToken",
        ("post", "/face/register"): "registerFace",
        ("post", "/face/verify"): "verifyFace",
        ("post", "/face/identify"): "identifyFace",
        ("post", "/face/compare"): "compareFaces",
        ("post", "/face/count"): "countFaces",
        ("delete", "/face/{userCode}"): "deleteFace",
    }


def test_every_call_but_the_token_asks_for_a_bearer_token(document):
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation.get("security", []) == ([] if path.startswith("/auth") else [{"bearer": []}])


def test_every_call_documents_its_errors_in_the_one_form(document):
    for operations in document["paths"].values():
        for operation in operations.values():
            assert {"400", "401", "429", "500", "503"} <= set(operation["responses"])
            for status, response in operation["responses"].items():
                schema = response["content"]["application/json"]["schema"]
                assert (schema["$ref"].endswith("/ErrorBody")) == (status != "200")


def test_the_documents_fields_are_required_where_the_document_says_so(document):
    schemas = document["components"]["schemas"]
    assert set(schemas["RegisterRequest"]["required"]) == {"userCode", "image"}
    assert set(schemas["VerifyRequest"]["properties"]) == {"userCode", "image", "context", "withLiveness"}
    assert schemas["Context"]["enum"] == ["login", "monitoring", "general"]
    assert set(schemas["VerifyAnswer"]["required"]) == {
        "success",
        "txId",
        "score",
        "matched",
        "threshold",
        "code",
        "message",
    }
    assert set(schemas["IdentifyAnswer"]["properties"]) - set(schemas["IdentifyAnswer"]["required"]) == {
        "uid",
        "name",
        "liveness",
    }


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"oneOf": [{"type": "integer"}, {"type": "null"}]}, {"type": "integer", "nullable": True}),
        ({"oneOf": [{"$ref": "#/x"}, {"type": "null"}]}, {"allOf": [{"$ref": "#/x"}], "nullable": True}),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"exclusiveMinimum": 1}, {"minimum": 1, "exclusiveMinimum": True}),
        ({"examples": [1, 2]}, {"example": 1}),
        (
            {"properties": {"a": {"type": ["null", "boolean"]}}},
            {"properties": {"a": {"type": "boolean", "nullable": True}}},
        ),
    ],
)
def test_what_3_1_says_in_another_way_is_said_in_3_0s(newer, older):
    assert _downgrade(newer) == older
