"""What a network is shown: the box scaled about its centre, three ways over the picture's edge; AIZOO's anchors."""

import cv2
import numpy as np
import pytest

from workers.liveness.crops import around, leaves, middle
from workers.liveness.mask import MEANT, anchors, boxes, overlap


def box(*edges: float) -> np.ndarray:
    return np.array(edges, np.float32)


@pytest.fixture
def ramp() -> np.ndarray:
    """Each pixel says where it is: x in the first channel, y in the second."""
    y, x = np.mgrid[:200, :240].astype(np.uint8)
    return np.ascontiguousarray(np.stack((x, y, np.zeros_like(x)), axis=-1))


def test_a_crop_inside_the_picture_is_what_resize_gives(ramp):
    seen = around(ramp, box(100, 80, 140, 120), 2.0, 40)
    assert np.abs(seen.astype(int) - cv2.resize(ramp[60:140, 80:160], (40, 40)).astype(int)).max() <= 1


def test_the_box_is_stretched_or_its_longer_side_taken(ramp):
    stretched, square = (around(ramp, box(100, 60, 120, 140), 1.0, 80, square=square) for square in (False, True))
    assert (stretched[40, 0, 0], stretched[40, -1, 0]) == pytest.approx((100, 120), abs=1)
    assert (square[40, 0, 0], square[40, -1, 0]) == pytest.approx((70, 150), abs=1)
    assert stretched[0, 40, 1] == square[0, 40, 1] == pytest.approx(60, abs=1)


def test_over_the_edge_the_edge_is_repeated(ramp):
    seen = around(ramp, box(0, 0, 40, 40), 3.0, 60)
    assert (seen[:19, :, 1] == 0).all()
    assert (seen[:, :19, 0] == 0).all()
    assert seen[-1, -1, :2] == pytest.approx((79, 79), abs=1)


def test_over_the_edge_there_is_nothing_or_the_crop_is_moved(ramp):
    black = around(ramp, box(0, 0, 40, 40), 3.0, 60, edge="black")
    assert not black[:19].any()
    assert not black[:, :19].any()
    moved = around(ramp, box(0, 0, 40, 40), 3.0, 60, edge="move").astype(
        int
    )  # 120 pixels, from 0 on instead of from -40 on
    assert moved[0, 0, :2] == pytest.approx((0, 0), abs=1)
    assert moved[-1, -1, :2] == pytest.approx((119, 119), abs=1)


def test_a_crop_that_is_larger_than_the_picture_is_made_smaller_about_the_face(ramp):
    """Four times the box are 480 by 400 pixels: both are scaled by half, and the height is the picture's."""
    moved = around(ramp, box(60, 50, 180, 150), 4.0, 50, edge="move").astype(int)
    assert (moved[25, 0, 0], moved[25, -1, 0]) == pytest.approx((2, 237), abs=2)
    assert (moved[0, 25, 1], moved[-1, 25, 1]) == pytest.approx((2, 197), abs=2)
    # Beside the middle, as it was: the crop's left edge is 20 pixels right of the picture's.
    aside = around(ramp, box(100, 0, 180, 200), 2.0, 50, edge="move").astype(int)
    assert (aside[25, 0, 0], aside[25, -1, 0]) == pytest.approx((100, 179), abs=2)


def test_inside_the_picture_every_way_is_the_same(ramp):
    inside, over = box(100, 80, 140, 120), box(0, 80, 40, 120)
    assert not leaves(ramp, inside, 2.0)
    assert leaves(ramp, over, 2.0)
    narrow = box(10, 90, 20, 110)
    assert not leaves(ramp, narrow, 3.0)
    assert leaves(ramp, narrow, 3.0, square=True)
    seen = [around(ramp, inside, 2.0, 40, edge=edge) for edge in ("repeat", "move", "black")]
    assert (seen[0] == seen[1]).all()
    assert (seen[0] == seen[2]).all()


@pytest.mark.parametrize(("height", "width"), [(200, 240), (240, 200), (1, 1), (600, 30)])
def test_the_middle_of_a_picture_of_any_size(height, width):
    pixels = np.zeros((height, width, 3), np.uint8)
    assert middle(pixels, 440, 384).shape == (384, 384, 3)


def test_the_middle_is_a_share_of_the_shorter_side(ramp):
    seen = middle(ramp, 100, 80).astype(int)  # 160 of 200 pixels
    assert (seen[40, 0, 0], seen[40, -1, 0]) == pytest.approx((40, 199), abs=2)
    assert (seen[0, 40, 1], seen[-1, 40, 1]) == pytest.approx((20, 179), abs=2)


@pytest.mark.parametrize("edges", [(239, 199, 240, 200), (0, 0, 240, 200), (10, 10, 10, 10)])
@pytest.mark.parametrize("edge", ["repeat", "move", "black"])
def test_a_box_of_any_size_gives_a_crop(ramp, edges, edge):
    assert around(ramp, box(*edges), 4.0, 80, edge=edge).shape == (80, 80, 3)


def test_a_picture_wider_than_opencv_can_warp_has_crops_too():
    wide = np.zeros((40, 40_000, 3), np.uint8)
    wide[:, 20_000:20_040] = 255
    assert around(wide, box(20_000, 0, 20_040, 40), 1.0, 20).min() == 255


def test_there_are_aizoos_5972_anchors():
    priors = anchors()
    assert priors.shape == (5972, 4)
    assert priors[0] == pytest.approx((0.5 / 33, 0.5 / 33, 0.04, 0.04))
    assert priors[-1] == pytest.approx((5 / 6, 5 / 6, 0.64 * 0.42**0.5, 0.64 / 0.42**0.5), abs=1e-6)


def test_without_an_offset_a_box_is_its_anchor():
    priors = anchors()
    found = boxes(priors, np.zeros_like(priors))
    assert np.allclose((found[:, :2] + found[:, 2:]) / 2, priors[:, :2], atol=1e-6)
    assert np.allclose(found[:, 2:] - found[:, :2], priors[:, 2:], atol=1e-6)


def test_the_face_that_is_meant_is_the_middle_half():
    found = np.array([MEANT, (0, 0, 0.2, 0.2), (0, 0, 1, 1)], np.float32)
    assert overlap(found) == pytest.approx((1, 0, 0.25))
