"""The machine-readable zone: ICAO's examples, what is corrected, what proves it, and what one wrong character does."""

import pytest

from workers.ocr import mrz

# ICAO 9303 part 4, appendix B; part 5, appendix B; part 7, appendices.
TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
TD1 = "I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"
MRV_A = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<"
MRV_B = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<"
KOREAN = "PMKORHONG<<GIL<DONG<<<<<<<<<<<<<<<<<<<<<<<<<", "M123A45674KOR9001011M3203053<<<<<<<<<<<<<<00"
EVERY = {"TD3": TD3, "TD1": TD1, "MRV-A": MRV_A, "MRV-B": MRV_B}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"


@pytest.mark.parametrize(("text", "digit"), [("520727", 3), ("AB2134<<<", 5), ("D23145890734", 9), ("L898902C3", 6)])
def test_the_check_digit_is_icaos(text, digit):
    assert mrz.check_digit(text) == digit


@pytest.mark.parametrize("name", EVERY)
def test_icaos_examples_are_read_and_proven(name):
    zone = mrz.find(EVERY[name])
    assert zone.format.name == name
    assert zone.lines == EVERY[name]
    assert zone.valid
    assert (zone.surname, zone.given_names) == ("ERIKSSON", "ANNA MARIA")


def test_every_field_stands_where_icao_puts_it():
    fields = mrz.find(TD3).fields
    assert fields == {
        "code": "P",
        "issuer": "UTO",
        "names": "ERIKSSON  ANNA MARIA",
        "number": "L898902C3",
        "nationality": "UTO",
        "birth": "740812",
        "sex": "F",
        "expiry": "120415",
        "optional": "ZE184226B",
    }


def test_the_zone_is_found_among_other_lines():
    texts = ["REPUBLIC OF KOREA", "M123A4567", *KOREAN, "가나다"]
    zone = mrz.find(texts)
    assert zone.lines_at == (2, 3)
    assert zone.lines == KOREAN


@pytest.mark.parametrize("texts", [[], ["PASSPORT"], ["HONG", "GIL DONG", "01 JAN 1990"], [KOREAN[1]], ["<" * 44] * 2])
def test_there_is_none_among_lines_that_are_none(texts):
    assert mrz.find(texts) is None


@pytest.mark.parametrize(
    "lower",
    [
        "L8989O2C36UTO74O8122F12O4159ZE184226B<<<<<1O",  # O for 0
        "L898902C36UTO74O8I22FIZO4I59ZE184226B<<<<<10",  # O I Z in the dates
        "L898902C36UT07408122F1204159ZE184226B<<<<<10",  # 0 for O in the nation
        "L898902C36UTO7408122F1204159ZE184226B<<<<10",  # a filler lost
        "L898902C36UTO7408122F1204159ZE184226B<<<<<<<10",  # two too many
        "L898902C36UTO7408122F1204159ZE184226B<<KC<10",  # fillers read as letters
        "L898902C36UTO7408122F1204159ZE184226B<«(<<10",  # and as brackets
        "L898902C36 UTO 7408122 F 1204159 ZE184226B<<<<<10",
    ],
)
def test_what_cannot_stand_at_its_place_is_mended_and_proven(lower):
    zone = mrz.find((TD3[0], lower))
    assert zone.lines == TD3
    assert zone.valid


@pytest.mark.parametrize(
    "upper",
    [
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<",
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<<<<",
        "P<UTOERIKSSON<<ANNA<MARIA<<<<KK<<<<<<CC<<<<<",
        "PKUT0ER1K550N<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
        "P<UTOERIKSSON<<ANNA<MARIA««««««««««««««««««",
    ],
)
def test_the_names_end_in_fillers_however_those_were_read(upper):
    assert mrz.find((upper, TD3[1])).lines == TD3


def test_a_korean_number_has_letters_and_digits_where_they_must_be():
    assert mrz.find((KOREAN[0], "MI23A4S674KOR9001011M3203053<<<<<<<<<<<<<<00")).lines == KOREAN


def value(character):
    return ALPHABET[26:36].find(character) if character.isdigit() else ("<" + " " * 9 + ALPHABET[:26]).find(character)


def proven_places(layout):
    """Line and column of everything that a check digit is over, and of the check digits."""
    places = {(line, at) for line, start, stop in layout.covers for at in range(start, stop)}
    for place in layout.fields.values():
        if place.check is not None:
            places |= {(place.line, at) for at in (*range(place.start, place.stop), place.check)}
    return sorted(places | ({layout.composite} if layout.composite else set()))


@pytest.mark.parametrize("lines", [*EVERY.values(), KOREAN], ids=[*EVERY, "Korean"])
def test_every_single_wrong_character_is_mended_or_leaves_the_zone_unproven(lines):
    """But those that no check digit can see: 0, A, K, U and < weigh the same, as do 1, B, L, V and so on.

    An O that was an A, K, U or < is such a one, too: it is taken for nought.
    """
    layout = mrz.find(lines).format
    corrected = 0
    for line, at in proven_places(layout):
        for character in ALPHABET:
            weight = value(lines[line][at]) % 10
            if value(character) % 10 == weight or (character == "O" and weight == 0):
                continue
            wrong = list(lines)
            wrong[line] = f"{lines[line][:at]}{character}{lines[line][at + 1 :]}"
            zone = mrz.find(wrong)
            if zone is not None and zone.valid:
                assert zone.lines == lines, (line, at, character)
                corrected += 1
    assert corrected > 0


def test_a_number_is_never_changed_so_that_its_check_digit_fits():
    lower = TD3[1].replace("L898902C36", "L898902C37")
    zone = mrz.find((TD3[0], lower))
    assert zone.fields["number"] == "L898902C3"
    assert not zone.proven["number"]
    assert not zone.valid


def test_each_field_says_whether_it_is_proven():
    zone = mrz.find((TD3[0], TD3[1].replace("740812", "740813")))
    assert {name for name, proven in zone.proven.items() if not proven} == {"birth", "composite"}


def test_a_number_that_begins_with_the_letter_o_is_proven_as_one():
    number = "O99647900"
    lower = f"{number}{mrz.check_digit(number)}{TD3[1][10:]}"
    for read in (lower, lower.replace("O", "0", 1)):
        zone = mrz.find((TD3[0], read))
        assert zone.fields["number"] == number
        assert zone.proven["number"]
