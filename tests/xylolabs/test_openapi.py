"""/api/v1/openapi.json is a valid OpenAPI 3.0.3 document of these calls alone, and /api/v1/docs shows it."""

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

DOCUMENTED = {
    ("get", "/health"),
    ("post", "/api/v1/detect"),
    ("post", "/api/v1/mask"),
    ("post", "/api/v1/admin/auth/login"),
    ("get", "/api/v1/admin/auth/session"),
    ("post", "/api/v1/admin/auth/logout"),
    ("get", "/api/v1/admin/stats"),
    ("get", "/api/v1/admin/images"),
    ("get", "/api/v1/admin/images/{image_id}"),
    ("delete", "/api/v1/admin/images/{image_id}"),
    ("get", "/api/v1/admin/images/{image_id}/download"),
    ("get", "/api/v1/admin/jobs"),
    ("get", "/api/v1/admin/jobs/{job_id}"),
    ("get", "/api/v1/admin/jobs/{job_id}/download"),
    ("post", "/api/v1/admin/test/mask"),
    ("post", "/api/v1/admin/api-keys"),
    ("get", "/api/v1/admin/api-keys"),
    ("get", "/api/v1/admin/api-keys/{key_id}"),
    ("patch", "/api/v1/admin/api-keys/{key_id}"),
    ("delete", "/api/v1/admin/api-keys/{key_id}"),
}


@pytest.fixture(scope="module")
def document(anybody) -> dict:
    return anybody.get("/api/v1/openapi.json").json()


@pytest.fixture(scope="module")
def operations(document) -> dict:
    return {(method, path): op for path, ops in document["paths"].items() for method, op in ops.items()}


def test_it_is_valid_3_0_3(document):
    assert document["openapi"] == "3.0.3"
    OpenAPIV30SpecValidator(document).validate()


def test_every_documented_path_and_method_is_in_it(operations):
    assert set(operations) >= DOCUMENTED
    assert all(path == "/health" or path.startswith("/api/v1/") for _, path in operations)
    names = [operation["operationId"] for operation in operations.values()]
    assert len(names) == len(set(names))


def test_every_call_says_how_a_caller_says_who_it_is(operations):
    for (_, path), operation in operations.items():
        security = operation.get("security", [])
        if path in {"/api/v1/detect", "/api/v1/mask"}:
            assert security == [{"apiKey": []}]
        elif path.startswith("/api/v1/admin") and not path.endswith(("/login", "/logout")):
            assert security == [{"basic": []}, {"session": []}], path
        else:
            assert security == []


def test_every_call_documents_its_errors_in_the_one_form(document, operations):
    assert list(document["components"]["schemas"]["ErrorBody"]["properties"]) == ["detail"]
    for (_, path), operation in operations.items():
        if path == "/health":
            continue
        assert {"400", "429", "500", "503"} & set(operation["responses"]), path
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert response["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorBody")


def test_a_picture_is_a_file_of_a_form(operations):
    for path in ("/api/v1/detect", "/api/v1/mask", "/api/v1/admin/test/mask"):
        schema = operations["post", path]["requestBody"]["content"]["multipart/form-data"]["schema"]
        assert schema["required"] == ["image"]
        assert schema["properties"]["image"]["format"] == "binary"


@pytest.mark.parametrize("path", ["/api/v1/detect", "/api/v1/mask", "/api/v1/admin/test/mask"])
def test_parameters_and_defaults_are_the_documents(operations, path):
    defaults = {"confidence": 0.5, "nms_threshold": 0.4, "max_faces": 0}
    if path != "/api/v1/detect":
        defaults |= {"method": "gaussian", "strength": 199, "padding": 0.15, "format": "jpeg", "quality": 95}
    found = {one["name"]: one for one in operations["post", path]["parameters"]}
    assert {name: one["schema"]["default"] for name, one in found.items()} == defaults
    assert not any(one.get("required") for one in found.values())


def test_the_documents_choices_are_its_enumerations(document):
    schemas = document["components"]["schemas"]
    assert schemas["MaskMethod"]["enum"] == ["gaussian", "pixelate", "solid", "elliptical"]
    assert schemas["ImageFormat"]["enum"] == ["jpeg", "png", "webp"]


def test_a_masked_picture_is_binary_of_three_types_with_its_headers(operations):
    answer = operations["post", "/api/v1/mask"]["responses"]["200"]
    assert set(answer["content"]) == {"image/jpeg", "image/png", "image/webp"}
    assert set(answer["headers"]) == {
        "X-Request-Id",
        "X-Face-Count",
        "X-Smallest-Face",
        "X-Inference-Ms",
        "X-Mask-Ms",
        "X-Encode-Ms",
        "X-Total-Ms",
        "X-Model",
        "X-Image-Id",
        "X-Job-Id",
    }
    # Only where the picture was stored.
    optional = {name for name, header in answer["headers"].items() if not header.get("required")}
    assert optional == {"X-Image-Id", "X-Job-Id"}


def test_a_download_is_documented_as_a_redirect(operations):
    for path in ("/api/v1/admin/images/{image_id}/download", "/api/v1/admin/jobs/{job_id}/download"):
        assert {"302", "404", "501"} <= set(operations["get", path]["responses"])
        assert "200" not in operations["get", path]["responses"]


def test_the_page_shows_this_document_and_the_page_at_the_root_links_all(anybody):
    assert "/api/v1/openapi.json" in anybody.get("/api/v1/docs").text
    home = anybody.get("/").text
    assert 'href="/api/v1/docs"' in home
    assert 'href="/api/v1/openapi.json"' in home
