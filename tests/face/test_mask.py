"""The four methods on pixels: what they cover, what they leave alone, and what it costs."""

import cv2
import numpy as np
import pytest

from shared.contracts import Face, MaskFaces, MaskMethod
from tests.support.effort import least_s
from workers.face.mask import REFERENCE_SIDE, mask_faces
from workers.vision.decode import Image
from workers.vision.detection import DetectOptions


def noise(width=300, height=260, channels=3) -> np.ndarray:
    return np.random.default_rng(1).integers(1, 255, (height, width, channels), dtype=np.uint8)


def at(x: float, y: float, width: float, height: float) -> Face:
    """A face as SCRFD gives it; where its landmarks lie plays no part."""
    return Face(x=x, y=y, width=width, height=height, confidence=0.9, landmarks=((x, y),))


def masked(pixels: np.ndarray, *faces: Face, **operation) -> np.ndarray:
    result = pixels.copy()
    mask_faces(result, faces, MaskFaces(**operation))
    return result


def changed(one: np.ndarray, other: np.ndarray) -> tuple[int, int, int, int]:
    """The box around all that differs: left, top, right, bottom."""
    rows, columns = np.nonzero((one != other).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def detail(pixels: np.ndarray) -> float:
    return float(cv2.Laplacian(pixels, cv2.CV_32F).std())


@pytest.mark.parametrize("method", MaskMethod)
@pytest.mark.parametrize(
    ("padding", "box"), [(0.0, (60, 50, 162, 191)), (0.15, (45, 29, 177, 212)), (0.5, (9, 0, 212, 260))]
)
def test_the_padded_box_is_covered_rounded_outwards_and_nothing_else(method, padding, box):
    pixels = noise()
    result = masked(pixels, at(60.4, 50.6, 101, 140), method=method, padding=padding)
    if method is MaskMethod.ELLIPTICAL:
        # The outermost pixels of an ellipse are covered by less than a grey level.
        assert np.abs(np.subtract(changed(pixels, result), box)).max() <= 1
    else:
        assert changed(pixels, result) == box
        left, top, right, bottom = box
        assert (pixels != result)[top:bottom, left:right].any(axis=2).mean() > 0.97
    outside = np.ones(pixels.shape[:2], bool)
    outside[box[1] : box[3], box[0] : box[2]] = False
    assert (pixels == result)[outside].all()


def test_an_ellipse_leaves_the_corners_and_covers_the_rest():
    pixels = noise()
    result = masked(pixels, at(50, 50, 200, 160), method=MaskMethod.ELLIPTICAL, padding=0.0)
    y, x = np.mgrid[0:260, 0:300] + 0.5
    radius = np.hypot((x - 150) / 100, (y - 130) / 80)
    assert (pixels == result)[radius > 1.02].all()
    assert (pixels != result)[radius < 0.97].any(axis=1).mean() > 0.97
    assert detail(result[80:180, 90:210]) < 0.02 * detail(pixels[80:180, 90:210])


def test_the_rim_of_an_ellipse_is_smooth():
    black = np.zeros((260, 300, 3), np.uint8)
    black[60:200, 60:240] = 255  # a blur of it is grey: neither of the two
    result = masked(black, at(50, 50, 200, 160), method=MaskMethod.ELLIPTICAL, padding=0.0)
    inside, outside = int(result[130, 55, 0]), 0
    steps = {int(value) for value in result[50:210, 50:150].reshape(-1, 3)[:, 0]}
    assert len([value for value in steps if outside < value < inside / 2]) > 3


@pytest.mark.parametrize(("x", "y"), [(0, 60), (180, 60), (90, 0), (90, 130)])
def test_a_face_that_the_edge_cuts_is_covered_up_to_the_edge(x, y):
    """An ellipse inscribed in the half that is seen would be a point at the edge."""
    pixels = noise()
    result = masked(pixels, at(x, y, 120, 130), method=MaskMethod.ELLIPTICAL, padding=0.0)
    covered = (pixels != result).any(axis=2)[y : y + 130, x : x + 120]
    along = {(0, 60): covered[:, 0], (180, 60): covered[:, -1], (90, 0): covered[0], (90, 130): covered[-1]}[x, y]
    assert along[len(along) // 8 : -len(along) // 8].mean() > 0.97


@pytest.mark.parametrize("method", MaskMethod)
def test_alpha_is_masked_like_the_colours(method):
    pixels = noise(channels=4)
    result = masked(pixels, at(60, 50, 100, 140), method=method)
    middle = result[90:150, 90:130, 3]
    assert (middle == 255).all() if method is MaskMethod.SOLID else detail(middle) < 0.02 * detail(pixels[..., 3])
    assert (result[:20] == pixels[:20]).all()


def test_solid_is_black():
    assert (masked(noise(), at(60, 50, 100, 140), method=MaskMethod.SOLID, padding=0.0)[50:190, 60:160] == 0).all()


@pytest.mark.parametrize("method", [MaskMethod.GAUSSIAN, MaskMethod.PIXELATE, MaskMethod.ELLIPTICAL])
@pytest.mark.parametrize("small_first", [True, False])
def test_where_faces_overlap_nothing_comes_back(method, small_first):
    """A box of an eye inside a large face has a weaker blur; it must not bring the eye back."""
    pixels = cv2.resize(noise(60, 60), (1200, 1200), interpolation=cv2.INTER_CUBIC)
    large, small = at(100, 100, 800, 1000), at(420, 520, 90, 60)
    alone = masked(pixels, large, method=method, strength=60)
    both = masked(pixels, *((small, large) if small_first else (large, small)), method=method, strength=60)
    inside = np.s_[500:600, 400:530]
    assert detail(alone[inside]) < detail(pixels[inside]) / 2
    assert both[inside].std() <= 1.25 * alone[inside].std() + 1


@pytest.mark.parametrize("method", MaskMethod)
def test_a_box_without_landmarks_is_grown_to_the_whole_face(method):
    pixels = noise()
    narrow = Face(x=100, y=100, width=80, height=80, confidence=0.9)
    left, top, right, bottom = changed(pixels, masked(pixels, narrow, method=method, padding=0.0))
    assert left <= 93
    assert top <= 73
    assert right >= 187
    assert bottom >= 194


@pytest.mark.parametrize("method", MaskMethod)
@pytest.mark.parametrize("box", [(0, 0, 1, 1), (299, 259, 1, 1), (0, 0, 300, 260), (10.2, 10.2, 0.1, 0.1)])
@pytest.mark.parametrize("strength", [1, 199, 100_000])
def test_no_box_and_no_strength_breaks_it(method, box, strength):
    pixels = noise()
    assert masked(pixels, at(*box), method=method, strength=strength, padding=1.0).shape == pixels.shape


# --- strength


@pytest.mark.parametrize(("strength", "most"), [(31, 16), (63, 8), (199, 5)])
def test_a_blur_looks_like_the_gaussian_of_that_kernel(engine, image, strength, most):
    pixels = image("biden/biden.jpg").pixels
    face = engine.detect(Image(pixels, pixels.shape[1], pixels.shape[0], 1.0), DetectOptions()).faces[0]
    left, top, right, bottom = (int(edge) for edge in face.box)
    kernel = strength * face.height / REFERENCE_SIDE
    region = np.ascontiguousarray(pixels[top:bottom, left:right])
    true = cv2.GaussianBlur(region, (0, 0), 0.3 * ((kernel - 1) * 0.5 - 1) + 0.8)  # OpenCV's rule
    ours = masked(region, at(0, 0, right - left, bottom - top), strength=strength, padding=0.0)
    difference = np.abs(ours.astype(int) - true)
    assert difference.max() <= most
    assert difference.mean() < 0.8


@pytest.mark.parametrize("method", [MaskMethod.GAUSSIAN, MaskMethod.PIXELATE, MaskMethod.ELLIPTICAL])
def test_strength_grows_with_a_face_above_the_reference_and_not_below(method):
    pixels = cv2.resize(noise(40, 40), (600, 600), interpolation=cv2.INTER_CUBIC)
    # What is left of a face of twice the size is what was left of it, twice as large.
    face = at(150, 150, 200, 250)
    once = masked(pixels, face, method=method)
    double = cv2.resize(pixels, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    twice = masked(double, at(300, 300, 400, 500), method=method)
    back = cv2.resize(twice, (600, 600), interpolation=cv2.INTER_AREA)
    assert np.abs(back[200:350, 180:320].astype(int) - once[200:350, 180:320]).max() <= 6
    # A small one gets as many pixels of blur, which is more of it.
    tiny = masked(pixels, at(250, 250, 50, 60), method=method)
    assert tiny[265:295, 265:285].std(axis=(0, 1)).max() < 0.6 * pixels[265:295, 265:285].std(axis=(0, 1)).max()


def test_squares_are_of_one_colour_and_at_least_as_large_as_asked_for():
    result = masked(noise(), at(50, 50, 130, 130), method=MaskMethod.PIXELATE, strength=32, padding=0.0)
    region = result[50:180, 50:180]
    edges = np.flatnonzero((region[:, 1:] != region[:, :-1]).any(axis=(0, 2))) + 1
    assert np.diff([0, *edges, 130]).min() >= 32
    assert len(edges) == 3


def test_a_face_of_2000_pixels_costs_less_than_finding_it(engine, image):
    pixels = cv2.resize(image("biden/biden2.jpg").pixels, (4000, 4000))
    face, small = at(700, 600, 1540, 2000), image("biden/biden2.jpg")

    detecting = least_s(lambda: engine.detect(small, DetectOptions()))
    for method in MaskMethod:
        # Of an ellipse this large it takes about as long.
        most = 2 * detecting if method is MaskMethod.ELLIPTICAL else detecting
        assert least_s(lambda method=method: mask_faces(pixels, [face], MaskFaces(method=method))) < most
