"""Dates as documents print them and as recognisers read them."""

from datetime import date, timedelta

import pytest

from workers.ocr.dates import find_dates, of_two_digits, today

NEW_YEAR = date(2020, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "2020.01.01",
        "2020.01.01.",
        "2020. 1. 1.",
        "2020. 01. 01.",
        "20200101",
        "2020년 1월 1일",
        "2020-01-01",
        "2020,01.01",
        "2020.0101",
        "2O2O.O1.O1.",
        "2020 01 01",
        "01 1월/JAN 2020",
        "01 1월 JAN 2020",
        "01 1월JAN2020",
        "01 JAN 2020",
        "01 1월/J4N 2020",
        "01 /JAN 2020",
        "O1 1월/JAN 2O2O",
    ],
)
def test_every_form_is_the_same_day(text):
    assert [found.value for found in find_dates(text)] == [NEW_YEAR]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2020.13.01",
        "2020.02.30.",
        "800101-2345671",
        "11-08-123456-78",
        "1520.01.01.",
        "2999.01.01.",
        "01 1월/MAR 2020",  # Korean and English differ
        "MINISTRY OF FOREIGN AFFAIRS",
        "테헤란로 152, 101동 1203호",
    ],
)
def test_what_is_no_date_of_a_document_is_none(text):
    assert find_dates(text) == []


def test_both_ends_of_a_period_are_found_in_order_and_where_they_stand():
    text = "기간 : 2020.01.01. ~ 2029.12.31."
    first, last = find_dates(text)
    assert (first.value, last.value) == (NEW_YEAR, date(2029, 12, 31))
    assert text[last.start : last.stop].startswith("2029.12.31")


@pytest.mark.parametrize("month", range(1, 13))
def test_every_month_has_its_name(month):
    name = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")[month - 1]
    for text in (f"05 {month}월/{name} 2021", f"05 {name} 2021", f"05 {month}월 2021"):
        assert [found.value for found in find_dates(text)] == [date(2021, month, 5)]


def test_two_digits_of_a_year_are_the_last_such_year():
    assert of_two_digits("900101", latest=date(2026, 1, 1)) == date(1990, 1, 1)
    assert of_two_digits("200101", latest=date(2026, 1, 1)) == NEW_YEAR
    assert of_two_digits("991331", latest=date(2026, 1, 1)) is None


def test_a_date_may_lie_ahead_as_far_as_a_document_is_valid():
    ahead = today() + timedelta(days=3650)
    assert [found.value for found in find_dates(f"{ahead:%Y.%m.%d}")] == [ahead]
