"""Become another program that ends when the runner does, however the runner ends.

    python tether.py RUNNER_PID SIGNAL USER|- PROGRAM [ARGUMENT …]

A child of its own rather than a `preexec_fn`: the runner has threads, and Python code between fork and exec is not
safe beside them. It imports next to nothing (about 15 ms). The kernel forgets a parent-death signal when the user
changes, so that comes first. Without prctl (macOS) a killed runner's children stay until the next start finds them.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(runner: int, number: int, user: str, program: list[str]) -> None:
    """Drop to `user`, tie the process to `runner`, and exec."""
    if user != "-":
        import pwd  # noqa: PLC0415 — only where it is needed: every child passes through here

        entry = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
        os.environ.update(HOME=entry.pw_dir, USER=user, LOGNAME=user)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != runner:
        sys.exit("the runner ended before its child began")
    try:
        os.execvp(program[0], program)  # noqa: S606 — no shell is wanted
    except OSError as error:
        sys.exit(f"{program[0]} cannot be run: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
