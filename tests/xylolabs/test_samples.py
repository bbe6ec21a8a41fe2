"""The document's shell, Python and JavaScript samples run as written, once host, keys and the photo are supplied."""

import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image

from tests.conftest import SPECS, need_program

HOST = "https://face-api.xylolabs.com"
HANGUL = re.compile(r"[가-힣]")
# How a sample's first line begins, by language; C# is read and not run.
STARTS = {
    "shell": re.compile(r"curl "),
    "python": re.compile(r"import requests$"),
    "javascript": re.compile(r"const "),
    "csharp": re.compile(r"using (var|System)"),
}
HEADING = re.compile(r"(GET|POST|PATCH|DELETE) /\S+$|(Python|JavaScript|C#) \(\w+\)$")


class Sample(NamedTuple):
    """One code block, and the heading that it stands under."""

    heading: str
    language: str
    code: str


def samples() -> list[Sample]:
    """All of them that are run; none where the document is not at hand."""
    path = SPECS / "xylolabs-face-api.txt"
    found: list[Sample] = []
    heading, language, lines = "", "", []

    def end() -> None:
        if language and language != "csharp":
            found.append(Sample(heading, language, "\n".join(lines).strip() + "\n"))

    for line in path.read_text("utf-8").splitlines() if path.exists() else []:
        begins = next((name for name, start in STARTS.items() if start.match(line)), "")
        if HEADING.match(line) or HANGUL.search(line) or (begins and begins != language):
            end()
            language, lines = begins, []
            if HEADING.match(line):
                heading = line
        if language:
            lines.append(line)
    end()
    # The document shows some answers as JSON right behind a sample.
    shown = re.compile(r"^\{\n.*?^\}\n", re.MULTILINE | re.DOTALL)
    return [sample._replace(code=shown.sub("", sample.code)) for sample in found]


ALL = samples()


def test_every_sample_of_the_document_is_found(specs: Path):
    counted = {language: sum(sample.language == language for sample in ALL) for language in STARTS}
    text = (specs / "xylolabs-face-api.txt").read_text("utf-8")
    assert counted["shell"] == len(re.findall("^curl ", text, re.MULTILINE)) == 6
    assert counted["python"] == len(re.findall("^import requests$", text, re.MULTILINE)) == 7
    assert counted["javascript"] == len(re.findall("await fetch\\(", text)) == 7


@pytest.fixture
def desk(stack, people, tmp_path, key):
    """A folder with photo.jpg, and a way to run a sample there."""
    shutil.copy(people / "obama" / "obama.jpg", tmp_path / "photo.jpg")
    password = stack.demo["ADMIN_PASSWORD"]
    supplied = {
        HOST: stack.base_url,
        "xyl_your_api_key_here": key[1],
        '"secret"': f'"{password}"',
        "admin:password": f"admin:{password}",
        'BasicAuth("admin", "password")': f'BasicAuth("admin", "{password}")',
    }

    def supply(code: str) -> str:
        for name, value in supplied.items():
            code = code.replace(name, value)
        return code

    def run(*command: str, stdin: str = "") -> str:
        done = subprocess.run(
            command, cwd=tmp_path, input=stdin, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def perform(sample: Sample) -> str:
        code = supply(sample.code)
        if sample.language == "shell":
            return run(need_program("bash"), "-c", code)
        if sample.language == "python":
            return run(sys.executable, "-W", "ignore::ResourceWarning", "-c", code)
        prelude = (
            "import {readFileSync, writeFileSync} from 'node:fs';\n"
            "const fileInput = {files: [new Blob([readFileSync('photo.jpg')])]};\n"
        )
        # What a page would show of a picture.
        epilogue = "writeFileSync('masked', Buffer.from(await blob.arrayBuffer()));\n" if "blob" in code else ""
        return run(need_program("node"), "--input-type=module", "-", stdin=prelude + code + epilogue)

    perform.folder = tmp_path
    return perform


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: f"{sample.heading} {sample.language}")
def test_a_sample(desk, sample):
    if sample.heading.endswith("/logout") and sample.language == "shell":
        desk(next(one for one in ALL if one.heading.endswith("/login") and one.language == "shell"))
    output = desk(sample)
    if sample.heading == "GET /health":
        assert re.search(r"""["']?status["']?: ?["']ok["']""", output)
    elif "/api/v1/mask" in sample.code:
        (made,) = [path for path in desk.folder.iterdir() if path.name.startswith("masked")]
        with Image.open(io.BytesIO(made.read_bytes())) as image:
            assert image.format == ("WEBP" if "format=webp" in sample.code else "JPEG")
    elif "/api/v1/detect" in sample.code:
        assert output.strip() == "1" or re.search(r"face_count[\"']?: ?1", output)
    elif sample.heading.endswith("/session"):
        assert re.search(r"authenticated[\"']?: ?[Tt]rue", output)
        assert re.search(r"username[\"']?: ?[\"']admin", output)
    else:  # login and logout
        assert "204" in output
        if sample.heading.endswith("/login") and sample.language == "shell":
            assert "set-cookie" in output.lower()
            assert (desk.folder / "cookies.txt").read_text()


def test_the_documents_answers_are_json_as_it_shows_them(specs: Path):
    """The blocks that the other tests compare with can be read."""
    text = (specs / "xylolabs-face-api.txt").read_text("utf-8")
    blocks = [json.loads(block) for block in re.findall(r"^\{\n.*?^\}", text, re.MULTILINE | re.DOTALL)]
    assert any("profiling" in block for block in blocks)
