"""The command line's front: its groups, and the one place where an error becomes a line and an exit status."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import psycopg
import typer
from redis.exceptions import RedisError

from deploy.cli import admins, api_keys, backup, calibrate, common, doctor, faces, keys, queue, tenants, weights
from deploy.local.errors import LocalError
from shared.db.migrate import MigrationError
from shared.db.pool import StoreUnavailableError
from shared.settings import SettingsError
from shared.weights import WeightsError

app = typer.Typer(
    name="fidox",
    help="Run and look after FIDOX: face recognition behind one HTTP gateway.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(tenants.app, name="tenants")
app.add_typer(keys.app, name="keys")
app.add_typer(api_keys.app, name="api-keys")
app.add_typer(admins.app, name="admins")
app.add_typer(weights.app, name="weights")
app.add_typer(faces.app, name="faces")
app.add_typer(queue.app, name="queue")
app.command("doctor")(doctor.doctor)
app.command("calibrate")(calibrate.calibrate)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)


@app.command()
def up(as_json: common.Json = False) -> None:
    """Start everything on this machine, and stop it with Ctrl-C.

    PostgreSQL and Redis are embedded under .local/ unless DATABASE_URL and REDIS_URL name others; PORT is where the
    gateway listens.
    """
    from deploy.local.up import up as run

    run(as_json=as_json)


@app.command()
def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit status 1 where a migration is still to be applied.")
    ] = False,
    as_json: common.Json = False,
) -> None:
    """Bring the database to this version's tables. Safe to run again, and from several machines at once."""
    import asyncio

    from shared.db.migrate import compare
    from shared.db.migrate import migrate as apply

    if check:
        missing = asyncio.run(compare(common.direct_database_url())).pending
        common.show(
            {"pending": missing}, "\n".join(f"pending {name}" for name in missing) or "nothing to do", as_json=as_json
        )
        raise typer.Exit(1 if missing else 0)
    done = asyncio.run(apply(common.direct_database_url()))
    common.show({"applied": done}, "\n".join(f"applied {name}" for name in done) or "nothing to do", as_json=as_json)


def main() -> None:
    """Run a command; what goes wrong in an expected way is one line and exit status 1."""
    # They warn of each attempt; what they have to say comes back as an error, which is one line below.
    for name in ("psycopg.pool", "shared.db.pool"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        app()
    except StoreUnavailableError as error:
        _fail(f"the database does not answer ({error}); is DATABASE_URL right, or `fidox up` running?")
    except psycopg.OperationalError as error:
        _fail(f"the database does not answer: {' '.join(str(error).split())}")
    except psycopg.errors.UndefinedTable:
        _fail("the database has no tables yet; run `fidox migrate`")
    except (common.CommandError, LocalError, WeightsError, SettingsError, MigrationError, RedisError) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(message: str) -> None:
    # A failed start ends with the tail of a log, which keeps its lines; everything else is one.
    sys.stderr.write(f"fidox: {message.strip()}\n")
    sys.exit(1)
