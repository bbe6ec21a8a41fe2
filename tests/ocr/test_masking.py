"""What leaves the worker: no number of a person, and of a zone neither number nor optional data."""

import pytest

from shared.contracts import CardField
from tests.ocr.test_mrz import EVERY, KOREAN, TD3
from workers.ocr import mrz
from workers.ocr.masking import masked


@pytest.mark.parametrize("number", ["800101-2345671", "900101-5234561"])
def test_the_number_of_a_person_is_masked_whole(number):
    assert masked(CardField.ID_NUMBER, number) == "******-*******"


def test_numbers_and_optional_data_of_a_zone_are_masked_with_their_check_digits():
    assert masked(CardField.MRZ, "\n".join(TD3)) == f"{TD3[0]}\n**********UTO7408122F1204159****************"


@pytest.mark.parametrize("name", EVERY)
def test_no_zone_shows_its_number_or_its_optional_data(name):
    shown = masked(CardField.MRZ, "\n".join(EVERY[name]))
    fields = mrz.find(EVERY[name]).fields
    assert len(shown) == len("\n".join(EVERY[name]))
    for hidden in ("number", "optional", "more"):
        assert not fields.get(hidden) or fields[hidden] not in shown


def test_the_part_of_a_resident_number_in_an_older_passport_is_masked():
    lower = f"{KOREAN[1][:28]}2345671V123456{KOREAN[1][42:]}"
    assert "2345671" not in masked(CardField.MRZ, f"{KOREAN[0]}\n{lower}")


def test_a_zone_of_no_known_form_is_masked_whole():
    assert masked(CardField.MRZ, "P<KORHONG\nM123") == "*********\n****"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (CardField.NAME, "홍길동"),
        (CardField.LICENCE_NO, "11-08-123456-78"),
        (CardField.PASSPORT_NO, "M123A4567"),
        (CardField.BIRTH_DATE, "1980-01-01"),
    ],
)
def test_everything_else_is_shown_as_it_is(key, value):
    assert masked(key, value) == value
