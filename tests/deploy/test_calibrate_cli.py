"""`fidox calibrate`: the rates and the map that it gives, and what it refuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib

import numpy as np
import pytest

from deploy.local.folder import CHECKOUT
from tests.conftest import SHARED, need
from workers.face.calibration import Calibration, calibration_of

RECOGNITION = SHARED / "testdata" / "recognition"
GROUPS = ["people", "chinese", "georgia_tech", "korean"]


@pytest.fixture
def fidox():
    """`fidox` where no server is named: calibrate needs none."""

    def run(*arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        clean |= settings
        command = [sys.executable, "-m", "deploy.cli", *map(str, arguments)]
        return subprocess.run(command, env=clean, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize(
    ("engine", "groups"),
    # dlib takes a sixth of a second a photo, and its worst group is the only one that its map depends on.
    [("ezway", GROUPS), ("applemango", GROUPS), ("dlib", ["korean"])],
)
def test_the_shipped_map_is_what_it_gives_for_the_photos_at_hand(fidox, people, engine, groups, tmp_path):
    out = tmp_path / "fitted.toml"
    folders = [people, need(RECOGNITION)] if groups == GROUPS else [need(RECOGNITION / name) for name in groups]
    done = fidox("calibrate", *folders, "--engine", engine, "--json", "--out", out, FIDOX_PRECISION="f32")
    assert done.returncode == 0, done.stderr
    (fitted,) = tomllib.loads(out.read_text())["calibration"]
    # Other processors round otherwise, and the third digit may differ.
    assert np.allclose(calibration_of(fitted["models"][0]).knots, fitted["knots"], atol=4e-3)
    found = json.loads(done.stdout)
    assert [group["name"] for group in found["groups"]] == groups
    for group in found["groups"]:
        at_login, at_monitoring = group["current"]
        assert at_login["false_match"]["value"] <= 0.001, group["name"]
        assert at_monitoring["false_match"]["value"] <= 0.01, group["name"]


def test_the_shipped_maps_hold_their_rates_in_bf16_and_under_the_commercial_licence(fidox, people):
    done = fidox("calibrate", people, need(RECOGNITION), "--json", FIDOX_WEIGHTS_LICENCE="commercial")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["engine"], found["model_id"]) == ("ezway", "face_reidentification_retail_0095")
    for group in found["groups"]:
        assert [row["false_match"]["value"] <= most for row, most in zip(group["current"], (0.001, 0.01), strict=True)]


def test_a_folder_of_persons_is_one_group_with_rates_a_map_and_a_plot(fidox, people, tmp_path):
    out, plot = tmp_path / "fitted.toml", tmp_path / "plot.svg"
    done = fidox("calibrate", people, "--json", "--out", out, "--plot", plot)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["persons"], found["pictures"]) == (5, 12)
    assert (found["genuine"]["pairs"], found["impostor"]["pairs"]) == (9, 57)
    (group,) = found["groups"]
    assert (group["name"], group["persons"], group["pictures"], group["skipped"]) == ("people", 5, 12, [])
    assert [row["threshold"] for row in group["current"]] == [0.7, 0.6]
    for row in [*group["current"], *group["fitted"]]:
        assert row["false_match"]["errors"] == row["false_non_match"]["errors"] == 0
        # No person drawn changes that there was no error: the interval is Wilson's.
        assert row["false_match"]["high"] == pytest.approx(0.0631, abs=1e-4)
    assert len(found["warnings"]) == 3
    (written,) = tomllib.loads(out.read_text())["calibration"]
    knots = tuple(tuple(knot) for knot in written["knots"])
    calibration = Calibration(tuple(written["models"]), written["measured"], knots)
    assert calibration.models == (found["model_id"],)
    assert calibration.cosine(0.7) == pytest.approx(group["fitted"][0]["cosine"])
    drawn = plot.read_text()
    assert drawn.startswith("<?xml")
    assert "57 impostor" in drawn


def test_a_folder_of_groups_gives_each_of_them_and_the_persons_who_are_missed_the_most(fidox, people, tmp_path):
    for person in ("20005", "20006"):
        shutil.copytree(need(RECOGNITION / "korean" / person), tmp_path / "all" / "korean" / person)
    shutil.copytree(people, tmp_path / "all" / "people")
    done = fidox("calibrate", tmp_path / "all")
    assert done.returncode == 0, done.stderr
    assert "korean: 17 pictures of 2 persons" in done.stdout
    assert "people: 12 pictures of 5 persons" in done.stdout
    assert "\nfitted: score 0.7 is where one in a thousand impostor pairs of a hard person of " in done.stdout


def test_the_persons_who_are_missed_the_most_are_named(fidox, people, tmp_path):
    for person in ("biden", "obama"):
        shutil.copytree(people / person, tmp_path / person)
    # Under a name that is not theirs they are missed, and taken for themselves.
    shutil.move(tmp_path / "obama" / "test1.jpg", tmp_path / "biden" / "test1.jpg")
    done = fidox("calibrate", tmp_path)
    assert done.returncode == 0, done.stderr
    table = done.stdout.partition("worst at 0.7, fitted")[2].splitlines()
    assert {line.split()[0] for line in table[1:3]} == {"biden", "obama"}
    assert "warning: " in done.stdout


def test_pictures_without_one_dominant_face_and_repeated_ones_are_named_and_skipped(fidox, people, tmp_path):
    for name in ("obama", "biden"):
        shutil.copytree(people / name, tmp_path / name)
    shutil.copy(people / "_groups" / "kit_with_rose.jpg", tmp_path / "biden" / "two.jpg")
    shutil.copy(people / "biden" / "biden.jpg", tmp_path / "biden" / "z_again.jpg")
    (tmp_path / "obama" / "notes.txt").write_text("no picture")
    done = fidox("calibrate", tmp_path)
    assert "skipped biden/two.jpg: multiple_faces" in done.stdout
    assert "skipped biden/z_again.jpg: the same file as biden/biden.jpg" in done.stdout
    assert "skipped obama/notes.txt: bad_image" in done.stdout
    assert "5 pictures of 2 persons" in done.stdout


def test_a_folder_without_pairs_and_an_unknown_engine_are_one_line(fidox, people, tmp_path):
    alone, nothing = tmp_path / "alone", tmp_path / "nothing"
    shutil.copytree(people / "obama", alone / "obama")
    nothing.mkdir()
    shutil.copytree(alone, tmp_path / "again" / "alone")
    for arguments, complaint in (
        ((alone,), "there is only one person"),
        ((people / "obama",), "has no sub-folders with pictures"),
        ((nothing,), "has no sub-folders with pictures"),
        ((tmp_path / "none",), "is not a folder"),
        ((alone, tmp_path / "again"), "have the same name"),
        ((people, "--engine", "nothing"), "engine nothing cannot be loaded"),
        ((people, "--out", tmp_path / "none" / "x.toml"), "No such file or directory"),
    ):
        done = fidox("calibrate", *arguments)
        assert done.returncode == 1
        assert complaint in done.stderr
        assert len(done.stderr.splitlines()) == 1
