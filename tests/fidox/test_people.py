"""On the people at hand: everybody is themselves, nobody is another."""

from itertools import product

import pytest


@pytest.fixture(scope="module")
def photos(people):
    """{person: [their photos]}"""
    return {
        folder.name: sorted(path.relative_to(people).as_posix() for path in folder.iterdir())
        for folder in sorted(people.iterdir())
        if folder.is_dir() and not folder.name.startswith("_")
    }


@pytest.fixture(scope="module")
def verdicts(demo, photo, photos):
    """Every person enrolled with their first photo, every photo verified against everybody: {(photo, user): answer}"""
    for person, theirs in photos.items():
        demo.delete(person)
        answer = demo.post("/face/register", userCode=person, image=photo(theirs[0]), name=person.upper())
        assert answer.status_code == 200, (person, answer.text)
    all_photos = [name for theirs in photos.values() for name in theirs]
    yield {
        (name, person): demo.post("/face/verify", userCode=person, image=photo(name)).json()
        for name, person in product(all_photos, photos)
    }
    for person in photos:
        demo.delete(person)


def test_everybody_verifies_with_another_photo_of_themselves(photos, verdicts):
    own = {key: verdict for key, verdict in verdicts.items() if key[0] in photos[key[1]]}
    assert len(own) == sum(map(len, photos.values())) >= 10
    assert all(verdict["matched"] for verdict in own.values()), {k: v["score"] for k, v in own.items()}


def test_nobody_verifies_with_anothers_photo(photos, verdicts):
    others = {key: verdict for key, verdict in verdicts.items() if key[0] not in photos[key[1]]}
    assert len(others) >= 40
    assert not any(verdict["matched"] for verdict in others.values()), {k: v["score"] for k, v in others.items()}


def test_identify_names_the_right_one(demo, photo, photos, verdicts):
    for person, theirs in photos.items():
        for name in theirs[1:]:
            found = demo.post("/face/identify", image=photo(name)).json()
            assert (found.get("uid"), found.get("name")) == (person, person.upper()), name
