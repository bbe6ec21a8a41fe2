"""`fidox faces`: what its commands write, read, refuse, and go on with."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import secrets
import shutil
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import psycopg
import pytest

from deploy.faces import pictures
from deploy.faces.enrol import Enrolment
from deploy.local.errors import LocalError
from deploy.local.folder import CHECKOUT
from shared.settings import Settings
from tests.support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.stack import LocalStack
    from tests.support.fidox import Fidox, Tenant

MODEL = {"engine": "ezway", "model_id": "a_test_model", "version": 1}


@pytest.fixture
def faces(stack: LocalStack):
    """`fidox faces …` beside the stack, as it answers with --json."""
    return lambda *arguments: json.loads(stack.fidox("faces", *map(str, arguments), "--json"))


@pytest.fixture
def other(stack: LocalStack) -> str:
    """A tenant to import into."""
    name = f"other-{secrets.token_hex(4)}"
    stack.fidox("tenants", "create", name)
    return name


@pytest.fixture
def album(people: Path, tmp_path: Path) -> Path:
    """A folder to enrol: a picture by its name, a sub-folder, and two that cannot be."""
    folder = tmp_path / "album"
    (folder / "joe").mkdir(parents=True)
    shutil.copy(people / "obama" / "obama.jpg", folder / "홍길동.jpg")
    # The first of joe's is no good, the second is, the third is not needed.
    blurred = cv2.GaussianBlur(cv2.imread(str(people / "biden" / "biden.jpg")), (0, 0), 9)
    cv2.imwrite(str(folder / "joe" / "a.jpg"), blurred)
    shutil.copy(people / "biden" / "biden.jpg", folder / "joe" / "b.jpg")
    shutil.copy(people / "biden" / "biden2.jpg", folder / "joe" / "c.jpg")
    shutil.copy(people / "_groups" / "kit_with_rose.jpg", folder / "two.jpg")
    (folder / "notes.txt").write_text("no picture")
    return folder


def vector(seed: int, dimension: int = 512) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=dimension)
    return (made / np.linalg.norm(made)).astype(np.float16)


def user(code: str, values: np.ndarray, **changes) -> str:
    template = {**MODEL, "vector": base64.b64encode(values.astype("<f2").tobytes()).decode(), **changes}
    return json.dumps({"user_code": code, "name": None, "templates": [template]})


def export_file(path: Path, *lines: str) -> Path:
    header = {"format": "fidox-faces", "version": 1, "tenant": "elsewhere", "exported_at": "2026-01-31T09:00:00Z"}
    path.write_text("\n".join([json.dumps(header), *lines]) + "\n")
    return path


def users_of(path: Path) -> list[dict]:
    data = path.read_bytes()
    text = gzip.decompress(data) if path.suffix == ".gz" else data
    return [json.loads(line) for line in text.splitlines()[1:]]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- enrol


def test_a_folder_is_enrolled_by_the_rules_of_register(faces, tenant: Tenant, api: Fidox, photo, album, tmp_path):
    report = tmp_path / "report.csv"
    done = faces("enrol", album, "--tenant", tenant.name, "--report", report)
    assert (done["enrolled"], done["already_there"], done["unused"], done["refused"]) == (2, 0, 1, 3)
    reasons = {line["file"].rpartition("/")[2]: line["detail"] for line in done["refused_files"]}
    assert reasons["a.jpg"].startswith("low_quality: the face is not sharp")
    assert reasons["two.jpg"].startswith("multiple_faces: ")
    assert reasons["notes.txt"].startswith("not a JPEG")
    with report.open(newline="") as file:
        rows = {row["file"].rpartition("/")[2]: row["result"] for row in csv.DictReader(file)}
    assert rows == {
        "홍길동.jpg": "enrolled",
        "a.jpg": "refused",
        "b.jpg": "enrolled",
        "c.jpg": "unused",
        "two.jpg": "refused",
        "notes.txt": "refused",
    }
    assert mode(report) == 0o600
    assert api.post("/face/verify", userCode="홍길동", image=photo("obama/obama2.jpg")).json()["matched"] is True
    assert api.post("/face/identify", image=photo("biden/biden2.jpg")).json()["uid"] == "joe"
    again = faces("enrol", album, "--tenant", tenant.name)
    assert (again["enrolled"], again["already_there"]) == (0, 2)


def test_a_table_is_enrolled_with_names(faces, tenant: Tenant, api: Fidox, photo, people, tmp_path):
    shutil.copy(people / "obama" / "obama.jpg", tmp_path / "1.jpg")
    table = tmp_path / "people.csv"
    rows = ["user_code,path,name", "u1,1.jpg,버락 오바마", "u2,missing.jpg,", "u3", ",1.jpg", "", "u4,1.jpg"]
    table.write_text("\n".join(rows), "utf-8-sig")
    done = faces("enrol", table, "--tenant", tenant.name)
    assert (done["enrolled"], done["refused"]) == (2, 3)
    reasons = {line["file"]: line["detail"] for line in done["refused_files"]}
    assert reasons[str(tmp_path / "missing.jpg")] == "bad_image: No such file or directory"
    assert "user code" in reasons["line 5"]
    assert "line 4" in reasons
    found = api.post("/face/identify", image=photo("obama/obama2.jpg")).json()
    assert found["uid"] in {"u1", "u4"}


@pytest.mark.parametrize(
    ("content", "complaint"), [("이름".encode("cp949"), "is not UTF-8"), (b'u1,"a.jpg\n', "cannot be read as CSV")]
)
def test_a_table_that_cannot_be_read_is_one_line(stack, tenant, tmp_path, content, complaint):
    table = tmp_path / "people.csv"
    table.write_bytes(content)
    with pytest.raises(LocalError, match=complaint):
        stack.fidox("faces", "enrol", str(table), "--tenant", tenant.name)


# More than are enrolled before a busy machine has noticed the first and sent the signal.
CROWD = 500


def test_what_is_enrolled_when_ctrl_c_comes_is_kept_and_the_next_run_goes_on(stack, faces, tenant, people, tmp_path):
    folder = tmp_path / "crowd"
    folder.mkdir()
    for number in range(CROWD):
        (folder / f"u{number:03}.jpg").symlink_to(people / "obama" / "obama.jpg")
    running = subprocess.Popen(
        [sys.executable, "-m", "deploy.cli", "faces", "enrol", str(folder), "--tenant", tenant.name],
        env=stack.environment,
        cwd=CHECKOUT,
        stderr=subprocess.PIPE,
        text=True,
    )
    with psycopg.connect(stack.database_url, autocommit=True) as conn:
        count = "SELECT count(*) FROM users JOIN tenants ON tenants.id = tenant_id WHERE tenants.name = %s"
        until(lambda: conn.execute(count, (tenant.name,)).fetchone()[0], "somebody is enrolled", patience_s=200)
        running.send_signal(signal.SIGINT)
        complaint = running.communicate(timeout=200)[1]
        kept = conn.execute(count, (tenant.name,)).fetchone()[0]
    assert running.returncode == 130
    assert f"stopped: {kept} enrolled" in complaint
    assert 0 < kept < CROWD
    done = faces("enrol", folder, "--tenant", tenant.name)
    assert (done["already_there"], done["enrolled"]) == (kept, CROWD - kept)


class Second:
    """Another engine, with a detector that sees what it is told to."""

    name = "second"
    model_id = "second_model"

    def __init__(self, engine, shift: float | None) -> None:
        self._engine = engine
        self._shift = shift

    def detect(self, image, options):
        found = self._engine.detect(image, options)
        if self._shift is None:
            return replace(found, faces=())
        return replace(found, faces=tuple(replace(face, box=face.box + self._shift) for face in found.faces))

    def examine(self, image, face):
        return self._engine.examine(image, face)


@pytest.mark.parametrize(
    ("shift", "models", "missing"),
    [
        (10, ["ezway", "second"], ""),
        (None, ["ezway"], "no template of second (no_face)"),
        (5000, ["ezway"], "no template of second (it sees another face)"),
    ],
    ids=["sees the same face", "sees none", "sees another"],
)
def test_every_engine_adds_a_template_of_the_same_face(people, shift, models, missing):
    engines = pictures.engines(Settings(), "ezway")
    if not engines:
        pytest.skip("needs the weights of engine ezway: ../shared/models, or fidox weights fetch")
    enrolment = Enrolment(None, None, [*engines, Second(engines[0], shift)], Settings(), lambda _: None)
    templates, detail = enrolment._templates(people / "obama" / "obama.jpg")
    assert [template.engine for template in templates] == models
    assert detail == missing


# --- export, import


@pytest.mark.parametrize("name", ["faces.jsonl", "faces.jsonl.gz"])
def test_a_tenant_moves_with_its_templates(stack, faces, tenant, login, photo, album, other, tmp_path, name):
    faces("enrol", album, "--tenant", tenant.name)
    out = tmp_path / name
    done = faces("export", "--tenant", tenant.name, "--out", out)
    assert (done["users"], done["resumed_after"]) == (2, 0)
    assert mode(out) == 0o600
    assert not out.with_name(name + ".part").exists()
    first = users_of(out)[0]
    assert set(first) == {"user_code", "name", "templates"}
    assert {"engine", "model_id", "version", "vector"} == set(first["templates"][0])

    moved = faces("import", out, "--tenant", other)
    assert (moved["new"], moved["already_there"], moved["refused"]) == (2, 0, 0)
    assert (moved["exported_from"], moved["need_enrolment"]) == (tenant.name, 0)
    again = faces("import", out, "--tenant", other)
    assert (again["new"], again["already_there"]) == (0, 2)
    copy = tmp_path / "copy.jsonl"
    faces("export", "--tenant", other, "--out", copy)
    assert users_of(copy) == users_of(out)

    key = json.loads(stack.fidox("keys", "create", other, "--json"))
    moved_api = login(type(tenant)(other, key["access_key"], key["secret_key"]))
    assert moved_api.post("/face/identify", image=photo("biden/biden2.jpg")).json()["uid"] == "joe"


def test_an_export_says_that_it_holds_biometric_data(stack, tenant, tmp_path):
    out = tmp_path / "faces.jsonl"
    assert "biometric" in stack.fidox("faces", "export", "--tenant", tenant.name, "--out", str(out))


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_stopped_export_goes_on_behind_its_last_whole_line(stack, faces, tenant, tmp_path, suffix):
    lines = [user(f"u{number:04}", vector(number)) for number in range(1200)]
    faces("import", export_file(tmp_path / "in.jsonl", *lines), "--tenant", tenant.name)
    whole, out = tmp_path / f"whole{suffix}", tmp_path / f"out{suffix}"
    faces("export", "--tenant", tenant.name, "--out", whole)
    assert [one["user_code"] for one in users_of(whole)] == [f"u{number:04}" for number in range(1200)]

    part = out.with_name(out.name + ".part")
    part.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.7)])
    with pytest.raises(LocalError, match="--resume"):
        stack.fidox("faces", "export", "--tenant", tenant.name, "--out", str(out))
    done = faces("export", "--tenant", tenant.name, "--out", out, "--resume")
    assert done["users"] == 1200
    assert 400 < done["resumed_after"] < 1000
    assert users_of(out) == users_of(whole)
    assert mode(out) == 0o600


def test_an_export_of_another_tenant_is_not_gone_on_with(stack, tenant, tmp_path):
    export_file(tmp_path / "out.part")
    with pytest.raises(LocalError, match="begun for the tenant elsewhere"):
        stack.fidox("faces", "export", "--tenant", tenant.name, "--out", str(tmp_path / "out"), "--resume")


def test_lines_that_would_spoil_the_table_are_refused_by_number(faces, tenant, tmp_path):
    good = vector(1)
    infinite = good.copy()
    infinite[7] = np.inf
    wrong = {
        3: (user("short", vector(2, 128)), "128 dimensions instead of 512"),
        4: (user("infinite", infinite), "not finite"),
        5: (user("long", good * 2), "not normalised: its length is 2.0"),
        6: (user("", good), "user_code"),
        7: (user("odd", good, vector="AAAA"), "3 bytes"),
        8: (user("text", good, vector="not base64!"), "base64"),
        9: ("{", "truncated"),
        10: (user("nul\x00", good), "user_code"),
        11: (json.dumps({"user_code": "none", "name": None, "templates": []}), "no templates"),
        12: (user("short2", vector(3, 128), engine="ezway", model_id="a_test_model"), "dimensions"),
    }
    file = export_file(tmp_path / "in", user("good", good), *(line for line, _ in wrong.values()), user("last", good))
    done = faces("import", file, "--tenant", tenant.name)
    assert (done["new"], done["refused"]) == (2, len(wrong))
    reasons = {one["line"]: one["reason"] for one in done["refused_lines"]}
    assert set(reasons) == set(wrong)
    for line, (_, reason) in wrong.items():
        assert reason in reasons[line], reasons[line]


def test_a_user_code_twice_in_a_file_is_imported_once(faces, tenant, tmp_path):
    file = export_file(tmp_path / "in", user("u", vector(1)), user("u", vector(2)))
    done = faces("import", file, "--tenant", tenant.name)
    assert (done["new"], done["already_there"]) == (1, 1)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"\xff\xd8\xff\xe0 a picture", "does not begin as a file of `fidox faces export`"),
        (b"", "does not begin as a file of"),
        (b'{"format":"other","version":1,"tenant":"t","exported_at":"2026-01-31T09:00:00Z"}\n', "format other"),
        (b'{"format":"fidox-faces","version":2,"tenant":"t","exported_at":"2026-01-31T09:00:00Z"}\n', "version 2"),
        (b"\x1f\x8b no gzip", "damaged"),
        (b"x" * (1 << 21), "longer than"),
    ],
    ids=["picture", "empty", "format", "version", "gzip", "endless"],
)
def test_a_wrong_file_is_one_clear_line(stack, tenant, tmp_path, content, complaint):
    file = tmp_path / "in"
    file.write_bytes(content)
    with pytest.raises(LocalError) as caught:
        stack.fidox("faces", "import", str(file), "--tenant", tenant.name)
    assert complaint in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_of_a_file_that_breaks_off_what_stands_before_is_imported(stack, faces, tenant, tmp_path):
    file = export_file(tmp_path / "in", *(user(f"u{number}", vector(number)) for number in range(900)))
    packed = gzip.compress(file.read_bytes())
    file.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(LocalError, match="breaks off or is damaged behind line"):
        stack.fidox("faces", "import", str(file), "--tenant", tenant.name)
    assert 300 < faces("count", "--tenant", tenant.name)["users"] < 600


# --- count


def test_users_are_counted_by_model_and_those_to_enrol_again_named(stack, faces, tenant, album, tmp_path):
    faces("enrol", album, "--tenant", tenant.name)
    lines = [user(f"old{number}", vector(number)) for number in range(3)]
    faces("import", export_file(tmp_path / "in", *lines), "--tenant", tenant.name)
    found = faces("count", "--tenant", tenant.name)
    assert (found["users"], found["need_enrolment"]) == (5, 3)
    assert found["gone"] == {"users": 3, "templates": 3}
    models = {one["model_id"]: one for one in found["models"]}
    assert (models["a_test_model"]["templates"], models["a_test_model"]["current"]) == (3, False)
    current = found["current_models"][0]["model_id"]
    assert (models[current]["templates"], models[current]["current"]) == (2, True)
    told = stack.fidox("faces", "count", "--tenant", tenant.name)
    assert "3 templates of 3 users are of models that are gone" in told
    assert "3 users have no template" in told


def test_another_tenants_faces_are_neither_counted_nor_exported(faces, tenant, other, album, tmp_path):
    faces("enrol", album, "--tenant", tenant.name)
    assert faces("count", "--tenant", other)["users"] == 0
    assert faces("export", "--tenant", other, "--out", tmp_path / "out")["users"] == 0


@pytest.mark.parametrize("command", ["count", "export", "import", "enrol"])
def test_an_unknown_tenant_is_one_line(stack, command, tmp_path):
    file = export_file(tmp_path / "in.jsonl")
    (tmp_path / "u.csv").write_text("u,u.jpg\n")
    rest = {"count": (), "export": ("--out", str(tmp_path / "out")), "import": (str(file),)}
    arguments = rest.get(command, (str(tmp_path / "u.csv"),))
    with pytest.raises(LocalError, match="there is no tenant nobody"):
        stack.fidox("faces", command, *arguments, "--tenant", "nobody")
