"""`POST /api/v1/detect`, sentence by sentence of its document."""

import io
from uuid import UUID

import pytest
from PIL import Image

from tests.support.face_api import error, transactions

ONE, TWO = "obama/obama.jpg", "_groups/kit_with_rose.jpg"
# The document's own example, and what it only names: an entry of detections.
DOCUMENTED = {
    "request_id": None,
    "image_id": None,
    "job_id": None,
    "image": ["width", "height", "channels", "size_bytes"],
    "detections": None,
    "summary": [
        "face_count",
        "avg_confidence",
        "min_confidence",
        "max_confidence",
        "total_face_area",
        "face_area_ratio",
    ],
    "processing": ["model", "input_size", "confidence_threshold", "nms_threshold", "inference_ms", "total_ms"],
    "profiling": [
        "decode_ms",
        "preprocess_ms",
        "blob_ms",
        "inference_ms",
        "postprocess_ms",
        "nms_ms",
        "mask_ms",
        "encode_ms",
        "storage_ms",
        "total_ms",
        "candidates_before_nms",
        "candidates_after_nms",
        "det_scale",
        "input_resolution",
        "det_resolution",
        "input_bytes",
        "output_bytes",
        "input_pixels",
        "model_name",
    ],
}
LANDMARKS = ["left_eye", "right_eye", "nose", "mouth_left", "mouth_right"]


def found(answer) -> dict:
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_answer_has_the_documents_fields_in_its_order(faces, jpeg):
    told = found(faces.detect(jpeg(ONE)))
    assert list(told) == list(DOCUMENTED)
    for name, fields in DOCUMENTED.items():
        if fields is not None:
            assert list(told[name]) == fields


def test_request_id_is_a_uuid(faces, jpeg):
    told = found(faces.detect(jpeg(ONE)))
    assert UUID(told["request_id"]).version == 4


def test_image_tells_of_the_file(faces, jpeg):
    data = jpeg(ONE)
    with Image.open(io.BytesIO(data)) as opened:
        width, height = opened.size
    assert found(faces.detect(data))["image"] == {
        "width": width,
        "height": height,
        "channels": 3,
        "size_bytes": len(data),
    }


def test_a_detection_has_bbox_landmarks_size_area_centre_and_relative_position(faces, jpeg):
    told = found(faces.detect(jpeg(ONE)))
    (face,) = told["detections"]
    box, image = face["bbox"], told["image"]
    assert 0 <= box["x1"] < box["x2"] <= image["width"]
    assert 0 <= box["y1"] < box["y2"] <= image["height"]
    assert face["width"] == pytest.approx(box["x2"] - box["x1"], abs=0.02)
    assert face["height"] == pytest.approx(box["y2"] - box["y1"], abs=0.02)
    assert face["area"] == pytest.approx(face["width"] * face["height"], rel=1e-3)
    assert face["center"]["x"] == pytest.approx((box["x1"] + box["x2"]) / 2, abs=0.02)
    assert face["relative_position"]["x"] == pytest.approx(face["center"]["x"] / image["width"], abs=1e-3)
    assert face["relative_position"]["height"] == pytest.approx(face["height"] / image["height"], abs=1e-3)
    assert 0.5 <= face["confidence"] <= 1
    assert list(face["landmarks"]) == LANDMARKS
    points = face["landmarks"]
    assert points["left_eye"]["x"] < points["nose"]["x"] < points["right_eye"]["x"]
    assert points["left_eye"]["y"] < points["nose"]["y"] < points["mouth_left"]["y"]


def test_the_summary_is_computed_from_the_detections(faces, jpeg):
    told = found(faces.detect(jpeg(TWO)))
    confidences = [face["confidence"] for face in told["detections"]]
    area = sum(face["area"] for face in told["detections"])
    assert told["summary"]["face_count"] == len(confidences) == 2
    assert told["summary"]["min_confidence"] == min(confidences)
    assert told["summary"]["max_confidence"] == max(confidences)
    assert told["summary"]["avg_confidence"] == pytest.approx(sum(confidences) / 2, abs=1e-4)
    assert told["summary"]["total_face_area"] == pytest.approx(area, abs=0.05)
    image = told["image"]
    assert told["summary"]["face_area_ratio"] == pytest.approx(area / (image["width"] * image["height"]), abs=1e-4)


