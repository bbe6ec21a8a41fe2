"""Names of a zone whose fillers were read as letters: only what the page prints says which letters are the name's."""

import pytest

from workers.ocr import mrz
from workers.ocr.mrz_names import held_against_page

SECOND = "99006000<8CZE1102299F16090641152291111<<<<24"


def names(first: str, *page: str) -> tuple[str, str]:
    zone = mrz.find([first, SECOND])
    assert zone is not None
    held = held_against_page(zone, lambda name: name in page)
    assert {len(line) for line in held.lines} == {44}
    return held.surname, held.given_names


@pytest.mark.parametrize(
    "first",
    [
        "P<CZESPECIMEN<CVZORCA<C<CC<CCCC<<<AC<<C<CC<<",
        "P<CZESPECIMENCCVZORC<<<<<<<<<<<<<<<<<<<<<<<<",
        "P<CZESPECIMENKKVZOR<<K<KKC<<<<<<<<<<<<<<<<<<",
        "PΛCZESPECIMEN<CVZORCAハC<CCハCCCCハハハAC<<C<CC<<",
        "P<CZESPECIMEN<<VZOR<<<<<<<<<<<<<<<<<<<<<<<<<",
    ],
)
def test_fillers_read_as_letters_are_fillers_where_the_page_has_the_names(first):
    assert names(first, "SPECIMEN", "VZOR") == ("SPECIMEN", "VZOR")


@pytest.mark.parametrize(("surname", "given"), [("MACK", "KECK"), ("PICKOK", "ROCCO"), ("KACZMAREK", "PATRICK JACK")])
@pytest.mark.parametrize("is_printed", [True, False])
def test_letters_of_a_name_stay_whether_the_page_could_be_read_or_not(surname, given, is_printed):
    first = f"P<USA{surname}<<{given.replace(' ', '<')}".ljust(44, "<")
    assert names(first, *((surname, given) if is_printed else ())) == (surname, given)


def test_one_name_alone_is_held_against_the_page_as_well():
    assert names("P<IDNSUKARNOKC<<K<<<<<<<<<<<<<<<<<<<<<<<<<<<", "SUKARNO") == ("SUKARNO", "")
