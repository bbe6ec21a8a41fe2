"""An operator's own networks, from a manifest to answers: the example of docs/weights.md, with what is at hand."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from deploy.local.folder import CHECKOUT
from shared.settings import Settings
from shared.weights import manifest
from shared.weights.forms import Form
from tests.support.weights import copied
from workers.face.load import load_engines
from workers.vision.decode import decode
from workers.vision.detection import DetectOptions

if TYPE_CHECKING:
    from pathlib import Path

RETAIL = "face_reidentification_retail_0095_onnx"
OWN = """
[[weight]]
name = "my_detector"
file = "my_detector.onnx"
role = "face.detector"
sha256 = "{detector}"
licence = "ours"
commercial_use = true
[weight.form]
kind = "detector"
outputs = "scrfd"

[[weight]]
name = "my_recogniser"
file = "my_recogniser.onnx"
role = "face.recogniser"
sha256 = "{recogniser}"
licence = "ours"
commercial_use = true
[weight.form]
kind = "recogniser"
side = 128
landmarks = [[0.3156, 0.4616], [0.6826, 0.4616], [0.5003, 0.6405], [0.3495, 0.8247], [0.6534, 0.8247]]
rgb = false
mean = 0.0
spread = 1.0
dimension = 256
calibration = "my_recogniser.toml"
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """A folder with a manifest and the files of two of the product's networks under other names, and the settings."""
    folder = tmp_path_factory.mktemp("own")
    names = {"my_detector": "scrfd_500m", "my_recogniser": RETAIL}
    found = copied(names.values(), folder / "copied")
    hashes: dict[str, str] = {}
    for mine, name in names.items():
        shutil.move(found[name], folder / f"{mine}.onnx")
        hashes[mine.removeprefix("my_")] = hashlib.sha256((folder / f"{mine}.onnx").read_bytes()).hexdigest()
    (folder / "mine.toml").write_text(OWN.format(**hashes))
    settings = {
        "FIDOX_CACHE_DIR": str(folder / "cache"),
        "FIDOX_WEIGHTS_MANIFEST": str(folder / "mine.toml"),
        "FIDOX_DETECTOR": "my_detector",
        "FIDOX_RECOGNISER": "my_recogniser",
        "FIDOX_ENGINES": "ezway",
        "FIDOX_WEIGHTS_LICENCE": "commercial",
    }
    return folder, settings


def fidox(settings: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    command = [sys.executable, "-m", "deploy.cli", *map(str, arguments)]
    return subprocess.run(command, env=clean | settings, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def test_a_recogniser_is_refused_until_it_is_calibrated_and_tells_people_apart_then(own, people, caplog):
    folder, settings = own
    (folder / "my_recogniser.toml").unlink(missing_ok=True)
    assert load_engines(Settings.from_env(settings)) == []
    assert f"write it with `fidox calibrate FOLDER --out {folder / 'my_recogniser.toml'}`" in caplog.text
    done = fidox(settings, "calibrate", people, "--out", folder / "my_recogniser.toml")
    assert done.returncode == 0, done.stderr
    assert tomllib.loads((folder / "my_recogniser.toml").read_text())["calibration"][0]["models"] == ["my_recogniser"]
    (engine,) = load_engines(Settings.from_env(settings))
    assert (engine.detector, engine.model_id, engine.dimension) == ("my_detector", "my_recogniser", 256)

    def embedded(picture: str):
        image = decode((people / picture).read_bytes(), max_pixels=50_000_000)
        return engine.embed(image, engine.detect(image, DetectOptions()).faces[0])

    obama, again, biden = map(embedded, ("obama/obama.jpg", "obama/obama2.jpg", "biden/biden.jpg"))
    assert engine.calibration.score(float(obama @ again)) > 0.7
    assert engine.calibration.score(float(obama @ biden)) < 0.6


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            ('calibration = "my_recogniser.toml"', ""),
            "my_recogniser has no calibration, so its scores would mean nothing",
        ),
        (("dimension = 256", "dimension = 512"), "its form says 512 dimensions; the file gives 256"),
        (("side = 128", "side = 112"), r"its form says an input of \(3, 112, 112\); the file takes \(3, 128, 128\)"),
    ],
)
def test_a_form_that_does_not_fit_says_so(own, tmp_path, caplog, change, complaint):
    folder, settings = own
    for name in ("my_detector.onnx", "my_recogniser.onnx"):
        (tmp_path / name).symlink_to(folder / name)
    (tmp_path / "mine.toml").write_text((folder / "mine.toml").read_text().replace(*change))
    lines = ['[[calibration]]\nmodels = ["my_recogniser"]\nmeasured = ""\nknots = [[-1, 0], [0.4, 0.7], [1, 1]]\n']
    (tmp_path / "my_recogniser.toml").write_text("".join(lines))
    assert load_engines(Settings.from_env(settings | {"FIDOX_WEIGHTS_MANIFEST": str(tmp_path / "mine.toml")})) == []
    assert re.search(complaint, caplog.text)


def test_the_command_line_lists_verifies_and_explains_it(own):
    _, settings = own
    done = fidox(settings, "weights", "list")
    assert done.returncode == 0, done.stderr
    assert re.search(r"my_detector\s.*face\.detector\s.*present\s.*own", done.stdout)
    assert "my_detector" in fidox(settings, "weights", "verify").stdout
    assert re.search(r"faces by engine ezway\s.*on\s.*my_detector", fidox(settings, "weights", "features").stdout)


def test_a_wrong_manifest_ends_a_command_with_a_line_that_says_so(own, tmp_path):
    _, settings = own
    (tmp_path / "wrong.toml").write_text('[[weight]]\nname = "scrfd_500m"\n')
    done = fidox(settings | {"FIDOX_WEIGHTS_MANIFEST": str(tmp_path / "wrong.toml")}, "weights", "list")
    assert done.returncode != 0
    assert "FIDOX_WEIGHTS_MANIFEST: " in done.stderr
    assert "Traceback" not in done.stderr


def test_the_documents_example_is_a_manifest(tmp_path):
    """Each block of TOML of docs/weights.md with entries, and its forms cover every kind."""
    blocks = re.findall(r"```toml\n(.*?)```", (CHECKOUT / "docs" / "weights.md").read_text("utf-8"), re.DOTALL)
    entries = "\n".join(block for block in blocks if "[[weight]]" in block)
    file = tmp_path / "mine.toml"
    file.write_text(re.sub(r'"<sha256 of the file>"', f'"{"0" * 64}"', entries))
    own_weights = manifest.with_own(str(file)).weight[len(manifest.SHIPPED.weight) :]
    kinds = {weight.form.__struct_config__.tag for weight in own_weights}
    assert kinds == {one.__struct_config__.tag for one in Form.__args__}