def test_profiling_is_measured_and_adds_up(faces, jpeg):
    data = jpeg(ONE)
    told = found(faces.detect(data))
    profiling = told["profiling"]
    parts = [profiling[f"{name}_ms"] for name in ("decode", "preprocess", "blob", "inference", "postprocess", "nms")]
    assert all(part > 0 for part in parts[:4])
    assert sum(parts) + profiling["storage_ms"] <= profiling["total_ms"] + 0.1
    assert profiling["mask_ms"] is profiling["encode_ms"] is None
    assert profiling["output_bytes"] is None
    assert profiling["candidates_before_nms"] >= profiling["candidates_after_nms"] >= 1
    image = told["image"]
    assert profiling["input_resolution"] == f"{image['width']}x{image['height']}"
    assert profiling["input_pixels"] == image["width"] * image["height"]
    assert profiling["input_bytes"] == len(data)
    width, height = told["processing"]["input_size"]
    assert profiling["det_resolution"] == f"{width}x{height}"
    assert profiling["det_scale"] == pytest.approx(640 / max(image["width"], image["height"]), rel=0.01)
    assert told["processing"]["inference_ms"] == profiling["inference_ms"]
    assert told["processing"]["total_ms"] == profiling["total_ms"]


def test_the_model_that_ran_is_named(faces, jpeg, anybody):
    told = found(faces.detect(jpeg(ONE)))
    model = anybody.get("/health").json()["model"]
    assert model in {"scrfd_10g", "scrfd_2.5g", "scrfd_500m", "dlib_hog"}
    assert told["processing"]["model"] == told["profiling"]["model_name"] == model


def test_the_defaults_are_the_documents(faces, jpeg):
    processing = found(faces.detect(jpeg(ONE)))["processing"]
    assert processing["confidence_threshold"] == 0.5
    assert processing["nms_threshold"] == 0.4


def test_confidence_reaches_the_detector(faces, jpeg):
    told = [found(faces.detect(jpeg(TWO), confidence=confidence)) for confidence in (0.05, 0.5, 0.99)]
    before = [answer["profiling"]["candidates_before_nms"] for answer in told]
    assert before[0] > before[1] > before[2]
    assert [answer["processing"]["confidence_threshold"] for answer in told] == [0.05, 0.5, 0.99]
    assert told[2]["summary"]["face_count"] == 0


def test_nms_threshold_reaches_the_detector(faces, jpeg):
    every, none = (found(faces.detect(jpeg(TWO), nms_threshold=threshold)) for threshold in (1, 0.4))
    assert every["profiling"]["candidates_after_nms"] == every["profiling"]["candidates_before_nms"] > 2
    assert none["profiling"]["candidates_after_nms"] == 2


def test_max_faces_keeps_the_largest_and_0_all(faces, jpeg):
    every = found(faces.detect(jpeg(TWO), max_faces=0))["detections"]
    (largest,) = found(faces.detect(jpeg(TWO), max_faces=1))["detections"]
    assert len(every) == 2
    assert largest["area"] == max(face["area"] for face in every)
    assert [face["area"] for face in every] == sorted((face["area"] for face in every), reverse=True)


def test_a_picture_without_a_face_is_no_error(faces):
    buffer = io.BytesIO()
    Image.new("L", (320, 240), 120).save(buffer, "PNG")
    told = found(faces.detect(buffer.getvalue()))
    assert told["detections"] == []
    assert told["image"]["channels"] == 1
    assert told["summary"] == {
        "face_count": 0,
        "avg_confidence": None,
        "min_confidence": None,
        "max_confidence": None,
        "total_face_area": 0,
        "face_area_ratio": 0,
    }


@pytest.mark.parametrize(
    "parameters",
    [{"confidence": value} for value in ("1.1", "-0.1", "nan", "inf", "", "much", "0x1")]
    + [{"nms_threshold": "2"}, {"max_faces": "-1"}, {"max_faces": "1.5"}, {"max_faces": "99999999999999999999"}],
    ids=str,
)
def test_a_parameter_out_of_bounds_is_400_and_named(faces, parameters):
    status, detail = error(faces.detect(b"", **parameters))
    assert status == 400
    assert next(iter(parameters)) in detail


def test_a_request_is_a_transaction_of_no_tenant(faces, jpeg, stack):
    request_id = found(faces.detect(jpeg(ONE)))["request_id"]
    assert transactions(stack.database_url, request_id) == [("xylolabs", "detect", "ok", None)]
