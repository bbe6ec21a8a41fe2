"""Titles: of the four documents, and of others that look like them; and what shows that a page may be one at all.

A youth card has a resident card's layout, number and issuer, so that only its title tells it. A title is a line of its
own; its words within a sentence do not count.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workers.ocr.passages import rows
from workers.ocr.text import bare, closest, find, likeness

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workers.ocr.lines import Line
    from workers.ocr.passages import Row

RESIDENT = ("주민등록증",)
DRIVER = "자동차운전면허증", "운전면허증", "Driver's License"
FOREIGN = "외국인등록증", "국내거소신고증", "영주증"
PASSPORT = "PASSPORT", "REPUBLIC OF KOREA"
# Of other documents, by the name that an answer gives them.
OTHERS = {
    "청소년증": ("청소년증", "YOUTH ID CARD"),
    "장애인등록증": ("장애인등록증", "장애인복지카드", "장애인통합복지카드"),
    "복지카드": ("복지카드",),
    "국가유공자증": ("국가유공자증", "국가보훈등록증", "보훈대상자증"),
    "공무원증": ("공무원증", "공무직원증"),
    "건강보험증": ("건강보험증", "국민건강보험증", "건강보험자격확인서"),
    "주민등록표 등본": ("주민등록표등본", "주민등록표(등본)", "주민등록등본"),
    "주민등록표 초본": ("주민등록표초본", "주민등록표(초본)", "주민등록초본"),
    "주민등록증 발급신청 확인서": ("주민등록증발급신청확인서",),
    "가족관계증명서": ("가족관계증명서", "기본증명서", "혼인관계증명서"),
    "학생증": ("학생증", "STUDENT ID CARD"),
    "사원증": ("사원증", "신분증명서", "EMPLOYEE ID CARD"),
    "선원수첩": ("선원수첩", "선원신분증명서", "SEAFARER'S IDENTITY DOCUMENT"),
    "자격증": ("국가기술자격증", "자격증", "자격수첩"),
    "이륜자동차사용신고필증": ("이륜자동차사용신고필증", "자동차등록증"),
    "사업자등록증": ("사업자등록증", "사업자등록증명"),
    "국제운전면허증": ("국제운전면허증", "INTERNATIONAL DRIVING PERMIT"),
    "모범운전자증": ("모범운전자증", "건설기계조종사면허증"),
    "visa": ("VISA", "사증", "대한민국사증", "IMMIGRANT VISA", "NONIMMIGRANT VISA"),
}
# A title of five syllables with three letters of fifteen misread is still one; and it must be nearer than each of the
# four documents' own: 장애인등록증 is 0.7 like 외국인등록증.
_LEAST, _MARGIN, _SURELY = 0.8, 0.05, 0.9
# A short word is like many, so it must be read right.
_SHORT = 4
_OWN = (*RESIDENT, *DRIVER, *FOREIGN, *PASSPORT)
_NAMES = {title: name for name, all_titles in OTHERS.items() for title in all_titles}
_NUMBER = re.compile(r"\d{6}\s?[-–—]\s?\d{3}")  # noqa: RUF001
_ZONE = re.compile("<<")
_LABELS = "Passport No", "Given names", "Date of birth", "외국인등록번호", "체류자격"


def other_document(lines: Iterable[Line]) -> str | None:
    """Return the name of another document than the four, if a line is its title and no line is one of theirs."""
    best, named = 0.0, None
    for row in rows(lines):
        for text in _texts(row):
            own = max(likeness(title, text) for title in _OWN)
            if own >= _SURELY:
                return None
            least = _LEAST if len(bare(text)) >= _SHORT else 1.0
            found = closest(text, _NAMES, least)
            if found and found[1] > max(best, own + _MARGIN):
                best, named = found[1], _NAMES[found[0]]
    return named


def count_titles(lines: Iterable[Line]) -> int:
    """How many titles of Korean cards there are, in lines of their own: two are of two cards."""
    korean = (*RESIDENT, *DRIVER[:2], *FOREIGN)
    return sum(max(likeness(title, line.text) for title in korean) >= _LEAST for line in lines)


def promises_a_document(lines: Sequence[Line]) -> bool:
    """Whether anything among these lines is of one of the four: a title, a number, a zone, or a label that few have."""
    for line in lines:
        for text in {line.text, line.latin}:
            if _NUMBER.search(text) or _ZONE.search(text):
                return True
            if any(find(word, text)[0] >= _LEAST for word in (*_OWN, *_LABELS)):
                return True
    return False


def _texts(row: Row) -> set[str]:
    """The row and each of its lines, as both recognisers read them."""
    return {text for line in row.lines for text in (line.text, line.latin)} | {row.text.text, row.latin.text}
