"""Hangul syllables: their three letters, and how alike two of them look."""

from __future__ import annotations

FIRST = ord("가")
INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
FINALS = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
# Letters that recognisers take for one another, the upper for the lower one.
_ALIKE = frozenset(
    frozenset(pair)
    for pair in zip(
        "ㅏㅓㅗㅜㅐㅔㅐㅡㅡㅜㅣㅘㅝㅈㄱㄷㅂㅇㅁㄴㄹㅅㄱㄴ",
        "ㅑㅕㅛㅠㅔㅖㅒㅜㅗㅗㅓㅏㅓㅊㅋㅌㅍㅎㅇㄹㅌㅈㅈㅇ",
        strict=True,
    )
)
_SIMILAR = 0.5


def letters(syllable: str) -> tuple[str, str, str]:
    """Initial, vowel and final, empty where there is none."""
    initial, rest = divmod(ord(syllable) - FIRST, len(VOWELS) * len(FINALS))
    vowel, final = divmod(rest, len(FINALS))
    return INITIALS[initial], VOWELS[vowel], FINALS[final]


def syllable(initial: int, vowel: int, final: int) -> str:
    """The one of these places in INITIALS, VOWELS and FINALS."""
    return chr(FIRST + (initial * len(VOWELS) + vowel) * len(FINALS) + final)


def alike(one: str, other: str) -> float:
    """Two syllables: the share of their letters that are the same, 0..1; those easily mistaken count half."""
    pairs = zip(letters(one), letters(other), strict=True)
    return sum(1.0 if a == b else _SIMILAR * (frozenset((a, b)) in _ALIKE) for a, b in pairs) / 3
