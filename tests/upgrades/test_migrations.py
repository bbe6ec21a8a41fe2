"""Migrations leave the previous version able to go on: nothing that it reads or writes is taken away or locked.

squawk finds what would; for locks it is asked about the migrations after FREE. A change of two steps takes its second
one a release later, when nothing that runs needs the old way any more; it says so in the file: `-- squawk-ignore
ban-drop-column` in the line before.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from shared.db.migrate import FOLDER, NO_TRANSACTION

SQUAWK = Path(sys.executable).with_name("squawk")
# Of squawk's rules those that tell of a version that cannot go on; and those that tell of calls that cannot, because a
# table is rewritten, read through or indexed under a lock. The others are about taste, and about time-outs, which
# shared/db/migrate.py sets.
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
LOCKING = frozenset(
    {
        "adding-field-with-default",
        "adding-foreign-key-constraint",
        "adding-serial-primary-key-field",
        "ban-concurrent-index-creation-in-transaction",
        "constraint-missing-not-valid",
        "disallowed-unique-constraint",
        "require-concurrent-index-creation",
        "require-concurrent-index-deletion",
        "require-concurrent-partition-detach",
        "require-concurrent-reindex",
    }
)
# The last one of before the rule: what was applied is never changed.
FREE = "0005"


def found(sql: str) -> set[str]:
    """All that squawk says."""
    command = [SQUAWK, "--reporter", "json", "--pg-version", "15"]
    if not sql.startswith(NO_TRANSACTION):
        command.append("--assume-in-transaction")
        sql += "\nSELECT 1;"  # a file of one statement counts as none to squawk, and migrate.py adds one
    done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
    return {each["rule_name"] for each in json.loads(done.stdout)}


def incompatible(sql: str) -> set[str]:
    """Why the previous version could not go on after this migration."""
    return found(sql) & INCOMPATIBLE


def locking(sql: str) -> set[str]:
    """Why calls could not go on during this migration."""
    return found(sql) & LOCKING


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


@pytest.mark.parametrize(
    "migration", [path for path in sorted(FOLDER.glob("*.sql")) if path.stem[:4] > FREE], ids=lambda path: path.stem
)
def test_calls_go_on_during(migration: Path):
    assert locking(migration.read_text("utf-8")) == set()


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("CREATE INDEX users_named ON users (name);", "require-concurrent-index-creation"),
        ("CREATE INDEX CONCURRENTLY users_named ON users (name);", "ban-concurrent-index-creation-in-transaction"),
        ("ALTER TABLE users ADD CONSTRAINT named CHECK (name <> '');", "constraint-missing-not-valid"),
        ("ALTER TABLE users ADD COLUMN age bigint DEFAULT random();", "adding-field-with-default"),
    ],
)
def test_it_is_noticed_when_they_would_not(sql: str, rule: str):
    assert rule in locking(sql)
    assert locking(f"{NO_TRANSACTION}\nCREATE INDEX CONCURRENTLY IF NOT EXISTS named ON users (name);") == set()


def test_a_second_step_says_so_in_the_file():
    second = "-- squawk-ignore ban-drop-column\nALTER TABLE users DROP COLUMN name;"
    assert incompatible(second) == set()
    assert incompatible("ALTER TABLE users ADD COLUMN age integer;") == set()


def test_the_release_that_runs_is_the_one_of_the_package():
    import tomllib

    from shared.release import RELEASE

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["version"] == RELEASE
