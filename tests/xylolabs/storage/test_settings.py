"""Where pictures go is the environment's to say; what cannot be is said at the start, with what to set."""

import os
import subprocess
import sys

import pytest

from shared.settings import Settings, SettingsError
from shared.storage import open_storage

ON = {"FACE_API_STORAGE_ENABLED": "true"}


def opened(**environment: str):
    return open_storage(Settings.from_env(environment).storage)


def test_it_is_off_by_default():
    assert opened() is None
    assert opened(FACE_API_STORAGE_DIR="/nowhere", FACE_API_S3_BUCKET="faces") is None


def test_on_without_a_place_names_both_places():
    with pytest.raises(SettingsError, match=r"FACE_API_STORAGE_DIR.*FACE_API_S3_BUCKET"):
        opened(**ON)


def test_a_bucket_goes_before_a_folder(tmp_path):
    assert opened(**ON, FACE_API_STORAGE_DIR=str(tmp_path)).signs_links is False
    assert opened(**ON, FACE_API_STORAGE_DIR=str(tmp_path), FACE_API_S3_BUCKET="faces").signs_links is True


def test_half_a_key_is_an_error():
    with pytest.raises(SettingsError, match="FACE_API_S3_SECRET_KEY"):
        opened(**ON, FACE_API_S3_BUCKET="faces", FACE_API_S3_ACCESS_KEY="somebody")


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="FACE_API_STORAGE_DIR"):
        opened(**ON, FACE_API_STORAGE_DIR=str(tmp_path / "file" / "folder"))


@pytest.mark.parametrize("module", ["gateway", "workers.face"])
def test_a_process_that_has_no_place_does_not_start_and_says_what_to_set(module):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FACE_API_")}
    command = [sys.executable, "-m", module]
    done = subprocess.run(command, env=kept | ON, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode != 0
    assert "FACE_API_STORAGE_DIR" in done.stderr
    assert "Traceback" not in done.stderr
