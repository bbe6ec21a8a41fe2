"""Which text is taken, wherever it comes in: JSON, a query, a path, a form.

A control character has no place in a name, a code or a key. PostgreSQL takes no NUL at all, a log or a terminal would
act on others, and nobody can see any of them. So one rule stands for every input: as a pattern where a schema says it,
as a function where a value is read by hand. Passwords alone are taken as they are; they are hashed, and never shown.
"""

from __future__ import annotations

import re

# The control characters of Unicode (category Cc): C0, DEL and C1.
_CONTROLS = r"\x00-\x1f\x7f-\x9f"
# A lookahead: `$` would let a line break at the end through.
NO_CONTROLS = rf"^(?![\s\S]*[{_CONTROLS}])"
CONTROLS_REFUSED = "control characters are not allowed"

_ANY = re.compile(f"[{_CONTROLS}]")


def has_controls(text: str) -> bool:
    """Is there a control character in it?"""
    return _ANY.search(text) is not None


def without_controls(text: str) -> str:
    """The text with U+FFFD for each of them, which is what stands for a byte that is no UTF-8, too."""
    return _ANY.sub("\ufffd", text)
