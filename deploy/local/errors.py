"""Why the runner does not start. Each message says what to do about it.

LocalError
├── AlreadyRunningError   another `fidox up` has this folder
├── PortTakenError        something else listens on PORT
└── StartError            a child did not become ready; the message ends with the tail of its log
"""

from __future__ import annotations


class LocalError(Exception):
    """The root: one clear line (or a log's tail) for the console, never a traceback."""


class AlreadyRunningError(LocalError):
    """Another `fidox up` has this folder."""


class PortTakenError(LocalError):
    """Something else listens on PORT."""


class StartError(LocalError):
    """A child did not become ready."""
