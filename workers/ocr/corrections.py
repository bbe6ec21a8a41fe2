"""Words of closed lists in place of what was read: only where the recogniser was unsure, and only of the nearest word.

    read      강남두   sure 0.98 0.97 0.41   강남구 is near, and the syllable that differs was unsure: 강남구
    read      동탄구   sure 0.96 0.97 0.95   동안구 is near, and every syllable was sure:              동탄구

A list is never complete: districts are founded, blocks of flats are called what their builders like, and people have
names from everywhere. So a list explains a doubt, and never raises one.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

from workers.ocr.text import bare, likeness

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# From here on a character stays as it was read, see docs/ocr.md for what was measured.
SURE = 0.85
# How much nearer than the next word of the list a word must be, of the letters of both.
MARGIN = 0.04


class Mended(NamedTuple):
    """The word of the list, and how like what was read it is, 0..1."""

    word: str
    alike: float


def corrected(text: str, words: Iterable[str], least: float, sure: Sequence[float] = ()) -> Mended | None:
    """Return the word that the text is, or is a misreading of; None where none may stand for it.

    `sure` are the probabilities of the text's characters, without its spaces and punctuation; of a text that comes
    without them every character is doubted.
    """
    own = bare(text)
    ranked = sorted(((likeness(word, own), word) for word in set(words)), reverse=True)[:2]
    if not ranked or not own:
        return None
    alike, word = ranked[0]
    if bare(word) == own:
        return Mended(word, 1.0)
    if alike < least or (len(ranked) > 1 and alike - ranked[1][0] < MARGIN):
        return None
    return Mended(word, alike) if is_doubted(own, bare(word), sure) else None


def is_doubted(read: str, word: str, sure: Sequence[float] = ()) -> bool:
    """Was every character of `read` that differs from `word` read unsurely, or stands beside one where it lacks some?

    Both without spaces and punctuation.
    """
    if len(sure) != len(read):
        return not sure
    for kind, start, stop, _, _ in SequenceMatcher(None, read, word, autojunk=False).get_opcodes():
        if kind == "insert":
            # What is missing has no probability of its own; its neighbours have, if it was smudged.
            if min(sure[max(0, start - 1) : start + 1], default=0.0) >= SURE:
                return False
        elif kind != "equal" and max(sure[start:stop]) >= SURE:
            return False
    return True
