"""Closed lists explain a doubt and raise none: what was read surely stays, whatever a list has that is like it."""

from dataclasses import replace
from random import Random

import pytest

from shared.contracts import CardField, IdType
from tests.ocr.laid_out import column, line, reading
from tests.specimens import outsiders, places
from tests.support.ocr import replaced
from workers.ocr.addresses import address
from workers.ocr.cards.parsers import recognise
from workers.ocr.corrections import SURE, corrected, is_doubted
from workers.ocr.places import BUILDINGS, DISTRICTS
from workers.ocr.vocabulary import NATIONS, SURNAMES

OF_2026 = outsiders.DISTRICTS[:8]
SURELY, UNSURELY = 0.97, 0.5


def test_what_was_read_surely_stays():
    assert corrected("동탄구", ("동안구", "만안구"), 0.6, (SURELY,) * 3) is None


def test_what_was_read_unsurely_is_the_nearest_word():
    assert corrected("동턴구", ("동탄구", "만안구"), 0.6, (SURELY, UNSURELY, SURELY)) == (
        "동탄구",
        pytest.approx(8 / 9, abs=0.1),
    )


def test_only_the_syllables_that_were_doubted_may_differ():
    assert is_doubted("강남두", "강남구", (SURELY, SURELY, UNSURELY))
    assert not is_doubted("강남두", "강남구", (UNSURELY, UNSURELY, SURELY))


def test_of_two_words_that_are_as_near_neither_is_taken():
    assert corrected("전라동도", ("전라남도", "전라북도"), 0.6, (UNSURELY,) * 4) is None


def test_a_syllable_that_was_not_read_is_added_beside_a_doubted_one_only():
    assert is_doubted("강구", "강남구", (UNSURELY, SURELY))
    assert not is_doubted("강구", "강남구", (SURELY, SURELY))


@pytest.mark.parametrize("house", outsiders.HOUSES)
def test_a_house_that_no_list_has_stays(house):
    text = f"서울특별시 강남구 테헤란로 152 (역삼동, {house})"
    sure = [SURELY] * sum("가" <= character <= "힣" for character in text)
    assert address([text], [sure]) == text


@pytest.mark.parametrize(
    "text",
    [
        "부천시 원미구 상1동 412-3번지 둘리의 거리",
        "경기도 화성시 동탄구 동탄대로 537 (오산동)",
        "경기도 여주군 여주읍 세종로 1",
        "서울특별시 강남구 부산로 7 (대구동)",
    ],
)
def test_an_address_that_was_read_surely_is_given_as_it_is_printed(text):
    sure = [SURELY] * sum("가" <= character <= "힣" for character in text)
    assert address([text], [sure]) == text


def test_a_province_in_a_later_line_is_a_word_as_any_other():
    lines = "서울특별시 강남구 테헤란로 152,", "강원드 빌딩 3층"
    assert address(lines, [[UNSURELY] * 20, [UNSURELY] * 20]).endswith("(강원드 빌딩 3층)")


def test_half_of_what_specimens_draw_is_in_no_list():
    districts = {name.replace(" ", "") for names in DISTRICTS.values() for name in names}
    drawn = [district.replace(" ", "") for _, district, _ in outsiders.DISTRICTS]
    assert sum(one in districts for one in drawn) == len(OF_2026)
    assert not set(outsiders.HOUSES) & set(BUILDINGS)
    assert not set(outsiders.NATIONS) & set(NATIONS)
    strangers = [name for name, *_ in outsiders.NAMES if name[0] not in SURNAMES and name[:2] not in SURNAMES]
    assert len(strangers) >= len(outsiders.NAMES) / 3
    assert {len(name) for name, *_ in outsiders.NAMES} >= set(range(2, 9))


def resident(rng: Random):
    """The lines of a resident card whose every word is of no list, and what they say."""
    name = rng.choice(outsiders.NAMES)[0]
    where = rng.choice(places.OUTSIDE)
    day = rng.choice((places.ROADS_SINCE.replace(year=2020), places.ROADS_SINCE.replace(year=2026)))
    issuer, home = where.issuer(rng, day), places.address(rng, where, day)
    middle = home.find(" ", len(home) // 2)
    lines = (
        *column("주민등록증", name, "800101-2345671"),
        *column(home[:middle], home[middle + 1 :], top=290, leading=55),
        line("2020. 3. 4.", 500, 500),
        line(issuer, 420, 570),
    )
    return lines, {CardField.NAME: name, CardField.ADDRESS: home, CardField.ISSUER: issuer}


def test_not_one_rightly_read_word_of_300_cards_is_replaced():
    rng = Random("no list has it")
    for _ in range(300):
        lines, truth = resident(rng)
        best = recognise(reading(*lines))[0]
        assert best.id_type is IdType.RESIDENT
        assert best.fields.keys() >= truth.keys()
        assert replaced(best.fields, truth) == []


def test_nor_is_one_of_those_where_a_syllable_beside_it_was_doubted():
    rng = Random("a smudge")
    for _ in range(100):
        lines, truth = resident(rng)
        smudged = [_smudged(rng, each) for each in lines]
        lost = replaced(recognise(reading(*smudged))[0].fields, truth)
        # The syllable itself may be taken for another: its word is no longer read surely.
        assert all(any(_is_doubted(word, each) for each in smudged) for word, _ in lost)


@pytest.mark.parametrize(("hangul", "surname", "given"), outsiders.NAMES)
def test_a_name_of_a_passport_that_was_read_surely_stays_however_it_is_spelt(hangul, surname, given):
    labels = line("성/Surname", 440, 60, height=20), line("이름/Given names", 440, 150, height=20)
    lines = (
        line("PASSPORT", 60, 20),
        *labels,
        line(surname, 440, 84),
        line(given, 440, 174),
        line("한글성명", 900, 150, height=20),
        line(hangul, 900, 174),
        line("M12345678", 900, 84),
    )
    assert recognise(reading(*lines))[0].fields[CardField.NAME].value == hangul


def _smudged(rng: Random, each):
    sure = [SURELY] * len(each.text)
    sure[rng.randrange(len(sure))] = UNSURELY
    return replace(each, sure=tuple(sure))


def _is_doubted(word: str, each) -> bool:
    at = each.text.find(word)
    return at >= 0 and min(each.sure[at : at + len(word)]) < SURE


@pytest.mark.parametrize("nation", outsiders.NATIONS)
def test_a_nation_that_no_list_has_stays(nation):
    lines = (
        line("외국인등록증", 60, 60),
        *column("외국인등록번호", "성       명", "국가 / 지역", "체류자격", top=180, leading=72),
        *column("900101-5234561", "KIM SERGEY", nation, "재외동포(F-4)", left=420, top=180, leading=72),
    )
    assert recognise(reading(*lines))[0].fields[CardField.NATIONALITY].value == nation
