"""An answer for paddlex, which asks for a distribution that is not installed.

paddlex asks `importlib.metadata` for the distribution `opencv-contrib-python` before it uses `cv2`, and refuses to read
an image without it. That distribution and `opencv-python-headless`, which this product has, own the same module `cv2`,
so only one of them can be installed, and the contrib one needs libGL, which servers lack. Nothing that text lines take
is in the contrib modules. So the one that is there answers for the other: a finder on `sys.meta_path`, which is how
`importlib.metadata` lets itself be told of distributions, gives the missing name the headless one's version.
"""

from __future__ import annotations

import sys
from importlib import metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import DistributionFinder
    from os import PathLike
    from pathlib import Path

ASKED = "opencv-contrib-python"
THERE = "opencv-python-headless"


class _Alias(metadata.Distribution):
    """The headless distribution under the other name."""

    def read_text(self, filename: str) -> str | None:
        if filename != "METADATA":
            return None
        return f"Metadata-Version: 2.1\nName: {ASKED}\nVersion: {metadata.version(THERE)}\n"

    def locate_file(self, path: str | PathLike[str]) -> Path:
        raise FileNotFoundError(path)


class _Finder(metadata.DistributionFinder):
    """Knows one distribution, and no module."""

    def find_spec(self, *_: object) -> None:
        """No module is found here."""

    def find_distributions(self, context: DistributionFinder.Context | None = None) -> Iterable[metadata.Distribution]:
        return [_Alias()] if context is not None and context.name == ASKED else []


def answer_for_the_other() -> None:
    """Let `importlib.metadata` find the missing name, if it cannot. Call it before paddleocr is imported."""
    try:
        metadata.version(ASKED)
    except metadata.PackageNotFoundError:
        sys.meta_path.append(_Finder())
