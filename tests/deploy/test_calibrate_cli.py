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


@pytest.fixture
def fidox():
    """`fidox` where no server is named: calibrate needs none."""

    def run(*arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        clean |= settings
        command = [sys.executable, "-m", "deploy.cli", *map(str, arguments)]
        return subprocess.run(command, env=clean, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize("engine", ["ezway", "applemango"])
def test_the_shipped_map_is_what_it_gives_for_the_photos_at_hand(fidox, people, engine, tmp_path):
    out = tmp_path / "fitted.toml"
    done = fidox("calibrate", people, "--engine", engine, "--out", out, FIDOX_PRECISION="f32")
    assert done.returncode == 0, done.stderr
    (fitted,) = tomllib.loads(out.read_text())["calibration"]
    # Other processors round otherwise, and the third digit may differ.
    assert np.allclose(calibration_of(fitted["models"][0]).knots, fitted["knots"], atol=2e-3)


def test_the_map_of_the_network_for_commercial_use_holds_its_rate_in_every_group(fidox, people, tmp_path):
    groups = [need(RECOGNITION / name) for name in ("chinese", "korean", "georgia_tech")]
    options = [option for group in groups for option in ("--strangers", group)]
    out = tmp_path / "fitted.toml"
    done = fidox("calibrate", people, *options, "--json", "--out", out, FIDOX_WEIGHTS_LICENCE="commercial")
    assert done.returncode == 0, done.stderr
    (fitted,) = tomllib.loads(out.read_text())["calibration"]
    assert fitted["models"] == ["face_reidentification_retail_0095"]
    # bf16 moves the medians by a hundredth, and the shipped map has 0.7 where both precisions hold the rate.
    assert np.allclose(calibration_of(fitted["models"][0]).knots, fitted["knots"], atol=1.2e-2)
    found = json.loads(done.stdout)
    assert "impostor pairs of chinese" in found["placed"]
    for group in found["strangers"]:
        assert group["fitted"][0]["false_match"]["value"] <= 0.001
        shipped = group["current"][0]["false_match"]
        assert shipped["errors"] <= 0.001 * shipped["trials"] + 1  # another processor may round a pair over the line


def test_a_group_that_is_no_harder_moves_nothing(fidox, people, tmp_path):
    alone, beside = tmp_path / "alone.toml", tmp_path / "beside.toml"
    assert fidox("calibrate", people, "--out", alone).returncode == 0
    assert fidox("calibrate", people, "--strangers", people, "--out", beside).returncode == 0
    knots = [tomllib.loads(path.read_text())["calibration"][0]["knots"] for path in (alone, beside)]
    assert knots[0] == knots[1]


def test_a_folder_of_persons_gives_rates_a_map_and_a_plot(fidox, people, tmp_path):
    out, plot = tmp_path / "fitted.toml", tmp_path / "plot.svg"
    done = fidox("calibrate", people, "--json", "--out", out, "--plot", plot)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["persons"], found["pictures"], found["skipped"]) == (5, 12, [])
    assert (found["genuine"]["pairs"], found["impostor"]["pairs"]) == (9, 57)
    assert [row["threshold"] for row in found["current"]] == [0.7, 0.6]
    for row in [*found["current"], *found["fitted"]]:
        assert row["false_match"]["errors"] == row["false_non_match"]["errors"] == 0
        assert row["false_match"]["high"] == pytest.approx(0.0631, abs=1e-4)
    assert len(found["warnings"]) == 3
    (written,) = tomllib.loads(out.read_text())["calibration"]
    knots = tuple(tuple(knot) for knot in written["knots"])
    calibration = Calibration(tuple(written["models"]), written["measured"], knots)
    assert calibration.models == (found["model_id"],)
    assert calibration.cosine(0.7) == pytest.approx(found["fitted"][0]["cosine"])
    drawn = plot.read_text()
    assert drawn.startswith("<?xml")
    assert "57 impostor" in drawn


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
    shutil.copytree(people / "obama", tmp_path / "obama")
    for arguments, complaint in (
        ((tmp_path,), "there is only one person"),
        ((people / "obama",), "has no sub-folders with pictures"),
        ((tmp_path / "none",), "is no folder"),
        ((people, "--engine", "nothing"), "engine nothing cannot be loaded"),
        ((people, "--out", tmp_path / "none" / "x.toml"), "No such file or directory"),
    ):
        done = fidox("calibrate", *arguments)
        assert done.returncode == 1
        assert complaint in done.stderr
        assert len(done.stderr.splitlines()) == 1
