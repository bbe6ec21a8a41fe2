"""Which document it is by its title, which other documents are refused, and how many cards there are."""

import pytest

from shared.contracts import CardField, IdType
from tests.ocr.laid_out import column, line, reading
from tests.ocr.test_cards import DRIVER, FOREIGN, PASSPORT, RESIDENT, without
from workers.ocr.cards.parsers import CARD_LIKE, count_documents, recognise
from workers.ocr.cards.titles import OTHERS, other_document, promises_a_document

FOUR = (RESIDENT, DRIVER, FOREIGN, PASSPORT)
TITLES = [(name, title) for name, titles in OTHERS.items() for title in titles]


@pytest.mark.parametrize("lines", FOUR)
def test_the_four_are_no_other_document(lines):
    assert other_document(lines) is None


@pytest.mark.parametrize(("name", "title"), TITLES)
def test_another_title_on_a_resident_cards_layout_names_the_document(name, title):
    lines = [*without(RESIDENT, "주민등록증"), line(title, 80, 80)]
    assert other_document(lines) == name


@pytest.mark.parametrize(
    "title", ["주민등륵증", "주민등록중", "외국인등록중", "자동차운전면허중", "국내거소신고증", "영주증"]
)
def test_a_title_of_the_four_that_was_misread_is_no_other(title):
    lines = [*without(RESIDENT, "주민등록증"), line(title, 80, 80)]
    assert other_document(lines) is None


def test_a_word_of_a_sentence_is_no_title():
    lines = [*RESIDENT, line("이 카드는 복지카드가 아니다", 80, 700), line("체류자격", 80, 750)]
    assert other_document(lines) is None


@pytest.mark.parametrize("lines", FOUR)
def test_one_document_is_one(lines):
    assert count_documents(reading(*lines)) <= 1


def test_two_cards_are_two_by_their_numbers_and_by_their_titles():
    number = line("850505-2345678", 80, 900)
    title = line("주민등록증", 80, 850)
    assert count_documents(reading(*RESIDENT, number)) == 2
    assert count_documents(reading(*RESIDENT, title)) == 2
    assert count_documents(reading(*RESIDENT, line("자동차운전면허증", 80, 850))) == 2


def test_a_number_that_two_recognisers_read_differently_is_one():
    lines = [*without(RESIDENT, "800101-2345671"), line("800101-2345611", 80, 200, latin="800101-2345671")]
    assert count_documents(reading(*lines)) == 1


@pytest.mark.parametrize("lines", FOUR)
def test_each_of_the_four_promises_a_document_and_a_letter_does_not(lines):
    assert promises_a_document(lines)
    assert not promises_a_document(column("회의록", "참석자 홍길동 외 3명", "2024.03.05", "Total 1,250,000"))


@pytest.mark.parametrize("lines", [RESIDENT, FOREIGN])
def test_a_card_without_a_word_of_korean_is_neither_a_resident_card_nor_an_alien_card(lines):
    latin = [each for each in lines if not any("가" <= c <= "힣" for c in each.text)]
    of = {parsed.id_type: parsed.likelihood for parsed in recognise(reading(*latin))}
    assert max(of[IdType.RESIDENT], of[IdType.FOREIGN]) < CARD_LIKE


def test_a_number_with_no_day_of_the_calendar_is_no_evidence():
    lines = [line("등록증 번호", 80, 80), line("020041-6000201", 80, 200)]
    assert all(parsed.likelihood < CARD_LIKE for parsed in recognise(reading(*lines)))


def test_a_foreigners_licence_has_a_name_in_latin_letters():
    for name in ("KIM SERGEY", "NGUYEN THI HUONG", "O'BRIEN SEAN"):
        lines = [*without(DRIVER, "홍길동"), line(name, 400, 200)]
        assert recognise(reading(*lines))[0].fields[CardField.NAME].value == name


def test_a_date_that_reaches_an_edge_is_none_and_its_period_has_no_end():
    period = "적성검사 기간 : 2029.01.01. ~ 2029.12.3"
    cut = line(period, 400, 450)
    cut = type(cut)(cut.text, cut.confidence, cut.latin, cut.latin_confidence, cut.polygon, is_cut=(False, True))
    lines = [*without(DRIVER, "적성검사 기간 : 2025.01.01. ~ 2025.12.31."), cut]
    fields = recognise(reading(*lines))[0].fields
    assert CardField.EXPIRY_DATE not in fields
    assert fields[CardField.ISSUE_DATE].value == "2016-05-09"


def test_a_value_that_reaches_an_edge_is_unsure():
    number = line("800101-2345671", 80, 200)
    cut = type(number)(
        number.text, number.confidence, number.latin, number.latin_confidence, number.polygon, is_cut=(True, False)
    )
    fields = recognise(reading(*without(RESIDENT, "800101-2345671"), cut))[0].fields
    assert fields[CardField.ID_NUMBER].confidence < 0.5


@pytest.mark.parametrize("label", ["이름", "성명", "주소", "주민등록번호"])
def test_a_label_is_no_name(label):
    lines = [*without(RESIDENT, "홍길동(洪吉童)"), line("홍길동", 80, 110), line(label, 80, 150)]
    assert recognise(reading(*lines))[0].fields[CardField.NAME].value == "홍길동"


def test_a_name_stands_under_the_title_where_the_number_is_blacked_out():
    lines = without(RESIDENT, "800101-2345671")
    assert recognise(reading(*lines))[0].fields[CardField.NAME].value == "홍길동"


def test_what_an_app_says_of_a_card_is_no_part_of_its_address():
    lines = [*RESIDENT[:5], line("주민등록번호가 유효하지 않습니다.", 80, 400), *RESIDENT[5:]]
    address = recognise(reading(*lines))[0].fields[CardField.ADDRESS].value
    assert address == "서울특별시 강남구 테헤란로 152, 101동 1203호 (역삼동, 한신아파트)"
