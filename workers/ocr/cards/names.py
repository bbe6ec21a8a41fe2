"""Names in Hangul: told from other lines, and corrected by hanja and the surnames where a syllable was read unsurely.

Foreigners' and naturalised citizens' names begin with any syllable, and are as long as they are in Hangul.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workers.ocr.corrections import is_doubted
from workers.ocr.hanja import readings
from workers.ocr.syllables import alike
from workers.ocr.text import HANGUL, HANJA, hangul_share
from workers.ocr.vocabulary import SURNAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workers.ocr.cards import Value
    from workers.ocr.passages import Passage

# The longest that was ever registered has 17; of two lines beside one another a parser takes the nearer.
_LONGEST = 17
# What stands before a value, on a card or in an app that shows one.
LABELS = (
    *("성명", "이름", "주소", "성별", "국적", "생년월일", "생일", "번호", "주민번호", "주민등록번호", "면허번호"),
    *("발급일", "발급일자", "발급처", "발급기관", "종류", "조건", "한글성명", "외국인등록번호", "국가", "체류자격"),
    *("유효기간", "만료일", "소지자", "본인", "세대주", "세대주성명", "재외국민"),
)
# A syllable of a name that two spellings agree on is this much surer, of the doubt that there was.
_AGREED, _MENDED = 0.6, 0.85
# Of the letters of a syllable that must have been read right for it to be taken for another.
_LEAST = 0.3
# A label so long is no part of a name.
_TELLING = 4
_SURNAME_LEAST, _LONGEST_MENDED = 0.6, 3


def hangul_name(text: str, latin: str = "") -> str | None:
    """The name that a text is: two syllables and more, after which the same in hanja may stand; or None.

    A label is no name. The Korean recogniser takes hanja for Hangul. The Latin one reads them, which says how many
    syllables a name has.
    """
    start = re.match(rf"[^{HANGUL}A-Za-z0-9]*((?:[{HANGUL}]\s?){{2,}})", text)
    if not start or hangul_share(text) < 0.5:
        return None
    name = re.sub(r"\s", "", start[1])
    if name in LABELS or name.endswith("니다") or any(label in name for label in LABELS if len(label) >= _TELLING):
        return None
    hanja = _hanja(latin)
    if not hanja:
        return name if len(name) <= _LONGEST else None
    # Few names have two syllables, and one hanja of three is easily not read.
    apart = re.match(rf"[{HANGUL}]{{2,3}}(?![{HANGUL}])", start[1])
    length = 3 if apart is None else len(apart[0])
    return name[: max(length, len(hanja))]


def as_value(name: str, part: Passage, latin: str = "") -> Value:
    """The name that was read in `part`: what is unsure by its hanja in the Latin reading, or the surnames."""
    hanja = _hanja(latin)
    sure = part.sure[: len(name)]
    known = readings(hanja) if len(hanja) == len(name) else ()
    if not any(known):
        surname = _surname(name)
        if name.startswith(surname) or not is_doubted(name[: len(surname)], surname, sure[: len(surname)]):
            return part.value(name)
        return part.value(surname + name[len(surname) :], _MENDED)
    corrected = "".join(_read_as(each, one) for each, one in zip(name, known, strict=True))
    if corrected != name and is_doubted(name, corrected, sure):
        return part.value(corrected, _MENDED)
    if corrected != name:
        return part.value(name)
    confidence = part.confidence
    surer = confidence + (1 - confidence) * _AGREED * all(known)
    return part.value(name, surer / max(confidence, 1e-6))


def _hanja(latin: str) -> str:
    found = re.search(rf"\(([{HANJA}]{{2,5}})", latin)
    return found[1] if found else ""


def _read_as(syllable: str, known: Iterable[str]) -> str:
    """The reading of a hanja that is most like the syllable."""
    best = max(known, key=lambda each: alike(each, syllable), default=syllable)
    return best if alike(best, syllable) >= _LEAST else syllable


def _surname(name: str) -> str:
    """The surname that a name begins with: as it is, if there is one so, or else the one that is alone most like it.

    Koreans have given names of one or two syllables: a longer name than three is of no surname of one.
    """
    for length in (2, 1):
        if name[:length] in SURNAMES and len(name) > length:
            return name[:length]
    if len(name) > _LONGEST_MENDED:
        return name[:1]
    scores = [(alike(surname, name[0]), surname) for surname in SURNAMES if len(surname) == 1]
    best = max(scores)
    alone = sum(score == best[0] for score, _ in scores) == 1
    return best[1] if alone and best[0] >= _SURNAME_LEAST else name[:1]
