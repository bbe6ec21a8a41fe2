"""The second opinion of Hangul: what it adds, and that cards are read without it, too."""

import cv2
import numpy as np
import pytest

from shared.contracts import CardField, IdType
from shared.settings import Inference, Weights
from shared.weights import WeightStore
from shared.weights.ocr import of_reader
from tests.support.ocr import plain
from workers.ocr.cards.parsers import recognise
from workers.ocr.reader import CardReader

ADDRESSES = range(0, 12, 2)


@pytest.fixture(scope="module")
def weights(korean, tmp_path_factory):
    found = of_reader(WeightStore(Weights(cache=str(tmp_path_factory.mktemp("cache")))))
    assert not isinstance(found, list), found
    if found.hangul is None:
        pytest.skip("needs the package tesseract-ocr-kor; deploy/test-setup.sh installs it where it may")
    return found


def right_addresses(reader: CardReader, specimens) -> int:
    right = 0
    for seed in ADDRESSES:
        shown = specimens(seed, IdType.RESIDENT)
        pixels = cv2.imdecode(np.frombuffer(shown.jpeg, np.uint8), cv2.IMREAD_COLOR)
        field = recognise(reader.read(pixels).reading)[0].fields.get(CardField.ADDRESS)
        right += field is not None and plain(field.value) == plain(shown.truth.fields[CardField.ADDRESS])
    return right


def test_with_it_addresses_are_read_and_without_it_cards_still_are(weights, specimens):
    settings = Inference()
    with_it = CardReader(weights, settings, threads=1)
    without = CardReader(weights._replace(hangul=None), settings, threads=1)
    assert "tesseract_kor" in with_it.model_id
    assert "tesseract_kor" not in without.model_id
    assert right_addresses(with_it, specimens) >= len(ADDRESSES) - 1
    assert right_addresses(with_it, specimens) >= right_addresses(without, specimens)
    shown = specimens(0, IdType.RESIDENT)
    pixels = cv2.imdecode(np.frombuffer(shown.jpeg, np.uint8), cv2.IMREAD_COLOR)
    number = recognise(without.read(pixels).reading)[0].fields[CardField.ID_NUMBER]
    assert number.value == shown.truth.fields[CardField.ID_NUMBER]


def test_data_that_tesseract_cannot_read_only_costs_the_second_opinion(weights, tmp_path):
    broken = tmp_path / "kor.traineddata"
    broken.write_bytes(b"garbage")
    broken_weights = weights._replace(hangul=weights.hangul._replace(path=broken))
    reader = CardReader(broken_weights, Inference(), threads=1)
    assert "tesseract_kor" not in reader.model_id
