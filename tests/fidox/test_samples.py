"""The document's samples run as written, once the host, the keys and the files are supplied."""

import json
import re
import shutil
import subprocess

import pytest

from tests.conftest import need_program

HOST = "https://api.fidox.co"
KOREAN_KEYS = ("여기에-access-key", "여기에-secret-key")


@pytest.fixture(scope="module")
def document(specs) -> str:
    return (specs / "fidox-root-api.txt").read_text("utf-8")


@pytest.fixture
def desk(stack, people, tmp_path, tenant):
    """A folder with the photos that the samples name, and a way to run one there."""
    for name, photo in {
        "photo1.jpg": "obama/obama.jpg",
        "photo2.jpg": "obama/obama2.jpg",
        "face.jpg": "rose_leslie/img1.jpg",
        "group-photo.jpg": "_groups/kit_with_rose.jpg",
    }.items():
        shutil.copy(people / photo, tmp_path / name)
    keys = {
        KOREAN_KEYS[0]: tenant.access_key,
        KOREAN_KEYS[1]: tenant.secret_key,
        "your-access-key": tenant.access_key,
        "your-secret-key": tenant.secret_key,
        # The samples' one file outside the folder: kept inside, so that tests may run beside one another.
        "/tmp/req.json": str(tmp_path / "req.json"),
    }

    def supply(text: str) -> str:
        for name, value in ({HOST: stack.base_url} | keys).items():
            text = text.replace(name, value)
        return text

    def run(*command: str, stdin: str = "") -> str:
        done = subprocess.run(
            command, cwd=tmp_path, input=stdin, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run.supply = supply
    run.shell = lambda script: run(need_program("bash"), "-c", supply(script))
    return run


def between(document: str, start: str, end: str, after: str = "") -> str:
    """The lines from one that begins with `start` to before one that begins with `end`, below the heading `after`."""
    text = document[document.index(after) :]
    begin = re.search(f"^{re.escape(start)}", text, re.MULTILINE).start()
    stop = re.compile(f"^{re.escape(end)}", re.MULTILINE).search(text, begin).start()
    return text[begin:stop]


def last_json(output: str) -> dict:
    return json.loads(output[output.index("{") :])


TOKEN = """TOKEN=$(curl -s -X POST https://api.fidox.co/auth/client/token -H "Content-Type: application/json" \
-d '{"accessKey":"your-access-key","secretKey":"your-secret-key"}' | grep -o '"token":"[^"]*"' | cut -d'"' -f4)
"""


def test_the_quick_start(document, desk):
    answer = last_json(desk.shell(between(document, "# 1. 토큰 발급", "Response")))
    assert (answer["success"], answer["matched"], answer["code"], answer["message"]) == (True, True, "00000", "OK")


def test_the_token_call(document, desk):
    answer = json.loads(
        desk.shell(between(document, "curl -X POST https://api.fidox.co/auth/client/token", "Response"))
    )
    assert list(answer) == ["token"]
    assert answer["token"].startswith("eyJhbGciOiJIUzI1NiIs")


def test_sending_a_file_as_advised(document, desk):
    script = between(document, "# 1. 이미지를 base64로 변환", "언어별 Base64 변환")
    assert last_json(desk.shell(TOKEN + script))["success"] is True


def test_each_endpoints_sample(document, desk):
    def sample(heading: str, start: str) -> dict:
        return last_json(desk.shell(TOKEN + between(document, start, "Response", after=heading)))

    assert sample("POST/face/register", "BASE64=")["message"] == "OK"
    verified = sample("POST/face/verify", "BASE64=")
    assert (verified["matched"], verified["threshold"]) == (True, 0.7)
    assert "liveness" not in verified
    found = sample("POST/face/identify", "BASE64=")
    assert (found["matched"], found["uid"], found["name"]) == (True, "user-001", "홍길동")
    assert sample("POST/face/compare", "IMG1=")["matched"] is True
    counted = sample("POST/face/count", "BASE64=")
    assert counted["faceCnt"] == len(counted["faces"]) == 2
    assert sample("DELETE/face/:userCode", "curl -X DELETE")["success"] is True


def test_the_full_example(document, desk):
    output = desk.shell(between(document, 'AK="your-access-key"', "에러 처리"))
    registered, verified, deleted = (json.loads(found) for found in re.findall(r'\{"success.*?\}', output))
    assert registered["success"]
    assert verified["matched"]
    assert deleted["success"]


def test_the_javascript_sample_under_node(document, desk):
    node = need_program("node")
    desk.shell(TOKEN + between(document, "BASE64=", "Response", after="POST/face/register"))
    sample = between(document, "const tokenRes", "인증\n")
    prelude = (
        "import {readFileSync} from 'node:fs';\nconst base64String = readFileSync('face.jpg').toString('base64');\n"
    )
    output = desk(node, "--input-type=module", "-", stdin=prelude + desk.supply(sample))
    matched, score = output.split()
    assert matched == "true"
    assert 0.7 <= float(score) <= 1


@pytest.mark.parametrize(
    ("photo", "alert"),
    [
        ("face.jpg", "등록되지 않은 사용자입니다"),
        ("none", "오류: Image cannot be read: the image is empty"),
    ],
)
def test_the_javascript_error_handling_under_node(document, desk, photo, alert):
    node = need_program("node")
    token = desk.shell(TOKEN + "printf %s $TOKEN")
    sample = between(document, "const res = await", "OpenAPI\n", after="에러 핸들링")
    prelude = (
        "import {readFileSync} from 'node:fs';\n"
        f"let token = '{token}'; const getNewToken = async () => token; const alert = console.log;\n"
        f"const image = '{photo}' === 'none' ? '' : readFileSync('{photo}').toString('base64');\n"
    )
    assert desk(node, "--input-type=module", "-", stdin=prelude + desk.supply(sample)).strip() == alert
