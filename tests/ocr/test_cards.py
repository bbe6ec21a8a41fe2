"""From lines to fields, for each of the documents, as clean as printed and as noisy as read."""

from dataclasses import replace
from random import Random

import pytest

from shared.contracts import CardField, IdType
from tests.ocr.laid_out import column, line, reading, small_dictionary
from workers.ocr.addresses import province
from workers.ocr.cards.parsers import CARD_LIKE, PARSERS, recognise
from workers.ocr.merging import merged
from workers.ocr.mrz import check_digit
from workers.ocr.text import REMEMBERING

RESIDENT = (
    *column("주민등록증", "홍길동(洪吉童)", "800101-2345671"),
    *column("서울특별시 강남구 테헤란로 152,", "101동 1203호 (역삼동, 한신아파트)", top=290, leading=55),
    line("2011. 11. 11.", 500, 500),
    line("서울특별시 강남구청장", 420, 570),
)
DRIVER = (
    line("1종보통", 60, 60),
    line("자동차운전면허증", 400, 60),
    line("(Driver's License)", 830, 70, height=26),
    *column("11-08-123456-78", "홍길동", "800101-2345671", left=400, top=140),
    *column("서울특별시 강남구 테헤란로 152,", "101동 1203호 (역삼동, 한신아파트)", left=400, top=330, leading=50),
    line("적성검사 기간 : 2025.01.01. ~ 2025.12.31.", 400, 450),
    line("조건 : A", 400, 500),
    line("A1B2C3", 150, 510),
    line("2016.05.09.", 640, 600),
    line("서울지방경찰청장", 560, 660),
)
FOREIGN = (
    line("외국인등록증", 60, 60),
    line("RESIDENCE CARD", 500, 70),
    *column("외국인등록번호", "성       명", "국가 / 지역", "체류자격", "발급일자", top=180, leading=72),
    *column(
        "900101-5234561", "KIM SERGEY", "UZBEKISTAN", "재외동포(F-4)", "2023.05.01.", left=420, top=180, leading=72
    ),
    line("서울출입국·외국인청장", 400, 640),
    line("CHIEF, SEOUL IMMIGRATION OFFICE", 420, 700, height=26),
)
ZONE = (
    "PMKORHONG<<GIL<DONG<<<<<<<<<<<<<<<<<<<<<<<<<",
    "M123A45674KOR9001011M3203053<<<<<<<<<<<<<<00",
)


def field(lines, id_type, key):
    return PARSERS[id_type](reading(*lines)).fields[key]


def values(lines, id_type):
    return {key: found.value for key, found in PARSERS[id_type](reading(*lines)).fields.items()}


def as_small(lines):
    """What the small Korean recogniser drops, dropped from the lines with Hangul."""
    return [
        replace(each, text=small_dictionary(each.text)) if any("가" <= c <= "힣" for c in each.text) else each
        for each in lines
    ]


def page():
    """A passport's page, its cells beside and under one another."""
    cells = (
        ("종류/Type", "PM", 440, 60),
        ("발행국/Issuing country", "KOR", 700, 60),
        ("여권번호/Passport No.", "M123A4567", 960, 60),
        ("성/Surname", "HONG", 440, 140),
        ("이름/Given names", "GIL-DONG", 440, 220),
        ("한글성명", "홍길동", 960, 220),
        ("국적/Nationality", "REPUBLIC OF KOREA", 440, 300),
        ("생년월일/Date of birth", "01 1월/JAN 1990", 440, 380),
        ("성별/Sex", "M", 740, 380),
        ("발급일/Date of issue", "05 3월/MAR 2022", 440, 460),
        ("발행관청/Authority", "MINISTRY OF FOREIGN AFFAIRS", 740, 460),
        ("기간만료일/Date of expiry", "05 3월/MAR 2032", 440, 540),
    )
    labels = [line(label, x, y, height=20) for label, _, x, y in cells]
    return [*labels, *(line(value, x, y + 24, height=32) for _, value, x, y in cells)]


