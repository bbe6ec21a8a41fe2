"""Migrations leave the previous version able to go on: nothing that it reads or writes is taken away.

squawk finds what would. A change of two steps takes its second one a release later, when nothing that runs needs the
old way any more; it says so in the file: `-- squawk-ignore ban-drop-column` in the line before.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from shared.db.migrate import FOLDER

SQUAWK = Path(sys.executable).with_name("squawk")
# Of squawk's rules those that tell of a version that cannot go on; the others are about locks and taste.
INCOMPATIBLE = frozenset(
    {
        "adding-not-nullable-field",
        "adding-required-field",
        "ban-drop-column",
        "ban-drop-database",
        "ban-drop-table",
        "changing-column-type",
        "renaming-column",
        "renaming-table",
        "syntax-error",
    }
)


def incompatible(sql: str) -> set[str]:
    """Why the previous version could not go on after this migration."""
    command = [SQUAWK, "--reporter", "json", "--pg-version", "15", "--assume-in-transaction"]
    done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
    return {found["rule_name"] for found in json.loads(done.stdout)} & INCOMPATIBLE


@pytest.mark.parametrize("migration", sorted(FOLDER.glob("*.sql")), ids=lambda path: path.stem)
def test_the_previous_version_goes_on_after(migration: Path):
    assert incompatible(migration.read_text("utf-8")) == set()


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("ALTER TABLE users DROP COLUMN name;", "ban-drop-column"),
        ("ALTER TABLE users RENAME COLUMN name TO called;", "renaming-column"),
        ("ALTER TABLE users RENAME TO people;", "renaming-table"),
        ("DROP TABLE admin_sessions;", "ban-drop-table"),
        ("ALTER TABLE users ADD COLUMN age integer NOT NULL;", "adding-required-field"),
        ("ALTER TABLE users ALTER COLUMN name SET NOT NULL;", "adding-not-nullable-field"),
        ("ALTER TABLE users ALTER COLUMN name TYPE integer USING 1;", "changing-column-type"),
        ("ALTER TABLE users GARBLE;", "syntax-error"),
    ],
)
def test_it_is_noticed_when_one_would_not_let_it(sql: str, rule: str):
    assert rule in incompatible(sql)


def test_a_second_step_says_so_in_the_file():
    second = "-- squawk-ignore ban-drop-column\nALTER TABLE users DROP COLUMN name;"
    assert incompatible(second) == set()
    assert incompatible("ALTER TABLE users ADD COLUMN age integer;") == set()


def test_the_release_that_runs_is_the_one_of_the_package():
    import tomllib

    from shared.release import RELEASE

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["version"] == RELEASE
