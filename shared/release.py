"""Which release of the product this process runs, so that two of them side by side can be told apart.

A constant of the code, not the installed distribution's metadata: what runs is what it says, wherever its files lie.
A test holds it to pyproject.toml.
"""

from __future__ import annotations

RELEASE = "0.1.0"