PASSPORT = (
    line("대한민국", 140, 40),
    line("PASSPORT", 160, 140),
    *page(),
    *column(*ZONE, left=60, top=680, leading=70),
)
WHOLE = {
    IdType.RESIDENT: (
        RESIDENT,
        {
            CardField.NAME: "홍길동",
            CardField.ID_NUMBER: "800101-2345671",
            CardField.BIRTH_DATE: "1980-01-01",
            CardField.ADDRESS: "서울특별시 강남구 테헤란로 152, 101동 1203호 (역삼동, 한신아파트)",
            CardField.ISSUE_DATE: "2011-11-11",
            CardField.ISSUER: "서울특별시 강남구청장",
        },
    ),
    IdType.DRIVER: (
        DRIVER,
        {
            CardField.NAME: "홍길동",
            CardField.ID_NUMBER: "800101-2345671",
            CardField.BIRTH_DATE: "1980-01-01",
            CardField.LICENCE_NO: "11-08-123456-78",
            CardField.LICENCE_TYPE: "1종보통",
            CardField.ADDRESS: "서울특별시 강남구 테헤란로 152, 101동 1203호 (역삼동, 한신아파트)",
            CardField.ISSUE_DATE: "2016-05-09",
            CardField.EXPIRY_DATE: "2025-12-31",
            CardField.ISSUER: "서울지방경찰청장",
        },
    ),
    IdType.FOREIGN: (
        FOREIGN,
        {
            CardField.NAME: "KIM SERGEY",
            CardField.ID_NUMBER: "900101-5234561",
            CardField.BIRTH_DATE: "1990-01-01",
            CardField.NATIONALITY: "UZBEKISTAN",
            CardField.VISA_TYPE: "재외동포(F-4)",
            CardField.ISSUE_DATE: "2023-05-01",
        },
    ),
    IdType.PASSPORT: (
        PASSPORT,
        {
            CardField.NAME: "홍길동",
            CardField.BIRTH_DATE: "1990-01-01",
            CardField.PASSPORT_NO: "M123A4567",
            CardField.SURNAME: "HONG",
            CardField.GIVEN_NAMES: "GIL-DONG",
            CardField.NATIONALITY: "KOR",
            CardField.SEX: "M",
            CardField.ISSUE_DATE: "2022-03-05",
            CardField.EXPIRY_DATE: "2032-03-05",
            CardField.MRZ: "\n".join(ZONE),
        },
    ),
}


@pytest.mark.parametrize("id_type", WHOLE)
def test_a_clean_card_is_read_whole(id_type):
    lines, expected = WHOLE[id_type]
    assert values(lines, id_type) == expected


@pytest.mark.parametrize("id_type", WHOLE)
def test_without_the_spaces_and_punctuation_that_the_small_dictionary_lacks_too(id_type):
    lines, expected = WHOLE[id_type]
    assert values(as_small(lines), id_type) == expected


@pytest.mark.parametrize("id_type", WHOLE)
def test_the_type_of_a_card_is_told_from_what_stands_on_it(id_type):
    lines, _ = WHOLE[id_type]
    best, second, *_ = recognise(reading(*as_small(lines)))
    assert best.id_type is id_type
    assert best.likelihood > 0.85
    assert best.likelihood - second.likelihood > 0.25


@pytest.mark.parametrize("id_type", WHOLE)
def test_the_type_of_a_card_is_told_without_its_title(id_type):
    lines, _ = WHOLE[id_type]
    titles = ("주민등록증", "자동차운전면허증", "(Driver's License)", "외국인등록증", "RESIDENCE CARD", "PASSPORT")
    best, *_ = recognise(reading(*(each for each in lines if each.text not in titles)))
    assert best.id_type is id_type
    assert best.likelihood >= CARD_LIKE


@pytest.mark.parametrize(
    "texts",
    [
        (),
        ("회의록", "참석자 홍길동 외 3명", "2024.03.05", "다음 회의는 서울특별시 강남구 테헤란로 152에서 연다."),
        ("INVOICE 2024-001", "Total 1,250,000", "Due 2024.05.01", "Account 110-234-567890"),
        (
            *(
                "VISA",
                "UNITED STATES OF AMERICA",
                "SERVES AS EVIDENCE OF PERMANENT RESIDENCE",
                "Passport Number",
                "20041600020106",
            ),
            *("V<USATRAVELER<<HAPPYPERSON<<<<<<<<<<<<<<<<<<", "555123ABC6GBR6502056F0412236IFLND00AMS803085"),
        ),
        ("신용카드", "5412 7534 1234 9876", "VALID THRU 12/28", "HONG GILDONG"),
    ],
)
def test_what_is_no_document_is_like_none(texts):
    assert all(parsed.likelihood < CARD_LIKE for parsed in recognise(reading(*column(*texts))))


@pytest.mark.parametrize("id_type", WHOLE)
def test_guilloche_read_as_text_changes_nothing(id_type):
    lines, expected = WHOLE[id_type]
    garbage = [line(text, 900, top, confidence=0.2) for text, top in (("가~/\\", 90), ("ㅣI|1l", 260), ("88", 400))]
    assert values((*lines, *garbage), id_type) == expected


def without(lines, *texts):
    return [each for each in lines if each.text not in texts]


def test_a_label_and_its_value_may_be_one_line_or_two():
    lines = [
        *without(FOREIGN, "성       명", "KIM SERGEY", "국가 / 지역", "UZBEKISTAN"),
        line("성명 Name KIM SERGEY", 60, 252),
        line("국가/지역UZBEKISTAN", 60, 324),
    ]
    assert values(lines, IdType.FOREIGN) == WHOLE[IdType.FOREIGN][1]


