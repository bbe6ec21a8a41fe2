"""Hangul names by their Latin spelling: a passport has both, so that one can mend the other.

Passports spell names as their holders like, within what sounds the same: 정 is JUNG, JEONG or CHUNG. So a syllable has
many spellings, and a spelling is of several syllables. The name is sought whose syllables spell the Latin one and that
differs least from what was read.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product

from workers.ocr.syllables import alike, syllable
from workers.ocr.vocabulary import SURNAMES

# By initial, vowel and final in the order of Unicode's syllables; of each the commonest spelling first.
_INITIALS = (
    *(("G", "K"), ("KK", "GG"), ("N",), ("D", "T"), ("DD", "TT"), ("R", "L", "N"), ("M",), ("B", "P"), ("BB", "PP")),
    *(("S", "SH"), ("SS",), ("",), ("J", "Z", "CH"), ("JJ",), ("CH",), ("K",), ("T",), ("P", "F"), ("H",)),
)
_VOWELS = (
    *(("A", "AH"), ("AE", "AI", "E"), ("YA",), ("YAE",), ("EO", "U", "O", "UH"), ("E", "EI", "AE")),
    *(("YEO", "YU", "YOU", "YO", "YUH"), ("YE", "E"), ("O", "OH"), ("WA",), ("WAE",), ("OE", "OI", "WE"), ("YO",)),
    *(("U", "OO", "WOO", "WU"), ("WO", "WEO"), ("WE",), ("WI", "WEE"), ("YU", "YOO", "YOU"), ("EU", "U")),
    *(("UI", "EUI", "EE", "I", "YI"), ("I", "EE", "YI", "Y")),
)
_FINALS = (
    *(("",), ("K", "G", "CK"), ("K", "G"), ("K",), ("N",), ("N",), ("N",), ("T",), ("L", "R", "LL"), ("K",), ("M",)),
    *(("L",), ("L",), ("L",), ("P",), ("L",), ("M",), ("P", "B"), ("P",), ("T", "S"), ("T",), ("NG",), ("T",), ("T",)),
    *(("K",), ("T",), ("P",), ("",)),
)
# Syllables that given names have. Others are as rare there as a misreading is.
_COMMON = frozenset(
    "가강건겸경계고광구국권규근금기길나남내노다단달담대덕도동두득라란래려련령례로록룡루린림마만명모목무문미민박방배백범병보복봉부분비빈"
    "사산삼상새서석선설섭성세소솔송수숙순술슬승시식신실심아안애양언여연열영예오옥온완요용우욱운웅원월위유육윤율은을음의이익인일임"
    "자장재전정제조종주준중지진차찬창채천철청초춘출충치태택평표필하학한해향혁현협형혜호홍화환활황회효후훈휘휴흔흥희"
)
_UNCOMMON, _UNUSUAL = 0.2, 0.15
# Surnames with a spelling that no rule gives.
_SURNAMES = {
    "이": ("LEE", "RHEE", "YI"),
    "박": ("PARK", "PAK"),
    "최": ("CHOI", "CHOE"),
    "임": ("LIM", "IM", "RIM", "YIM"),
    "유": ("YOO", "RYU", "YU", "LYU"),
    "류": ("RYU", "YOO", "LYU"),
    "노": ("NOH", "ROH", "RO"),
    "나": ("NA", "RA"),
    "허": ("HEO", "HUR", "HUH"),
    "심": ("SHIM", "SIM"),
    "신": ("SHIN", "SIN"),
    "여": ("YEO", "YUH", "LYEO"),
    "선우": ("SUNWOO", "SEONWOO"),
    "제갈": ("JEGAL", "CHEGAL"),
}
_LONGEST = 7  # spelling of one syllable: KKYOUNG


def corrected(name: str, surname: str, given: str) -> str | None:
    """The name of as many syllables that is spelt `surname` `given` (capitals) and is most like `name`; or None."""
    family, own = _plain(surname), _plain(given)
    # One that is spelt so as it was read may have a surname that few have.
    if any(_nearest(name[:at], family) == name[:at] and _nearest(name[at:], own) == name[at:] for at in (1, 2)):
        return name
    for length in (1, 2):
        first = _nearest_surname(name[:length], family)
        rest = _nearest(name[length:], own)
        if first and rest:
            return first + rest
    return None


def _plain(text: str) -> str:
    return "".join(letter for letter in text.upper() if letter.isalpha())


def _nearest_surname(read: str, spelt: str) -> str | None:
    known = _spellings()
    spelling = {name: 0.0 for name, spellings in _SURNAMES.items() if spelt in spellings}
    spelling |= {name: unusual for name, unusual in known.get(spelt, ()) if name in SURNAMES and name not in spelling}
    named = [name for name in spelling if len(name) == len(read)]
    named += [name for name in SURNAMES if len(name) == len(read) == 2 and _nearest(name, spelt) == name]
    if not named:
        return _nearest(read, spelt)
    return max(named, key=lambda name: sum(map(alike, name, read)) / len(name) - spelling.get(name, 0.0))


def _nearest(read: str, spelt: str) -> str | None:
    """The syllables that are spelt so, as many as were read, most like those."""
    best: dict[int, tuple[float, str]] = {0: (0.0, "")}  # by how much of the spelling is used
    for each in read:
        following: dict[int, tuple[float, str]] = {}
        for used, (likely, made) in best.items():
            for length in range(1, min(_LONGEST, len(spelt) - used) + 1):
                found = _syllable(each, spelt[used : used + length])
                if found and likely + found[0] > following.get(used + length, (-1.0, ""))[0]:
                    following[used + length] = likely + found[0], made + found[1]
        best = following
    return best.get(len(spelt), (0.0, ""))[1] or None


@lru_cache(maxsize=4096)
def _syllable(read: str, spelt: str) -> tuple[float, str] | None:
    """Of the syllables that are spelt so the likeliest where `read` was read, and how likely, up to 1."""
    found = [(_likely(each, read) - unusual, each) for each, unusual in _spellings().get(spelt, ())]
    return max(found, default=None)


def _likely(one: str, read: str) -> float:
    return 1.0 if one == read else alike(one, read) - _UNCOMMON * (one not in _COMMON)


@lru_cache(maxsize=1)
def _spellings() -> dict[str, tuple[tuple[str, float], ...]]:
    """Every spelling: the syllables that have it, and how unusual it is for them."""
    found: dict[str, dict[str, float]] = {}
    for (i, initials), (v, vowels), (f, finals) in product(
        enumerate(_INITIALS), enumerate(_VOWELS), enumerate(_FINALS)
    ):
        made = syllable(i, v, f)
        for parts in product(enumerate(initials), enumerate(vowels), enumerate(finals)):
            spelt = "".join(part for _, part in parts)
            unusual = _UNUSUAL * sum(rank for rank, _ in parts)
            known = found.setdefault(spelt, {})
            known[made] = min(unusual, known.get(made, unusual))
    return {spelt: tuple(syllables.items()) for spelt, syllables in found.items()}
