"""Pictures in which a detector sees a face and nobody is: hardly any is taken for a person's template."""

import pytest

from tests.conftest import SHARED, need
from workers.face.analysis import Want, analyse
from workers.vision.decode import ImageError
from workers.vision.detection import DetectOptions

MAX = 50_000_000
# A boy and a woman who hold animals are in them, alone and well lit.
PEOPLE_IN_THEM = {"08.jpg", "30.jpg"}


@pytest.fixture(scope="module")
def enrolled(engine, judges):
    """The names of those files of a folder that register would take."""

    def run(paths) -> set[str]:
        taken = set()
        for path in paths:
            try:
                found = analyse(
                    engine, path.read_bytes(), DetectOptions(), Want.TEMPLATE, max_pixels=MAX, judges=judges
                )
            except ImageError:
                continue
            if not found.faults:
                taken.add(path.name)
        return taken

    return run


def test_no_animal_and_no_statue_is_enrolled(enrolled):
    pictures = sorted(need(SHARED / "testdata" / "no_people").glob("*.jpg"))
    assert len(pictures) == 22
    assert enrolled(pictures) <= PEOPLE_IN_THEM


def test_photos_of_people_are_enrolled_as_before(enrolled, people):
    photos = [path for folder in people.iterdir() if not folder.name.startswith("_") for path in folder.iterdir()]
    students = sorted(need(SHARED / "testdata" / "recognition" / "georgia_tech").glob("*/000.jpg"))
    for paths in (photos, students):
        assert enrolled(paths) == {path.name for path in paths}