def test_a_number_split_in_two_boxes_is_one():
    lines = [*without(RESIDENT, "800101-2345671"), line("800101", 80, 200), line("-2345671", 230, 202)]
    assert values(lines, IdType.RESIDENT) == WHOLE[IdType.RESIDENT][1]


def test_address_lines_split_in_boxes_are_joined_in_order():
    lines = [
        *without(RESIDENT, "서울특별시 강남구 테헤란로 152,"),
        line("테헤란로 152,", 500, 293),
        line("서울특별시 강남구", 80, 290),
    ]
    assert values(lines, IdType.RESIDENT) == WHOLE[IdType.RESIDENT][1]


def test_labels_before_the_values_of_a_licence_are_no_part_of_them():
    labels = {"11-08-123456-78": "면허번호:", "홍길동": "성  명:", "800101-2345671": "주민번호:"}
    lines = [
        replace(each, text=f"{labels[each.text]} {each.text}", latin=f"HHHH: {each.latin}")
        if each.text in labels
        else each
        for each in DRIVER
    ]
    assert values(lines, IdType.DRIVER) == WHOLE[IdType.DRIVER][1]


def test_a_label_that_is_misread_past_knowing_is_no_part_of_a_name():
    for text, latin in (("성협 홍길동", "H:"), ("정방홍길동", ":"), ("성 핵 홍길동", "")):
        lines = [*without(DRIVER, "홍길동"), line(text, 400, 200, latin=latin)]
        assert values(lines, IdType.DRIVER)[CardField.NAME] == "홍길동"


def test_several_types_of_licence_are_all_given():
    lines = [*without(DRIVER, "1종보통"), line("1종 대형", 60, 30), line("1종 보통", 60, 70), line("2종 소형", 60, 110)]
    assert values(lines, IdType.DRIVER)[CardField.LICENCE_TYPE] == "1종대형, 1종보통, 2종소형"


def test_an_old_licence_number_begins_with_its_region():
    lines = [*without(DRIVER, "11-08-123456-78"), line("경기 08-123456-78", 400, 140)]
    assert values(lines, IdType.DRIVER)[CardField.LICENCE_NO] == "경기 08-123456-78"


def test_hanja_after_a_name_is_no_part_of_it():
    for text in ("홍길동(洪吉童)", "홍길동 (洪吉童)", "홍길동 洪吉童", "홍길동"):
        lines = [*without(RESIDENT, "홍길동(洪吉童)"), line(text, 80, 140)]
        assert values(lines, IdType.RESIDENT)[CardField.NAME] == "홍길동"


def test_misread_words_of_closed_lists_are_mended():
    lines = [
        *without(RESIDENT, "서울특별시 강남구 테헤란로 152,", "서울특별시 강남구청장"),
        line("서웅특벌시 강남두 테헤란로 152,", 80, 290),
        line("서울특볍시 감남구청장", 420, 570),
    ]
    found = values(lines, IdType.RESIDENT)
    assert found[CardField.ADDRESS].startswith("서울특별시 강남구 테헤란로")
    assert found[CardField.ISSUER] == "서울특별시 강남구청장"


def number_of(text, latin=None, confidence=0.99):
    lines = [*without(RESIDENT, "800101-2345671"), line(text, 80, 200, latin=latin, confidence=confidence)]
    return PARSERS[IdType.RESIDENT](reading(*lines)).fields[CardField.ID_NUMBER]


def test_a_number_whose_check_digit_holds_is_as_sure_as_it_was_read():
    assert number_of("800101-2345671").confidence == pytest.approx(0.99)


def test_a_number_whose_check_digit_fails_is_given_and_less_sure():
    found = number_of("800101-2345679")
    assert found.value == "800101-2345679"
    assert found.confidence < 0.9


def test_a_number_given_at_birth_since_october_2020_has_no_check_digit_to_fail():
    assert number_of("210305-3345678").confidence == pytest.approx(0.99)


def test_two_readings_of_a_number_that_differ_make_it_less_sure_though_one_is_proven():
    found = number_of("800101-2345677", latin="800101-2345671")
    assert found.value == "800101-2345671"
    assert found.confidence < 0.9


def test_a_number_with_no_birth_date_is_less_sure():
    assert number_of("801332-2345671").confidence < 0.5


def test_letters_within_a_number_are_the_digits_that_they_look_like():
    assert number_of("8OO1O1-234567I").value == "800101-2345671"


def test_a_passport_is_surer_where_page_and_zone_agree():
    found = PARSERS[IdType.PASSPORT](reading(*PASSPORT))
    assert found.mrz_valid is True
    assert found.fields[CardField.PASSPORT_NO].confidence > 0.99


