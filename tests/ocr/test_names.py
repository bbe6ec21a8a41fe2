"""Names in Hangul, corrected by the same in hanja, by the same in Latin letters, and by the surnames that there are."""

from random import Random

import pytest

from tests.ocr.laid_out import line
from tests.specimens.names import korean_name
from workers.ocr.cards.names import as_value, hangul_name
from workers.ocr.hanja import readings
from workers.ocr.passages import passage
from workers.ocr.romanised import corrected


def of(text, latin="", confidence=0.8):
    name = hangul_name(text, latin)
    return as_value(name, passage((line(text, confidence=confidence),)).cut(0, len(name)), latin)


@pytest.mark.parametrize("text", ["홍길동", "홍 길 동", "남궁민수", "이도"])
def test_a_name_is_two_to_five_syllables(text):
    assert hangul_name(text) == text.replace(" ", "")


@pytest.mark.parametrize("text", ["", "홍", "주민등록번호입니다", "HONG GILDONG", "800101", "1종보통"])
def test_what_is_no_name_is_none(text):
    assert hangul_name(text) is None


@pytest.mark.parametrize(
    ("text", "latin", "name"),
    [
        ("임창정블一", "(林昌貞)", "임창정"),  # hanja taken for Hangul
        ("손종재예활한", "芒(孫鍾在)", "손종재"),
        ("남규선 山道", "(南善)", "남규선"),  # one hanja not read
        ("남궁민수뜰", "(南宮敏洙)", "남궁민수"),
        ("이도 李", "(李道)", "이도"),
    ],
)
def test_hanja_tell_how_many_syllables_a_name_has(text, latin, name):
    assert hangul_name(text, latin) == name


@pytest.mark.parametrize(
    ("text", "latin", "name"),
    [("성응호", "(成雄浩)", "성웅호"), ("최옥대", "(崔玉泰)", "최옥태"), ("구운재", "(具潤彩)", "구윤채")],
)
def test_a_misread_syllable_is_what_its_hanja_is_read_as_and_less_sure(text, latin, name):
    found = of(text, latin)
    assert found.value == name
    assert found.confidence < 0.8


def test_a_name_that_its_hanja_confirm_is_surer():
    assert of("임창정", "(林昌貞)").confidence > of("임창정").confidence == pytest.approx(0.8)


def test_hanja_unlike_what_was_read_change_nothing():
    assert of("홍길동", "(崔玉泰)").value == "홍길동"


def test_a_hanja_that_is_not_known_is_read_as_nothing():
    assert readings("䶮") == (frozenset(),)
    assert "이" in readings("李")[0]


def test_what_is_no_surname_is_the_one_that_alone_is_most_like_it_and_less_sure():
    found = of("킴창승")
    assert found.value == "김창승"
    assert found.confidence < 0.8


@pytest.mark.parametrize(
    ("read", "surname", "given", "name"),
    [
        ("문로험", "MOON", "HOHYUNG", "문호형"),
        ("류재광", "RYU", "CHAEKWANG", "류채광"),
        ("관재험", "KWAK", "JAEHYUNG", "곽재형"),
        ("도미선", "NOH", "MI SUN", "노미선"),
        ("오목체", "OH", "OK-CHAE", "오옥채"),
        ("환보숙선", "HWANGBO", "SOOKSUN", "황보숙선"),
        ("홍길동", "HONG", "GILDONG", "홍길동"),
        ("이순신", "YI", "SUN SHIN", "이순신"),
        ("최정희", "CHOI", "JUNGHEE", "최정희"),
    ],
)
def test_a_name_is_mended_to_what_its_latin_spelling_can_be(read, surname, given, name):
    assert corrected(read, surname, given) == name


@pytest.mark.parametrize("seed", range(200))
def test_a_name_that_was_read_right_is_left_as_it_is(seed):
    name = korean_name(Random(seed))
    # Foreigners' names are spelt by no rule; of those a passport leaves what was read surely, see test_corrections.
    assert not name.hanja or corrected(name.hangul, name.surname, name.given) == name.hangul


def test_a_name_of_another_length_than_its_spelling_is_not_mended():
    assert corrected("홍길", "HONG", "GILDONGMIN") is None
