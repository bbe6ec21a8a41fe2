"""Which weights the reader of ID cards takes: a detector of lines, a Korean and a Latin recogniser, an orientation.

    set     lines of text          Hangul                          Latin, digits, punctuation
    v5      PP-OCRv5_mobile_det    korean_PP-OCRv5_mobile_rec      PP-OCRv6_small_rec
    small   PP-OCRv6_small_det     korean_mobile_v2.0_rec          the same
    auto    of each the best that is on this machine

Beside any of them, where it is on this machine, Tesseract's Korean network gives a second opinion of lines with Hangul.

A recogniser is of use with the characters that it was trained on only; where they are not in the file itself they are a
weight of their own, `NAME.yml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from shared.weights.find import Located, WeightStore

LINES = "ocr.lines"
KOREAN = "ocr.korean"
LATIN = "ocr.latin"
DICTIONARY = "ocr.dictionary"
ORIENTATION = "ocr.orientation"
HANGUL = "ocr.hangul"

AUTO, V5, SMALL = "auto", "v5", "small"

_LATIN = ("PP-OCRv6_small_rec", "en_number_mobile_v2.0_rec")
# Of each role, the best first.
SETS = {
    V5: {LINES: ("PP-OCRv5_mobile_det",), KOREAN: ("korean_PP-OCRv5_mobile_rec",), LATIN: _LATIN},
    SMALL: {
        LINES: ("PP-OCRv6_small_det", "PP-OCRv3_mobile_det"),
        KOREAN: ("korean_mobile_v2.0_rec",),
        LATIN: _LATIN,
    },
    AUTO: {
        LINES: ("PP-OCRv5_mobile_det", "PP-OCRv6_small_det", "PP-OCRv3_mobile_det"),
        KOREAN: ("korean_PP-OCRv5_mobile_rec", "korean_mobile_v2.0_rec"),
        LATIN: _LATIN,
    },
}


class TextModel(NamedTuple):
    """A network, and the file with its characters, where it has one."""

    network: Located
    dictionary: Located | None

    @property
    def name(self) -> str:
        """The network's."""
        return self.network.weight.name


class ReaderWeights(NamedTuple):
    """Everything that a reader needs. Without `orientation` it reads some lines both ways up instead.

    Without `hangul` there is no second opinion.
    """

    lines: TextModel
    korean: TextModel
    latin: TextModel
    orientation: Located | None
    hangul: Located | None


def of_reader(store: WeightStore, asked: str = AUTO) -> ReaderWeights | list[str]:
    """The weights of one of the SETS, or the names of those that are missing."""
    roles = SETS[asked]
    found = {role: _first(store, names) for role, names in roles.items()}
    missing = [name for role, model in found.items() if model is None for name in files_of(store, roles[role][0])]
    lines, korean, latin = (found[role] for role in (LINES, KOREAN, LATIN))
    if missing or lines is None or korean is None or latin is None:
        return missing
    return ReaderWeights(lines, korean, latin, _any(store, ORIENTATION), _any(store, HANGUL))


def _any(store: WeightStore, role: str) -> Located | None:
    return next((there for one in store.manifest.of_role(role) if (there := store.find(one.name))), None)


def _first(store: WeightStore, names: tuple[str, ...]) -> TextModel | None:
    for name in names:
        files = [store.find(needed) for needed in files_of(store, name)]
        if all(files) and files[0] is not None:
            return TextModel(files[0], files[1] if len(files) > 1 else None)
    return None


def files_of(store: WeightStore, name: str) -> tuple[str, ...]:
    """Return a network's name and, where it has a file of characters, that file's."""
    dictionary = f"{name}.yml"
    has_one = any(weight.name == dictionary for weight in store.manifest.of_role(DICTIONARY))
    return (name, dictionary) if has_one else (name,)
