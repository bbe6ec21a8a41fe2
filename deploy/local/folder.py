"""What lies where in `.local/`, and who may reach it.

    secrets.env, demo.env   0600   generated once
    postgres/               0700   the database's files, the database user's when the runner is root
    storage/                0700   pictures that are kept, where no other place is set for them
    logs/NAME.log           0700   one a child; the previous three starts' beside it
    run/                    0711   lock, pid files, urls.env, sockets: nothing that must survive

The folder is 0700; as root it is 0711, because PostgreSQL refuses to run as root and its own user must pass through
to `postgres/` and the socket, and sees nothing else.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from deploy.local.errors import LocalError

CHECKOUT = Path(__file__).parents[2]
DEFAULT_ROOT = CHECKOUT / ".local"

# A Unix socket's path has room for 107 bytes on Linux and 103 elsewhere.
MOST_SOCKET_PATH = 100
_LONGEST_SOCKET = "pg/.s.PGSQL.5432"


def running_as_root() -> bool:
    """PostgreSQL then needs a user of its own."""
    return os.geteuid() == 0


class Folder:
    """The paths, and their creation. Building one touches nothing; `prepare` does."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.secrets = self.root / "secrets.env"
        self.demo = self.root / "demo.env"
        self.postgres = self.root / "postgres"
        self.storage = self.root / "storage"
        self.logs = self.root / "logs"
        self.run = self.root / "run"
        self.lock = self.run / "up.lock"
        self.urls = self.run / "urls.env"
        self.sockets = self._sockets()

    def prepare(self) -> None:
        """Create the folders with their modes. Raises LocalError where another user owns them."""
        passable = 0o711 if running_as_root() else 0o700
        for folder, mode in ((self.root, passable), (self.run, passable), (self.logs, 0o700)):
            _make(folder, mode)
        _make(self.sockets, passable)

    def _sockets(self) -> Path:
        folder = self.run / "sockets"
        if len(os.fsencode(folder / _LONGEST_SOCKET)) <= MOST_SOCKET_PATH:
            return folder
        # The same folder gets the same sockets each time, so that a leftover of an earlier start is met again.
        name = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:10]
        return Path(tempfile.gettempdir()) / f"fidox-{os.geteuid()}-{name}"


def _make(folder: Path, mode: int) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
        # Matters most below /tmp: a folder or link that another user laid there first is not trusted with sockets.
        if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
            raise LocalError(f"{folder} belongs to another user; remove it, or run as its owner")
        folder.chmod(mode)
    except OSError as error:
        raise LocalError(f"{folder} cannot be made: {error.strerror}") from error
