"""Pictures as users send them: two cards, a card held up, other documents, cuts, screenshots, pages full of text."""

import asyncio

import cv2
import numpy as np
import pytest

from shared.contracts import CardField, CardRead, Failure, IdType, Kind, PartState
from shared.queue import open_queue
from shared.settings import Queue as QueueSettings
from tests.conftest import SHARED, need
from tests.support.ocr import plain

NAME, ADDRESS, ISSUER, EXPIRY = CardField.NAME, CardField.ADDRESS, CardField.ISSUER, CardField.EXPIRY_DATE
HOME = "서울특별시 강남구 테헤란로 152, 101동 1203호"
# What stands there; None for what cannot be told, so that no value is the answer.
PRINTED = {
    "driver_cut_through_date.jpg": (IdType.DRIVER, {CardField.LICENCE_NO: "11-08-123456-78", EXPIRY: None}),
    "driver_latin_name_1.jpg": (IdType.DRIVER, {NAME: "KIM SERGEY", EXPIRY: "2029-12-31"}),
    "ocr-address-bucheon-becomes-busan.jpg": (
        IdType.RESIDENT,
        {ADDRESS: "부천시 원미구 상1동 412-3번지 둘리의 거리", ISSUER: "경기도 부천시장"},
    ),
    "ocr-card-without-margin-404.jpg": (IdType.RESIDENT, {NAME: "홍길동", ISSUER: "서울특별시 금천구청장"}),
    "ocr-mrz-valid-name-garbled.jpg": (
        IdType.PASSPORT,
        {CardField.SURNAME: "SPECIMEN", CardField.GIVEN_NAMES: "VZOR", CardField.NATIONALITY: "CZE"},
    ),
    "ocr-name-lost-when-number-masked.jpg": (IdType.RESIDENT, {CardField.ISSUE_DATE: "2020-08-16"}),
    "ocr-screenshot-name-is-label.png": (
        IdType.RESIDENT,
        {NAME: "홍길동", ADDRESS: "서울특별시 가산디지털1로 (대륭테크노타운 18차)", ISSUER: "서울특별시 금천구청장"},
    ),
    "ocr-small-card-address-cut-off.jpg": (
        IdType.RESIDENT,
        {NAME: "장미경", CardField.ID_NUMBER: "611029-9778618", CardField.ISSUE_DATE: "2020-10-07", ISSUER: None},
    ),
    "resident_building_부영.jpg": (IdType.RESIDENT, {ADDRESS: f"{HOME} (역삼동, 부영아파트)"}),
    "resident_building_자이.jpg": (IdType.RESIDENT, {ADDRESS: f"{HOME} (역삼동, 자이아파트)"}),
    "resident_issuer_동탄구.jpg": (IdType.RESIDENT, {ISSUER: "경기도 화성시 동탄구청장"}),
    "resident_name_누르술탄아이다로바.jpg": (IdType.RESIDENT, {NAME: "누르술탄아이다로바"}),
    "resident_name_만성호.jpg": (IdType.RESIDENT, {NAME: "만성호"}),
    "selfie_holding_card.jpg": (IdType.RESIDENT, {NAME: "김민수"}),
}
OTHERS = {
    "youth_card_청소년증.jpg": "청소년증",
    "paper_등본.jpg": "주민등록표 등본",
    "passporteye_100_visa-usa.jpg": "visa",
    "two_res_vertical.jpg": "more than one",
}


@pytest.fixture(scope="module")
def case():
    folder = need(SHARED / "cases")
    return lambda name: (folder / name).read_bytes()


@pytest.mark.parametrize("name", PRINTED)
def test_what_can_be_read_is_read_as_it_stands_there(read, case, name):
    id_type, fields = PRINTED[name]
    outcome = read(case(name), reveal=True)
    assert isinstance(outcome, CardRead), outcome
    assert outcome.id_type is id_type
    given = {key: outcome.fields[key].value if key in outcome.fields else None for key in fields}
    assert {key: value and plain(value) for key, value in given.items()} == {
        key: value and plain(value) for key, value in fields.items()
    }


@pytest.mark.parametrize("asked", [None, IdType.RESIDENT])
@pytest.mark.parametrize("name", OTHERS)
def test_what_is_none_of_the_four_is_no_document_and_is_named(read, case, name, asked):
    outcome = read(case(name), id_type=asked)
    assert outcome.failure is Failure.NO_DOCUMENT
    assert OTHERS[name] in outcome.detail


def test_of_two_cards_never_a_mixture_is_answered(read, case):
    outcome = read(case("two_res_close.jpg"), reveal=True)
    persons = ({"김민수", "900101-1234567", "1990-01-01"}, {"이영희", "850505-2345678", "1985-05-05"})
    if isinstance(outcome, CardRead):
        given = {field.value for field in outcome.fields.values()}
        assert sum(bool(given & person) for person in persons) == 1
    else:
        assert outcome.failure is Failure.NO_DOCUMENT


def test_on_the_copy_no_number_of_another_card_is_left(read, case):
    outcome = read(case("two_res_close.jpg"), redact=True)
    if not isinstance(outcome, CardRead):
        return
    left = _quarters(outcome.redacted)
    shown = {
        field.value
        for data in left
        if isinstance(one := read(data, reveal=True), CardRead)
        for field in one.fields.values()
    }
    assert not shown & {"900101-1234567", "850505-2345678"}
    assert not any("테헤란로" in value or "마린시티" in value for value in shown)


def test_the_portrait_is_the_cards_and_never_the_holders(read, case):
    data = case("selfie_holding_card.jpg")
    outcome = read(data)
    holder = 0.35 * cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape[0]
    portrait = outcome.portrait
    assert portrait is None or portrait.y > holder


def test_the_code_of_an_alien_card_is_painted_over(read, specimens):
    for seed in range(0, 20, 2):
        one = specimens(seed, IdType.FOREIGN)
        if one.truth.layout != "foreign-2023":
            continue
        detector = cv2.QRCodeDetector()
        before = detector.detect(_pixels(one.jpeg))[0]
        copy = read(one.jpeg, redact=True).redacted
        if before:
            assert not detector.detect(_pixels(copy))[0]
            return
    pytest.fail("no code was found on any specimen")


def test_a_page_full_of_text_is_given_up_and_stops_nobody(read, stack, case, specimens):
    page = case("bombs/dense_page.jpg")
    for _ in range(3):
        outcome = read(page)
        assert outcome.failure is Failure.NO_DOCUMENT
    card = read(specimens(0, IdType.FOREIGN).jpeg)
    assert isinstance(card, CardRead)

    async def parts():
        async with open_queue(QueueSettings(url=stack.redis_url)) as queue:
            return await queue.parts(Kind.OCR)

    assert all(part.state is not PartState.FAILED for part, _ in asyncio.run(parts()))


def test_a_form_of_many_fields_is_given_up_as_well(read):
    form = np.full((2200, 1700, 3), 255, np.uint8)
    for row in range(50):
        for column, text in enumerate(("Taxpayer identification", f"box {row} of part II", "sign here")):
            cv2.putText(form, text, (60 + 540 * column, 50 + 43 * row), 0, 0.9, (30, 30, 30), 2)
    assert read(cv2.imencode(".jpg", form)[1].tobytes()).failure is Failure.NO_DOCUMENT


def _pixels(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def _quarters(data: bytes) -> list[bytes]:
    """The copy's upper and lower half, each with a card of its own."""
    pixels = _pixels(data)
    middle = pixels.shape[0] // 2
    return [cv2.imencode(".jpg", half)[1].tobytes() for half in (pixels[:middle], pixels[middle:])]
