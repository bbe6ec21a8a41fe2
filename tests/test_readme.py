"""The tables of the documents say what the code says."""

import re
from pathlib import Path

from gateway.dialects.fidox.errors import CODES
from gateway.dialects.v1 import errors as v1
from gateway.dialects.xylolabs.errors import ROWS
from shared.settings import variables

ROOT = Path(__file__).parents[1]


def cell(value: object) -> str:
    """A default as the README shows it."""
    if isinstance(value, tuple):
        value = ",".join(value)
    if isinstance(value, bool):
        value = str(value).lower()
    text = str(value).replace(str(Path.home()), "~")
    return f"`{text}`" if text else ""


def settings_table() -> str:
    """Every variable, its default, and what it is for."""
    lines = ["| variable | default | |", "| --- | --- | --- |"]
    lines += [f"| `{v.name}` | {cell(v.default)} | {v.help_text.replace('|', chr(92) + '|')} |" for v in variables()]
    return "\n".join(lines)


def test_the_readme_lists_every_setting_with_its_default():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert settings_table() in readme, f"put this table into README.md:\n{settings_table()}"


def test_the_root_apis_page_lists_every_error_code_with_its_status():
    page = (ROOT / "docs" / "root-api.md").read_text("utf-8")
    listed = {
        (code, int(status)) for code, status in re.findall(r"^\| ([A-Z]+\d{3}) \| (\d{3}) \|", page, re.MULTILINE)
    }
    assert listed == {(row.code, row.status) for row in CODES.values()}


def test_v1s_page_lists_every_code_with_its_status_and_message():
    page = (ROOT / "docs" / "v1-api.md").read_text("utf-8")
    listed = {
        (code, int(status), message)
        for code, status, message in re.findall(r"^\| ([0-9A-F]{5}) \| (\d{3}) \| ([^|]+) \|", page, re.MULTILINE)
    }
    rows = {*v1.CODES.values(), *v1.OF_OPERATION.values()}
    assert listed == {(row.code, row.status, row.message) for row in rows}


def test_the_xylolabs_apis_page_lists_every_status():
    page = (ROOT / "docs" / "xylolabs-api.md").read_text("utf-8")
    listed = [int(status) for status in re.findall(r"^\| (\d{3}) \|", page, re.MULTILINE)]
    assert listed == sorted({row.status for row in ROWS.values()})


def test_no_file_of_the_documents_links_to_nothing():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
