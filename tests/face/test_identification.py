"""1:N: what a search of many asks for, on numbers whose answers are known and on strangers' photos."""

import numpy as np
import pytest

from deploy.faces import calibrate
from shared.db.templates import Nearest
from shared.settings import Settings
from tests.conftest import SHARED, need
from workers.face.calibration import calibration_of
from workers.face.identification import MARGIN, false_match_rate, needed_score
from workers.face.search import Gallery

FPIR = 0.01
LOGIN = 0.7
W600K = calibration_of("w600k_mbf")


def best(cosine: float = 0.9, among: int = 1, second: float = -1.0, between: float = -1.0) -> Nearest:
    return Nearest("u", None, cosine, among, second, between)


def needed(nearest: Nearest, threshold: float = LOGIN) -> float:
    return needed_score(W600K, nearest, threshold=threshold, fpir=FPIR)


@pytest.mark.parametrize("among", [1, 2, 100, 100_000])
def test_so_many_comparisons_at_the_rate_of_one_make_the_rate_of_the_search(among):
    assert 1 - (1 - false_match_rate(FPIR, among)) ** among == pytest.approx(FPIR, rel=1e-6)


def test_the_score_that_is_asked_for_rises_with_the_users_and_is_never_below_one_comparisons():
    scores = [needed(best(among=among)) for among in (1, 50, 500, 5000, 50_000, 500_000)]
    assert scores[:2] == [pytest.approx(LOGIN), pytest.approx(LOGIN, abs=1e-3)]
    assert scores == sorted(scores)
    # A score is a false match rate (`fit.SCALE`): one in a hundred thousand at 0.85, for a hundredth of the thousand
    # of 5,000 that a stranger is like.
    assert scores[2:] == [pytest.approx(score, abs=2e-3) for score in (0.8, 0.85, 0.88, 0.9)]
    assert needed(best(among=50), threshold=0.82) == pytest.approx(0.82)
    assert needed(best(among=5000), threshold=0.82) == pytest.approx(scores[3])


def test_the_best_has_to_be_ahead_of_the_second_unless_both_are_one_person():
    margin = MARGIN * (W600K.cosine(0.7) - W600K.cosine(0.5))
    cosine = W600K.cosine(0.75)
    assert needed(best(cosine, 2, cosine - 0.01)) > W600K.score(cosine)
    assert needed(best(cosine, 2, cosine - margin - 0.001)) < W600K.score(cosine)
    assert needed(best(cosine, 2, cosine - 0.01, between=0.99)) == pytest.approx(LOGIN)


def test_no_cosine_is_enough_where_the_tail_ends_before():
    dlib = calibration_of("dlib_resnet_v1")
    assert needed_score(dlib, best(among=1_000_000), threshold=LOGIN, fpir=FPIR) == 1.0


def test_the_two_best_of_a_gallery_are_those_of_a_plain_scan():
    random = np.random.default_rng(5)
    rows = random.normal(size=(9000, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    gallery = Gallery(16)
    gallery.add(np.arange(9000) + 7, rows)
    assert gallery.count == 9000
    for probe in rows[::1500] + 0.1:
        order = np.argsort(rows @ probe)[::-1]
        found = gallery.nearest(probe)
        assert found.template_id == order[0] + 7
        assert found.second == pytest.approx(float(rows[order[1]] @ probe), abs=1e-5)
        assert found.between == pytest.approx(float(rows[order[0]] @ rows[order[1]]), abs=1e-5)


def test_strangers_are_nobody_and_members_are_themselves(engine):
    """Half of the persons of two groups are enrolled by one photo each; everybody is then searched for."""
    enrolled, probes = {}, []
    for group in ("chinese", "korean"):
        folder = need(SHARED / "testdata" / "recognition" / group)
        found = calibrate.embed(engine, calibrate.files_of(folder), folder, Settings(), lambda: None)
        chosen = sorted(set(found.persons))[1::2]
        for person, embedding in zip(found.persons, found.embeddings, strict=True):
            if person in chosen and person not in enrolled:
                enrolled[person] = embedding
            else:
                probes.append((person, embedding))
    names = list(enrolled)
    gallery = Gallery(engine.dimension)
    gallery.add(np.arange(len(names)), np.stack(list(enrolled.values())))
    strangers = members = found_members = 0
    for name, embedding in probes:
        found = gallery.nearest(embedding)
        nearest = Nearest(names[found.template_id], None, found.cosine, gallery.count, found.second, found.between)
        score = needed_score(engine.calibration, nearest, threshold=LOGIN, fpir=FPIR)
        named = nearest.user_code if engine.calibration.score(found.cosine) >= score else None
        if name in enrolled:
            members += 1
            found_members += named == name
            assert named in {name, None}, "one member is never named as another"
        else:
            strangers += 1
            assert named is None, (name, named)
    assert strangers > 60
    assert members > 60
    assert found_members >= 0.7 * members
