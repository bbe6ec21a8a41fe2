"""`POST /api/v1/admin/test/mask`: for admins, all fields of a detection, what was masked, and the picture in base64."""

import base64

import httpx
import pytest

from tests.support.face_api import error, transactions

TWO = "_groups/kit_with_rose.jpg"
PATH = "/api/v1/admin/test/mask"


@pytest.fixture
def admin(stack):
    auth = stack.demo["ADMIN_USERNAME"], stack.demo["ADMIN_PASSWORD"]
    with httpx.Client(base_url=stack.base_url, auth=auth, timeout=60) as client:
        yield client


def preview(admin, image: bytes, **parameters) -> httpx.Response:
    return admin.post(PATH, params=parameters, files={"image": ("photo.jpg", image)})


def test_it_is_a_detection_with_masking_and_output(admin, faces, jpeg):
    told = preview(admin, jpeg(TWO), method="pixelate", strength=40, padding=0.2, format="png").json()
    detected = faces.detect(jpeg(TWO)).json()
    assert list(told) == [*detected, "masking", "output"]
    assert told["detections"] == detected["detections"]
    assert told["masking"] == {"method": "pixelate", "strength": 40, "padding": 0.2, "regions_masked": 2}
    assert list(told["output"]) == ["format", "quality", "size_bytes", "image_base64"]
    assert told["output"]["format"] == "png"
    assert told["profiling"]["mask_ms"] > 0
    assert told["profiling"]["encode_ms"] > 0


def test_the_picture_is_the_one_that_mask_gives(admin, faces, jpeg):
    output = preview(admin, jpeg(TWO)).json()["output"]
    picture = base64.b64decode(output["image_base64"])
    assert picture == faces.mask(jpeg(TWO)).content
    assert output["size_bytes"] == len(picture)
    assert (output["format"], output["quality"]) == ("jpeg", 95)


def test_its_defaults_are_masks(admin, jpeg):
    told = preview(admin, jpeg(TWO)).json()
    assert told["masking"] == {"method": "gaussian", "strength": 199, "padding": 0.15, "regions_masked": 2}


def test_an_api_key_is_no_admin(faces, jpeg):
    answer = faces.client.post(PATH, files={"image": ("photo.jpg", jpeg(TWO))})
    assert error(answer)[0] == 401


@pytest.mark.parametrize("parameters", [{"method": "blur"}, {"quality": "0"}, {"confidence": "2"}], ids=str)
def test_a_parameter_out_of_bounds_is_400(admin, parameters):
    status, detail = error(preview(admin, b"", **parameters))
    assert status == 400
    assert next(iter(parameters)) in detail


def test_it_is_one_transaction(admin, jpeg, stack):
    request_id = preview(admin, jpeg(TWO)).json()["request_id"]
    assert transactions(stack.database_url, request_id) == [("xylolabs", "mask", "ok", None)]
