"""The specimens are what the figures stand on: the same each time, right in themselves, and of every sort."""

import json
import subprocess
import sys
from datetime import date
from functools import cache
from random import Random

import cv2
import dlib
import numpy as np
import pytest

from shared.contracts import CardField, IdType
from tests.specimens import KINDS, camera, drawn, fonts, held_out, specimen, tuning
from tests.specimens.numbers import RANDOM_SINCE, REGIONS, alien_check, mrz_check, resident_check

TYPES = list(IdType)


@pytest.fixture(autouse=True, scope="module")
def _installed():
    if absent := fonts.missing():
        pytest.skip(f"needs the fonts of {', '.join(absent)}; deploy/test-setup.sh installs them where it may")


@pytest.fixture(scope="module")
def cards():
    """Drawn cards of one type, each drawn once: cards(IdType.DRIVER)."""
    once = cache(drawn)
    return lambda id_type, count=16: [once(seed, id_type) for seed in range(count)]


@pytest.mark.parametrize("id_type", TYPES)
def test_a_seed_gives_the_same_picture_each_time_and_another_seed_another(id_type):
    once = specimen(7, id_type, "photo")
    assert once == specimen(7, id_type, "photo")
    assert once.truth.fields != drawn(9, id_type).fields


@pytest.mark.parametrize("id_type", TYPES)
def test_scan_and_photo_of_a_seed_show_the_same_card(id_type):
    assert specimen(3, id_type, "flat").truth.fields == specimen(3, id_type, "photo").truth.fields


def test_no_seed_is_both_tuned_on_and_held_out():
    assert not set(tuning(500)) & set(held_out(500))
    assert len(held_out(50)) == len(tuning(50)) == 50


def test_check_digits_are_those_of_the_published_examples():
    # The passport of ICAO 9303-4, appendix B.
    assert [mrz_check(part) for part in ("L898902C3", "740812", "120415", "ZE184226B<<<<<")] == list("6291")
    assert mrz_check("L898902C3674081221204159ZE184226B<<<<<1") == "0"


@pytest.mark.parametrize("id_type", [IdType.RESIDENT, IdType.DRIVER])
def test_resident_numbers_hold_their_check_digit_unless_given_since_october_2020(id_type, cards):
    failing = 0
    for card in cards(id_type, 34):
        digits = card.fields[CardField.ID_NUMBER].replace("-", "")
        if resident_check(digits[:12]) != int(digits[12]):
            failing += 1
            assert date.fromisoformat(card.fields[CardField.ISSUE_DATE]) >= RANDOM_SINCE
    assert failing


def test_alien_numbers_hold_their_own_check_digit(cards):
    for card in cards(IdType.FOREIGN):
        digits = card.fields[CardField.ID_NUMBER].replace("-", "")
        assert alien_check(digits[:12]) == int(digits[12])


@pytest.mark.parametrize("id_type", [IdType.RESIDENT, IdType.DRIVER, IdType.FOREIGN])
def test_a_number_names_the_day_and_the_century_of_birth(id_type, cards):
    for card in cards(id_type):
        born, number = date.fromisoformat(card.fields[CardField.BIRTH_DATE]), card.fields[CardField.ID_NUMBER]
        assert number[:6] == f"{born:%y%m%d}"
        assert (number[7] in "3478") == (born.year >= 2000)


def test_the_mrz_says_what_is_printed_and_its_check_digits_hold(cards):
    for card in cards(IdType.PASSPORT):
        fields = card.fields
        first, second = fields[CardField.MRZ].split("\n")
        assert len(first) == len(second) == 44
        given = fields[CardField.GIVEN_NAMES].replace(" ", "<").replace("-", "<")
        assert first[5:].rstrip("<") == f"{fields[CardField.SURNAME]}<<{given}"
        assert second[:9] == fields[CardField.PASSPORT_NO]
        assert second[13:19] == f"{date.fromisoformat(fields[CardField.BIRTH_DATE]):%y%m%d}"
        assert second[21:27] == f"{date.fromisoformat(fields[CardField.EXPIRY_DATE]):%y%m%d}"
        for start, end in ((0, 9), (13, 19), (21, 27), (28, 42)):
            assert mrz_check(second[start:end]) == second[end]
        assert mrz_check(second[:10] + second[13:20] + second[21:43]) == second[43]


@pytest.mark.parametrize("id_type", TYPES)
def test_dates_follow_one_another(id_type, cards):
    for card in cards(id_type):
        named = (CardField.BIRTH_DATE, CardField.ISSUE_DATE, CardField.EXPIRY_DATE)
        dates = [date.fromisoformat(card.fields[name]) for name in named if name in card.fields]
        assert dates == sorted(dates)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("id_type", TYPES)
