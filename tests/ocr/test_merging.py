"""Two readings of one line: Hangul from the one, digits and marks from the other."""

import pytest

from workers.ocr.merging import digits_differ, merged


@pytest.mark.parametrize(
    ("korean", "latin", "both"),
    [
        ("충남대로288", "吞台283,", "충남대로283,"),
        ("108호", "103章", "103호"),
        ("양화로1982105동1405호", "号198,1051405章", "양화로198,105동1405호"),
        ("효원로250-35103동", "250-35,103", "효원로250-35,103동"),
        ("가야대로411105동001호", ",10601", "가야대로411,105동601호"),
        ("서교동 자이", "(卫,)", "(서교동 자이)"),
        ("1이호", "101京", "101호"),
        ("10동407호가경동푸르지오", "101407(,)", "101동407호가경동푸르지오)"),
        ("전남12-35954690", ":12-359546-90", "전남12-359546-90"),
        ("한누리대로", "", "한누리대로"),
        ("TEXT 123", "TEXT 123", "TEXT 123"),
    ],
)
def test_letters_are_the_korean_readers_digits_and_marks_the_latin_ones(korean, latin, both):
    assert merged(korean, latin) == both


@pytest.mark.parametrize("latin", ["呂号", "号号号", "一"])
def test_a_latin_reading_without_digits_or_marks_changes_nothing(latin):
    assert merged("서울특별시 강남구 테헤란로 152", latin) == "서울특별시 강남구 테헤란로 152"


def test_a_digit_that_only_the_korean_reader_saw_stays():
    assert merged("인북로290 남중동", "2()").startswith("인북로290 남중동")


def test_it_is_known_where_the_readings_have_other_digits():
    assert digits_differ("충남대로288", "台283,")
    assert not digits_differ("충남대로283", "台283,")
