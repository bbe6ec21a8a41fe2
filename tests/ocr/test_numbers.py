"""Numbers of persons, licences and passports: their forms, and what their digits prove."""

from datetime import date

import pytest

from workers.ocr import numbers

CITIZEN, FOREIGNER = "800101-2345671", "900101-5234561"


@pytest.mark.parametrize("number", [CITIZEN, FOREIGNER])
def test_a_check_digit_holds_for_one_digit_of_ten(number):
    assert [digit for digit in range(10) if numbers.is_proven(f"{number[:-1]}{digit}")] == [int(number[-1])]


def test_a_citizens_check_digit_is_eleven_less_the_sum():
    # 8·2 + 0·3 + 0·4 + 1·5 + 0·6 + 1·7 + 2·8 + 3·9 + 4·2 + 5·3 + 6·4 + 7·5 = 153 = 13·11 + 10
    assert numbers.check_digit("800101234567") == 11 - 10


def test_a_foreigners_check_digit_is_thirteen_less_the_sum_and_not_eleven():
    # 9·2 + 0·3 + 0·4 + 1·5 + 0·6 + 1·7 + 5·8 + 2·9 + 3·2 + 4·3 + 5·4 + 6·5 = 156 = 14·11 + 2
    assert numbers.check_digit("900101523456") == (13 - 2) % 10 == 1
    assert not numbers.is_proven("900101-5234569")


@pytest.mark.parametrize(
    ("number", "born"),
    [
        ("800101-1000000", date(1980, 1, 1)),
        ("800101-2000000", date(1980, 1, 1)),
        ("050607-3000000", date(2005, 6, 7)),
        ("050607-4000000", date(2005, 6, 7)),
        ("800101-5000000", date(1980, 1, 1)),
        ("050607-8000000", date(2005, 6, 7)),
        ("991231-9000000", date(1899, 12, 31)),
        ("991231-0000000", date(1899, 12, 31)),
        ("801301-1000000", None),
        ("010229-3000000", None),
    ],
)
def test_the_digit_after_the_bar_tells_the_century(number, born):
    assert numbers.birth_date(number) == born


@pytest.mark.parametrize(
    "text",
    [
        "800101-2345671",
        "800101 - 2345671",
        "8001012345671",
        "800101–2345671",  # noqa: RUF001
        "80O1O1-2345G71",
        "주민번호: 800101-2345671",
        "800101 2345671",
    ],
)
def test_a_number_is_found_however_its_bar_was_read(text):
    assert numbers.person_number(text).value == CITIZEN


@pytest.mark.parametrize("text", ["", "800101", "800101-234567", "8001012345671234", "BOILOI-ZEAGBIS", "2011.11.11."])
def test_what_is_no_number_is_none(text):
    assert numbers.person_number(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("11-08-123456-78", "11-08-123456-78"),
        ("11 - 08 - 123456 - 78", "11-08-123456-78"),
        ("110812345678", "11-08-123456-78"),
        ("2B-O8-123456-7B", "28-08-123456-78"),
        ("서울 08-123456-78", "서울 08-123456-78"),
        ("서울08-123456-78", "서울 08-123456-78"),
        ("경기북부 08-123456-78", "경기북부 08-123456-78"),
        ("강완 08-123456-78", "강원 08-123456-78"),
        ("면허번호: 11-08-123456-78", "11-08-123456-78"),
    ],
)
def test_a_licence_number_is_given_as_it_is_printed(text, number):
    assert numbers.licence_number(text).value == number


@pytest.mark.parametrize("text", ["99-08-123456-78", "11-08-12345-78", "800101-2345671", "가나 다라"])
def test_a_licence_number_of_no_region_or_another_form_is_none(text):
    assert numbers.licence_number(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("M12345678", "M12345678"),
        ("M123A4567", "M123A4567"),
        ("S12345678", "S12345678"),
        ("MI23A4S67", "M123A4567"),
        ("여권번호 M123A4567", "M123A4567"),
    ],
)
def test_a_passport_number_has_digits_where_they_must_be(text, number):
    assert numbers.passport_number(text).value == number


@pytest.mark.parametrize("text", ["X12345678", "M1234567", "M1234567890", "MINISTRY", "PASSPORT"])
def test_what_is_no_passport_number_is_none(text):
    assert numbers.passport_number(text) is None


def test_a_number_says_where_in_the_text_it_stands():
    text = "주민번호: 800101-2345671 "
    found = numbers.person_number(text)
    assert text[found.start : found.stop] == CITIZEN