def test_every_field_stands_where_the_truth_says(id_type, kind):
    for seed in (11, 12):
        made = specimen(seed, id_type, kind)
        picture = cv2.imdecode(np.frombuffer(made.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert set(made.truth.polygons) == set(made.truth.fields)
        for quads in made.truth.polygons.values():
            for quad in quads:
                assert _contrast(picture, quad) > 30


def test_a_field_has_no_ink_outside_of_its_box(cards):
    for card in cards(IdType.RESIDENT, 6):
        grey = np.asarray(card.canvas.image.convert("L"))
        left, top, right, bottom = (round(edge) for edge in card.canvas.boxes[CardField.ID_NUMBER][0])
        around = grey[top - 12 : bottom + 12, left - 12 : right + 12].copy()
        around[11:-11, 11:-11] = 255
        assert around.min() > 120


@pytest.mark.parametrize("id_type", TYPES)
def test_a_detector_finds_the_portrait(id_type, people):
    truth = (made := specimen(21, id_type)).truth
    picture = cv2.imdecode(np.frombuffer(made.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    faces = dlib.get_frontal_face_detector()(picture)
    centres = [(face.center().x, face.center().y) for face in faces]
    assert any(cv2.pointPolygonTest(np.array(truth.portrait, np.float32), centre, False) > 0 for centre in centres)


def test_every_region_both_numbers_and_all_counts_of_types_occur_on_licences(cards):
    fields = [card.fields for card in cards(IdType.DRIVER, 2 * len(REGIONS))]
    numbers = [one[CardField.LICENCE_NO] for one in fields]
    codes = {code for number in numbers for code, region in REGIONS.items() if number.split("-")[0] == code}
    names = {number.split(" ")[0] for number in numbers if " " in number}
    assert codes | {code for code, region in REGIONS.items() if region in names} == set(REGIONS)
    assert codes
    assert names
    assert {one[CardField.LICENCE_TYPE].count(",") for one in fields} == {0, 1, 2}


@pytest.mark.parametrize(
    ("id_type", "layouts"),
    [
        (IdType.FOREIGN, {"foreign-2023", "foreign-before-2023"}),
        (IdType.PASSPORT, {"passport", "passport-old"}),
    ],
)
def test_both_layouts_occur(id_type, layouts, cards):
    assert {card.layout for card in cards(id_type)} == layouts


def test_photos_are_turned_by_each_quarter_and_have_from_half_to_twelve_megapixels():
    card = drawn(1, IdType.RESIDENT)
    shots = [camera.photograph(Random(seed), card) for seed in range(20)]
    assert {shot.rotation for shot in shots} == {0, 90, 180, 270}
    assert all(0.45e6 < shot.width * shot.height < 12.1e6 for shot in shots)
    assert min(shot.width * shot.height for shot in shots) < 1e6
    assert max(shot.width * shot.height for shot in shots) > 6e6


def test_the_rotation_says_where_the_cards_top_is():
    for seed in range(8):
        truth = specimen(seed, IdType.FOREIGN, "photo").truth
        across = np.subtract(truth.card[1], truth.card[0])
        turned = np.degrees(np.arctan2(across[1], across[0])) - truth.rotation
        assert abs((turned + 180) % 360 - 180) < 30


def test_the_command_writes_each_picture_with_its_truth_beside_it(tmp_path):
    out = tmp_path / "cards"
    arguments = ("--out", str(out), "--count", "1", "--types", "DRIVER,PASSPORT", "--held-out")
    done = subprocess.run(
        [sys.executable, "-m", "tests.specimens", *arguments], check=True, capture_output=True, text=True, timeout=120
    )
    assert done.stdout == f"4 pictures with their truth in {out}\n"
    (seed,) = held_out(1)
    assert {path.name for path in out.glob("*.jpg")} == {
        f"{id_type}-{kind}-{seed}.jpg" for id_type in ("driver", "passport") for kind in KINDS
    }
    truth = json.loads((out / f"driver-flat-{seed}.json").read_text())
    assert truth["fields"] == specimen(seed, IdType.DRIVER).truth.fields


def _contrast(picture, quad) -> float:
    """Between paper and ink in a quad, in grey levels."""
    target = np.array([[0, 0], [240, 0], [240, 40], [0, 40]], np.float32)
    patch = cv2.warpPerspective(picture, cv2.getPerspectiveTransform(np.array(quad, np.float32), target), (240, 40))
    return float(np.percentile(patch, 90) - np.percentile(patch, 5))
