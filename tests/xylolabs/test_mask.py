"""`POST /api/v1/mask`, sentence by sentence of its document; what it does to pixels is in tests/face/test_mask.py."""

import io
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

from tests.support.face_api import error

ONE, TWO = "obama/obama.jpg", "_groups/kit_with_rose.jpg"
TIMES = ("X-Inference-Ms", "X-Mask-Ms", "X-Encode-Ms", "X-Total-Ms")


def opened(answer) -> Image.Image:
    assert answer.status_code == 200, answer.text
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return image


def changed(before: Image.Image, after: Image.Image) -> np.ndarray:
    """Which pixels differ by more than a file format's loss."""
    difference = np.abs(np.asarray(before.convert("RGB"), int) - np.asarray(after.convert("RGB"), int))
    return difference.max(axis=2) > 40


def test_the_answer_is_the_picture_itself_a_jpeg_by_default(faces, jpeg):
    answer = faces.mask(jpeg(ONE))
    assert answer.headers["content-type"] == "image/jpeg"
    image = opened(answer)
    assert image.format == "JPEG"
    with Image.open(io.BytesIO(jpeg(ONE))) as original:
        assert image.size == original.size


@pytest.mark.parametrize(("name", "media", "kind"), [("png", "image/png", "PNG"), ("webp", "image/webp", "WEBP")])
def test_format_chooses_the_file_format(faces, jpeg, name, media, kind):
    answer = faces.mask(jpeg(ONE), format=name)
    assert answer.headers["content-type"] == media
    assert opened(answer).format == kind


def test_the_headers_tell_of_the_work(faces, jpeg):
    answer = faces.mask(jpeg(TWO))
    headers = answer.headers
    assert UUID(headers["X-Request-Id"]).version == 4
    assert headers["X-Face-Count"] == "2"
    # Pixels of the file: what was looked for in a picture of 2,000 by 1,428 of them.
    assert 10 <= int(headers["X-Smallest-Face"]) <= 41
    assert all(float(headers[name]) > 0 for name in TIMES)
    assert sum(float(headers[name]) for name in TIMES[:3]) <= float(headers["X-Total-Ms"])
    assert headers["X-Model"] == faces.detect(jpeg(TWO)).json()["processing"]["model"]
    assert UUID(headers["X-Image-Id"])
    assert UUID(headers["X-Job-Id"])


@pytest.mark.parametrize("method", ["gaussian", "pixelate", "solid", "elliptical"])
def test_every_method_masks_every_face_and_nothing_else(faces, jpeg, method):
    told = faces.detect(jpeg(TWO)).json()
    with Image.open(io.BytesIO(jpeg(TWO))) as original:
        differs = changed(original, opened(faces.mask(jpeg(TWO), method=method, format="png")))
    outside = differs.copy()
    for face in told["detections"]:
        box = face["bbox"]
        x, y = int(face["center"]["x"]), int(face["center"]["y"])
        half = int(min(face["width"], face["height"]) / 4)
        assert differs[y - half : y + half, x - half : x + half].mean() > 0.1
        left, top = box["x1"] - 0.15 * face["width"], box["y1"] - 0.15 * face["height"]
        right, bottom = box["x2"] + 0.15 * face["width"], box["y2"] + 0.15 * face["height"]
        outside[max(0, int(top) - 1) : int(bottom) + 2, max(0, int(left) - 1) : int(right) + 2] = False
    assert not outside.any()


def test_gaussian_199_and_a_padding_of_015_are_the_defaults(faces, jpeg):
    spelled = faces.mask(
        jpeg(ONE),
        confidence=0.5,
        nms_threshold=0.4,
        max_faces=0,
        method="gaussian",
        strength=199,
        padding=0.15,
        format="jpeg",
        quality=95,
    )
    assert spelled.content == faces.mask(jpeg(ONE)).content


def test_padding_widens_what_is_masked(faces, jpeg):
    with Image.open(io.BytesIO(jpeg(ONE))) as original:
        areas = [
            changed(original, opened(faces.mask(jpeg(ONE), method="solid", format="png", padding=padding))).sum()
            for padding in (0, 0.15, 0.5)
        ]
    assert areas[0] < areas[1] < areas[2]


def test_strength_is_how_much_is_lost(faces, jpeg):
    def detail(strength: int) -> float:
        box = faces.detect(jpeg(ONE)).json()["detections"][0]["bbox"]
        image = opened(faces.mask(jpeg(ONE), method="gaussian", strength=strength, format="png")).convert("L")
        inside = np.asarray(image.crop((box["x1"], box["y1"], box["x2"], box["y2"])), float)
        return float(np.abs(np.diff(inside)).mean())

    assert detail(15) > 1.5 * detail(51) > 2 * detail(199)


def test_quality_is_the_files(faces, jpeg):
    sizes = [len(faces.mask(jpeg(ONE), quality=quality).content) for quality in (30, 80, 95)]
    assert sizes[0] < sizes[1] < sizes[2]


def test_max_faces_masks_the_largest(faces, jpeg):
    answer = faces.mask(jpeg(TWO), max_faces=1)
    assert answer.headers["X-Face-Count"] == "1"


def test_no_metadata_goes_out_and_the_picture_is_upright(faces, jpeg):
    with Image.open(io.BytesIO(jpeg(ONE))) as original:
        exif = original.getexif()
        exif[0x0112] = 6
        exif.get_ifd(0x8825)[1] = "N"
        exif[0x010E] = "taken at home"
        buffer = io.BytesIO()
        original.rotate(90, expand=True).save(buffer, "JPEG", exif=exif, comment=b"a secret", quality=95)
        size = original.size
    sent = buffer.getvalue() + b"trailing bytes"
    for kind in ("jpeg", "png", "webp"):
        answer = faces.mask(sent, format=kind)
        image = opened(answer)
        assert image.size == size
        assert not image.getexif()
        for secret in (b"taken at home", b"a secret", b"trailing", b"Exif"):
            assert secret not in answer.content


def test_transparency_is_kept_in_png_and_webp(faces, face):
    image = face.copy()
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    for kind in ("png", "webp"):
        masked = opened(faces.mask(buffer.getvalue(), method="pixelate", format=kind))
        assert masked.mode == "RGBA"
        assert masked.getpixel((0, 0))[3] == 0
    assert opened(faces.mask(buffer.getvalue())).mode == "RGB"


def test_a_picture_without_a_face_comes_back_whole(faces):
    buffer = io.BytesIO()
    Image.new("RGB", (320, 240), (120, 90, 60)).save(buffer, "PNG")
    answer = faces.mask(buffer.getvalue(), format="png")
    assert answer.headers["X-Face-Count"] == "0"
    assert opened(answer).getpixel((100, 100)) == (120, 90, 60)


@pytest.mark.parametrize(
    "parameters",
    [
        {"method": "blur"},
        {"method": "GAUSSIAN"},
        {"strength": "0"},
        {"strength": "-3"},
        {"strength": "1000000"},
        {"padding": "-0.1"},
        {"padding": "nan"},
        {"padding": "1e9"},
        {"format": "gif"},
        {"format": "../../etc/passwd"},
        {"quality": "0"},
        {"quality": "101"},
        {"quality": "best"},
    ],
    ids=str,
)
def test_a_parameter_out_of_bounds_is_400_and_named(faces, parameters):
    status, detail = error(faces.mask(b"", **parameters))
    assert status == 400
    assert next(iter(parameters)) in detail
