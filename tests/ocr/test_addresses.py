"""Addresses: corrected by closed lists, spaced and punctuated by the form that they have."""

import pytest

from tests.ocr.laid_out import small_dictionary
from workers.ocr.addresses import address, is_start
from workers.ocr.merging import merged

FULL = "서울특별시 강남구 테헤란로 152, 101동 1203호 (역삼동, 한신아파트)"


def of(*lines):
    return address(line if isinstance(line, str) else merged(*line) for line in lines)


def test_lines_are_joined_by_one_space():
    assert of("서울특별시 강남구 테헤란로 152,", "101동 1203호 (역삼동, 한신아파트)") == FULL


@pytest.mark.parametrize(
    ("printed", "latin"),
    [
        ("서울특별시 강남구 테헤란로 152, 101동 1203호 (역삼동, 한신아파트)", "HH 152, 101H 1203H (HHH, HHHHH)"),
        ("경기도 수원시 팔달구 효원로 12-3, 203호 (인계동)", "HH 12-3, 203H (HHH)"),
        ("인천광역시 강화군 선원면 중앙로 45, 102동 901호 (현대아파트)", "HHH 45, 102H 901H (HHHHH)"),
        ("부산광역시 해운대구 해운대로120번길 7 (우동)", "HHH 120HH 7 (HH)"),
        ("세종특별자치시 한누리대로 300, 1105동 504호 (나성동, 푸르지오)", "HHHH 300, 1105H 504H (HHH, HHHH)"),
        ("대구광역시 수성구 범어동 123-4 한신아파트 101동 1203호", "HHHH 123-4 HHHHH 101H 1203H"),
        ("전라남도 무안군 삼향읍 오룡길 88", "HHHH 88"),
        ("서울특별시 노원구 동일로15길 20, 302호 (상계동)", "HHH 15H 20, 302H (HHH)"),
    ],
)
def test_what_the_small_dictionary_drops_comes_back(printed, latin):
    assert of((small_dictionary(printed), latin)) == printed


@pytest.mark.parametrize(
    ("read", "corrected"),
    [
        ("서웅특벌시 강남구 테헤란로 152", "서울특별시 강남구 테헤란로 152"),
        ("서울특별시강남두테헤란로152", "서울특별시 강남구 테헤란로 152"),
        ("전라북도 전주시 완산구 홍산로 1", "전라북도 전주시 완산구 홍산로 1"),
        ("전라남도 순천시 왕지로 1", "전라남도 순천시 왕지로 1"),
        ("강원도 홍천군 석화로 1", "강원도 홍천군 석화로 1"),
        ("강원특별자치도춘천시공지로1", "강원특별자치도 춘천시 공지로 1"),
    ],
)
def test_province_and_district_are_mended_by_closed_lists_and_stay_as_printed(read, corrected):
    assert of(read) == corrected


@pytest.mark.parametrize("text", ["서울특별시", "서울특볍시 강남구", "경기도 수원시", "제주특별자치도 제주시"])
def test_an_address_begins_with_a_province(text):
    assert is_start(text)


@pytest.mark.parametrize(
    "text", ["홍길동", "800101-2345671", "주민등록증", "101동 1203호", "적성검사 기간", "조건 : A"]
)
def test_what_begins_with_none_is_no_start_of_an_address(text):
    assert not is_start(text)