def test_where_page_and_zone_differ_the_proven_zone_wins_and_is_less_sure():
    lines = [*without(PASSPORT, "M123A4567"), line("M123A4561", 960, 84, height=32)]
    found = PARSERS[IdType.PASSPORT](reading(*lines)).fields[CardField.PASSPORT_NO]
    assert found.value == "M123A4567"
    assert found.confidence < 0.9


def test_a_letter_that_the_zone_was_read_without_and_no_check_digit_sees_is_taken_from_the_page():
    """G weighs 16 and 6 weighs 6, which is the same to a check digit."""
    number = "M123G4567"
    lower = f"{number}{check_digit(number)}{ZONE[1][10:43]}"
    lower += str(check_digit(lower[:10] + lower[13:20] + lower[21:43]))
    page = [*without(PASSPORT, "M123A4567", ZONE[1]), line(lower.replace("G", "6"), 60, 750)]
    told = PARSERS[IdType.PASSPORT](reading(*page, line(number, 960, 84, height=32)))
    assert told.mrz_valid is True
    assert told.fields[CardField.PASSPORT_NO].value == number
    assert told.fields[CardField.MRZ].value == f"{ZONE[0]}\n{lower}"
    untold = PARSERS[IdType.PASSPORT](reading(*page, line("M123G4561", 960, 84, height=32)))
    assert untold.fields[CardField.MRZ].confidence < 0.9


def test_a_zone_whose_check_digits_fail_is_not_valid_and_less_sure():
    lower = ZONE[1].replace("9001011", "9001021")
    lines = [*without(PASSPORT, ZONE[1]), line(lower, 60, 750)]
    found = PARSERS[IdType.PASSPORT](reading(*lines))
    assert found.mrz_valid is False
    assert found.fields[CardField.BIRTH_DATE].confidence < 0.9


def test_a_passport_without_its_zone_is_read_off_the_page():
    found = PARSERS[IdType.PASSPORT](reading(*without(PASSPORT, *ZONE)))
    expected = WHOLE[IdType.PASSPORT][1]
    assert found.mrz_valid is None
    assert {key: value.value for key, value in found.fields.items()} == {
        key: expected[key] for key in expected if key not in {CardField.MRZ, CardField.NATIONALITY, CardField.SEX}
    }


def test_a_passport_without_its_page_is_read_off_the_zone():
    found = values(column(*ZONE, top=680, leading=70), IdType.PASSPORT)
    expected = WHOLE[IdType.PASSPORT][1] | {CardField.GIVEN_NAMES: "GIL DONG"}
    assert found == {key: expected[key] for key in expected if key not in {CardField.NAME, CardField.ISSUE_DATE}}


def test_a_part_of_a_line_says_which_part_it_is():
    found = field(RESIDENT, IdType.RESIDENT, CardField.BIRTH_DATE)
    assert found.span == pytest.approx((0, 6 / 14))
    expiry = field(DRIVER, IdType.DRIVER, CardField.EXPIRY_DATE)
    assert 0.6 < expiry.span[0] < expiry.span[1] <= 1


def test_nothing_of_a_card_is_remembered_after_it():
    recognise(reading(*DRIVER))
    assert all(cache.cache_info().currsize == 0 for cache in (*REMEMBERING, merged, province))


PIECES = (
    *(
        "주민등록증",
        "서울특별시",
        "강남구청장",
        "1종보통",
        "800101-2345671",
        "2020.01.01",
        "P<KORHONG<<GIL<DONG<<<<",
        "(F-4)",
        "홍길동",
    ),
    *(
        "성명",
        "Name",
        "Surname",
        "한글성명",
        "적성검사기간",
        "~",
        "M123A4567",
        "<<<<<<<<<<<<<<<<<<<<<<",
        "9" * 44,
        "²٣",
        "ß",
        "\x00",
        "́",
        " ",
    ),
)


@pytest.mark.parametrize("seed", range(150))
def test_whatever_is_read_no_parser_breaks_and_every_confidence_is_one(seed):
    rng = Random(seed)

    def text():
        return "".join(rng.choice(PIECES) for _ in range(rng.randint(0, 4)))

    lines = [
        line(
            text(),
            rng.uniform(-50, 1400),
            rng.uniform(-50, 900),
            height=rng.choice((0, 1, 30, 400)),
            latin=text(),
            confidence=rng.random(),
            latin_confidence=rng.random(),
        )
        for _ in range(rng.randint(0, 40))
    ]
    for parsed in recognise(reading(*lines)):
        assert 0 <= parsed.likelihood <= 1
        for value in parsed.fields.values():
            assert 0 <= value.confidence <= 1
            assert 0 <= value.span[0] <= value.span[1] <= 1
            assert value.value
            assert value.lines
