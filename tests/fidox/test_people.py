"""On the people at hand: everybody is themselves, nobody is another."""

import secrets
from itertools import product

import pytest

from tests.support.fidox import Fidox, make_tenant


@pytest.fixture(scope="module")
def tenant_api(stack):
    """A tenant with nobody else's users in it: one of them may be the same person."""
    tenant = make_tenant(stack.database_url, f"people-{secrets.token_hex(4)}")
    with Fidox.login(stack.base_url, tenant.access_key, tenant.secret_key) as client:
        yield client


@pytest.fixture(scope="module")
def photos(people):
    """{person: [their photos]}"""
    return {
        folder.name: sorted(path.relative_to(people).as_posix() for path in folder.iterdir())
        for folder in sorted(people.iterdir())
        if folder.is_dir() and not folder.name.startswith("_")
    }


@pytest.fixture(scope="module")
def verdicts(tenant_api, photo, photos):
    """Every person enrolled with their first photo, every photo verified against everybody: {(photo, user): answer}"""
    for person, theirs in photos.items():
        answer = tenant_api.post("/face/register", userCode=person, image=photo(theirs[0]), name=person.upper())
        assert answer.status_code == 200, (person, answer.text)
    all_photos = [name for theirs in photos.values() for name in theirs]
    return {
        (name, person): tenant_api.post("/face/verify", userCode=person, image=photo(name)).json()
        for name, person in product(all_photos, photos)
    }


def test_everybody_verifies_with_another_photo_of_themselves(photos, verdicts):
    own = {key: verdict for key, verdict in verdicts.items() if key[0] in photos[key[1]]}
    assert len(own) == sum(map(len, photos.values())) >= 10
    assert all(verdict["matched"] for verdict in own.values()), {k: v["score"] for k, v in own.items()}


def test_nobody_verifies_with_anothers_photo(photos, verdicts):
    others = {key: verdict for key, verdict in verdicts.items() if key[0] not in photos[key[1]]}
    assert len(others) >= 40
    assert not any(verdict["matched"] for verdict in others.values()), {k: v["score"] for k, v in others.items()}


def test_identify_names_the_right_one(tenant_api, photo, photos, verdicts):
    for person, theirs in photos.items():
        for name in theirs[1:]:
            found = tenant_api.post("/face/identify", image=photo(name)).json()
            assert (found.get("uid"), found.get("name")) == (person, person.upper()), name
