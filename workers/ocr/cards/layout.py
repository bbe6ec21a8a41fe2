"""What the parsers have in common: titles, labels, a person's number, an address, dates; each as a field or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shared.contracts import CardField
from workers.ocr import numbers
from workers.ocr.addresses import address, is_start, province
from workers.ocr.cards.names import LABELS
from workers.ocr.corrections import SURE, corrected
from workers.ocr.dates import find_dates, today
from workers.ocr.merging import digits_differ
from workers.ocr.passages import Passage, Reader, passage, rows
from workers.ocr.text import bare, find, hangul_share, likeness

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from workers.ocr.cards import Value
    from workers.ocr.lines import Line
    from workers.ocr.passages import Row

# What a value is trusted less by: two readings that differ, a check digit that fails, a date that cannot be.
DISAGREEMENT, UNPROVEN, IMPLAUSIBLE = 0.6, 0.7, 0.5
# In an address the Latin recogniser's digits stand, and are mostly right.
DIGITS_DIFFER = 0.85
# Guilloche is read as text of little confidence.
GARBAGE = 0.35
_LABEL_LEAST_LENGTH = 3
_OFFICES, _ENDING_LEAST = ("구청장", "군수", "시장"), 0.7
_ADDRESS_LINES, _LEADING = 4, 2.2
_OFFICE_ROWS, _HALF, _LEAST_SYLLABLES = 8, 0.5, 3
_LONGEST_LABEL, _SURELY_A_PROVINCE = 7, 0.8
# 주민등록증 is 0.79 like what stands in 외국인등록증; a title of five syllables with three letters misread is as much.
_TITLE_LEAST, _LABEL_LEAST = 0.7, 0.75


class Dated(NamedTuple):
    """A date: the row and the stretch of text that it stands in, and what the value is to be trusted."""

    row: int
    part: Passage
    day: date
    sure: float

    def value(self, factor: float = 1.0) -> Value:
        """As a field."""
        return self.part.value(self.day.isoformat(), self.sure * factor)


def legible(lines: Iterable[Line]) -> list[Row]:
    """The rows of a card without what was hardly read."""
    return rows(line for line in lines if max(line.confidence, line.latin_confidence) >= GARBAGE)


def titled(rows: Sequence[Row], titles: Iterable[str]) -> float:
    """How much one of the rows is like one of the titles, 0..1; 0 for no more than one title is like another."""
    titles = tuple(titles)
    best = max((find(title, part.text)[0] for row in rows for part in row.readings for title in titles), default=0.0)
    return max(0.0, best - _TITLE_LEAST) / (1 - _TITLE_LEAST)


def together(*evidence: float) -> float:
    """How likely something is that independent evidence speaks for: 1 - the product of what remains of each doubt."""
    doubt = 1.0
    for each in evidence:
        doubt *= 1 - each
    return 1 - doubt


def label_end(text: str, labels: Iterable[str], least: float = _LABEL_LEAST) -> int | None:
    """Where in the text the last of the labels in it ends, or None."""
    ends = [_in_script(label, text, end) for label in labels for alike, end in (find(label, text),) if alike >= least]
    return max(ends, default=None)


def _in_script(label: str, text: str, end: int) -> int:
    """Where a label ends that was aligned up to `end`: the first letter of HONDURAS does not belong to 국가/지역."""
    while label[-1] >= "가" and end > 1 and text[end - 1].isascii() and text[end - 1].isalpha():
        end -= 1
    return end


def labelled(rows: Sequence[Row], labels: Sequence[str], accept: Callable[[str], bool]) -> Passage | None:
    """What stands after one of the labels in its row, or in the row below it, the first that is accepted."""
    for at, row in enumerate(rows):
        for part in row.readings:
            end = label_end(part.text, labels)
            if end is None:
                continue
            rest = part.cut(end)
            below = rows[at + 1].readings if at + 1 < len(rows) else ()
            for candidate in (rest, *below):
                if accept(candidate.text):
                    return candidate
    return None


def person(rows: Sequence[Row]) -> tuple[dict[CardField, Value], int | None]:
    """The number of the holder and the birth date in it, and the row that they stand in."""
    found: list[tuple[tuple[bool, bool], int, Passage, numbers.Found]] = []
    for at, row in enumerate(rows):
        for part in row.readings:
            if number := numbers.person_number(part.text):
                order = numbers.birth_date(number.value) is None, not numbers.is_proven(number.value)
                found.append((order, at, part, number))
    if not found:
        return {}, None
    _, at, part, number = min(found, key=lambda each: each[0])
    born = numbers.birth_date(number.value)
    others = {other.value for _, row, _, other in found if row == at}
    factor = 1.0 if len(others) == 1 else DISAGREEMENT
    if born is None or born > today():
        factor *= IMPLAUSIBLE
    born_factor = factor
    if not numbers.is_proven(number.value) and (born is None or born < numbers.RANDOM_SINCE):
        factor *= UNPROVEN
    stretch = part.cut(number.start, number.stop)
    fields = {CardField.ID_NUMBER: stretch.value(number.value, factor)}
    if born:
        start = part.cut(number.start, number.start + 6)
        fields[CardField.BIRTH_DATE] = start.value(born.isoformat(), born_factor)
    return fields, at


def dates_of(rows: Sequence[Row]) -> list[Dated]:
    """Every date, of the reading of its row that has more of them, the Latin recogniser's first.

    One that reaches an edge is ignored: of 2029.12.31 a 2029.12.3 may be left.
    """
    found: list[Dated] = []
    for at, row in enumerate(rows):
        readings = [(part, find_dates(part.text)) for part in row.readings]
        part, dates = max(readings, key=lambda pair: len(pair[1]))
        others = [{date.value for date in dates} for _, dates in readings if dates]
        sure = 1.0 if all(other == others[0] for other in others) else DISAGREEMENT
        dated = [Dated(at, part.cut(each.start, each.stop), each.value, sure) for each in dates]
        found += [each for each in dated if not each.part.is_cut]
    return found


def address_block(rows: Sequence[Row], first: int, ends: Callable[[str], bool]) -> tuple[Value, int] | None:
    """The address among the rows from `first` on, and the row after it. It begins with a province.

    `ends` tells a row that is not of it. Rows far below, or that begin further left, are none either.
    """
    for at in range(first, len(rows)):
        start = next((i for i, line in enumerate(rows[at].lines) if is_start(_unlabelled(line.text))), None)
        if start is None or ends(passage(rows[at].lines[start:]).text):
            continue
        parts = [rows[at].lines[start:]]
        line = parts[0][0]
        stop = at + 1
        for row in rows[at + 1 : at + _ADDRESS_LINES]:
            beside = tuple(other for other in row.lines if other.left >= line.left - 2 * line.height)
            near = row.top - rows[stop - 1].bottom <= line.height
            if not beside or not near or ends(passage(beside).text) or _is_message(row.text.text):
                break
            parts.append(beside)
            stop += 1
        lines = tuple(line for part in parts for line in part)
        differ = any(digits_differ(line.text, line.latin) for line in lines)
        value = address(
            [_unlabelled(passage(part, Reader.BOTH).text) for part in parts], [_sure_of_hangul(part) for part in parts]
        )
        return passage(lines).value(value, DIGITS_DIFFER if differ else 1.0), stop
    return None


def _is_message(text: str) -> bool:
    """Whether it is what an app says about a card: a sentence, or a line that begins with a label."""
    own = bare(text)
    return own.endswith("니다") or any(own.startswith(label) for label in LABELS if len(label) >= _LABEL_LEAST_LENGTH)


def address_lines(lines: Iterable[Line]) -> list[Line]:
    """Every line that may be of an address, anyone's: those that begin with a province as spelt, and those below."""
    found: list[Line] = []
    every = legible(lines)
    for at, row in enumerate(every):
        for start in row.lines:
            if not is_start(_unlabelled(start.text), 1.0):
                continue
            found.append(start)
            last = start
            for line in (line for row in every[at + 1 : at + _ADDRESS_LINES] for line in row.lines):
                beside = line.left < start.right and start.left - 2 * start.height < line.right
                if beside and 0 <= line.top - last.top <= _LEADING * last.height and not find_dates(line.text):
                    found.append(line)
                    last = line
    return found


