"""Which face is the card's: one beside its text and of a portrait's size, not whoever holds it up."""

import numpy as np
import pytest

from workers.ocr.portrait import is_printed

# A card's text as it stands on 1280 x 807 pixels, and in the middle of a larger picture.
TEXT = np.array([[80, 60], [860, 60], [860, 740], [80, 740]], np.float32)
HELD = TEXT * np.float32(0.4) + np.float32(600)


@pytest.mark.parametrize(
    "box", [(920, 130, 1140, 420), (100, 200, 320, 480), (900, 560, 1000, 690)], ids=["right", "left", "ghost"]
)
def test_a_face_beside_or_within_the_text_is_the_cards(box):
    assert is_printed(np.array(box, np.float32), TEXT)


@pytest.mark.parametrize(
    "box",
    [(500, 50, 900, 560), (620, 300, 760, 500), (1500, 620, 1600, 720), (980, 620, 1400, 900)],
    ids=["above", "above and small", "far beside", "larger than the card"],
)
def test_a_face_of_somebody_else_is_none(box):
    assert not is_printed(np.array(box, np.float32), HELD)
