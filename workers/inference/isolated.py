"""An object in a process of its own, which its worker talks to through a socket pair.

For what holds Python's interpreter lock: in the worker's own process it would stop the event loop, which has leases to
renew. It also ends what hangs: a call that takes too long ends the child, and the next one starts another.

The child is `python -m workers.inference.isolated SOCKET MODULE:CLASS ARGUMENT…`. It ends when its worker does, however
that ends: the socket's other side is gone then. Messages are pickles, between a process and the child that it started
itself, over a socket that nobody else has.
"""

from __future__ import annotations

import importlib
import signal
import socket
import struct
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

# A cold start of the child, with its weights read from a slow disk by a machine that is busy.
START_S = 120.0
CALL_S = 5.0
# One write of a message; a child that lives reads at once.
SEND_S = 1


class IsolatedProcessError(Exception):
    """The child died, hung, or what it holds raised."""


class IsolatedProcess:
    """One object, made by `factory` ("module:class") from `arguments`. One call at a time; others wait for it.

    The arguments stand in the table of processes, where every user of the machine can read them.
    """

    def __init__(self, factory: str, arguments: Sequence[str] = (), *, call_s: float = CALL_S) -> None:
        self._command = [factory, *arguments]
        self._call_s = call_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    def attributes(self, *names: str) -> tuple[Any, ...]:
        """The object's attributes, as copies. Raises IsolatedProcessError."""
        return cast("tuple[Any, ...]", self._ask(("attributes", *names)))

    def call(self, method: str, *arguments: Any) -> Any:
        """What `method` of the object returns, as a copy. Raises IsolatedProcessError."""
        return self._ask(("call", method, *arguments))

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end()

    def _ask(self, message: tuple[Any, ...]) -> Any:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._start()
                    # It reads nothing while it starts, and a picture is larger than the socket's buffer; this is not.
                    self._exchange(self._connection, ("attributes",), START_S)
                failure, value = self._exchange(self._connection, message, self._call_s)
            except (OSError, EOFError, IsolatedProcessError) as error:
                self._end()
                raise IsolatedProcessError(str(error) or "its process died") from error
        if failure is not None:
            raise IsolatedProcessError(failure)
        return value

    @staticmethod
    def _exchange(connection: Connection, message: tuple[Any, ...], patience_s: float) -> tuple[str | None, Any]:
        connection.send(message)
        if not connection.poll(patience_s):
            raise IsolatedProcessError(f"no answer within {patience_s:.0f} s")
        return cast("tuple[str | None, Any]", connection.recv())

    def _start(self) -> Connection:
        ours, theirs = socket.socketpair()
        # A child that hangs reads nothing, and a picture is larger than the socket's buffer: sending must end, too.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_S, 0))
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno()), *self._command],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
            )
        return Connection(ours.detach())

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def serve(connection: Connection, held: Any) -> None:
    """Answer calls until the other side is gone. What `held` raises goes back as text: it is for a log."""
    while True:
        try:
            kind, *rest = connection.recv()
        except (EOFError, OSError):
            return
        try:
            if kind == "attributes":
                value = tuple(getattr(held, name) for name in rest)
            else:
                value = getattr(held, rest[0])(*rest[1:])
        except Exception as error:  # noqa: BLE001 — the process's edge
            connection.send((f"{type(error).__name__}: {error}", None))
        else:
            connection.send((None, value))


def main() -> None:
    """Be the child."""
    # A Ctrl-C at a terminal reaches the whole group; the worker still has jobs to finish with this child.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    connection = Connection(int(sys.argv[1]))
    module, _, name = sys.argv[2].partition(":")
    factory = getattr(importlib.import_module(module), name)
    serve(connection, factory(*sys.argv[3:]))


if __name__ == "__main__":
    main()