def _sure_of_hangul(lines: Sequence[Line]) -> list[float]:
    """How sure each syllable is from where the address begins: a merged reading has them in the same order."""
    part = passage(lines)
    start = len(part.text) - len(_unlabelled(part.text))
    known = part.cut(start)
    hangul = (character for character in known.text if character.isalnum())
    return [sure for character, sure in zip(hangul, known.sure, strict=True) if "가" <= character <= "힣"]


def _unlabelled(text: str) -> str:
    """The line from the province on, where a label of a syllable or two is before it.

    A label and a province together are a little like the province, so that one that is there as spelt goes first.
    """
    places = range(min(_LONGEST_LABEL, len(text)))
    for least in (1.0, _SURELY_A_PROVINCE):
        starts = [at for at in places if is_start(text[at:], least)]
        if starts:
            return text[starts[0] :]
    return text


def office(
    rows: Sequence[Row], offices: Callable[[str], Sequence[str]], least: float = 0.6, *, form: re.Pattern[str]
) -> Value | None:
    """Who issued the card: the last row that is one of `offices` of its text. A seal beside it is text, too.

    What has the form of an office, by its groups the words of it, and was read surely stays as it was read.
    """
    for row in reversed(rows[-_OFFICE_ROWS:]):
        parts = [*(passage((line,)) for line in row.lines if len(row.lines) > 1), row.text]
        for part in parts:
            if hangul_share(part.text) <= _HALF:
                continue
            known = offices(part.text)
            if as_listed := next((one for one in known if bare(one) == bare(part.text)), None):
                return part.value(as_listed)
            read = form.fullmatch(bare(part.text))
            if read and _is_sure(part):
                return part.value(" ".join(filter(None, read.groups())))
            # Of what has no such form a part was misread, however surely.
            # 북제주군수 is not 제주시장, however it was misread: the word for the office is the surest of it.
            ending = next((one for one in _OFFICES if _with_ending(bare(part.text)).endswith(one)), "")
            known = [one for one in known if one.endswith(ending)]
            if found := corrected(part.text, known, least, part.sure if read else ()):
                return part.value(*found)
            if read is None and (spelt := form.fullmatch(_with_ending(bare(part.text)))) and spelt[1]:
                return part.value(" ".join(filter(None, spelt.groups())), DISAGREEMENT)
            if read and province(part.text[:16], 1.0):
                return part.value(" ".join(filter(None, read.groups())))
    return None


def _with_ending(text: str) -> str:
    """The text with the word for an office that its end is like: it has one of these, whatever the district."""
    for ending in _OFFICES:
        if likeness(ending, text[-len(ending) :]) >= _ENDING_LEAST:
            return text[: -len(ending)] + ending
    return text


def _is_sure(part: Passage) -> bool:
    return min(part.sure, default=0.0) >= SURE


def has_hangul(rows: Sequence[Row]) -> bool:
    """Whether anything in Korean stands there: a line of three syllables, and of little else."""
    lines = (line for row in rows for line in row.lines)
    return any(hangul_share(line.text) > _HALF and len(bare(line.text)) >= _LEAST_SYLLABLES for line in lines)


def is_latin_name(text: str) -> bool:
    """Whether a text can be a name in Latin letters: capitals, mostly, and no digits."""
    letters = bare(text)
    return len(letters) >= 2 and hangul_share(text) == 0 and sum(c.isupper() for c in text) >= 0.8 * len(letters)
