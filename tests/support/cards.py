"""Specimens as a caller sends them; a test that needs them is skipped by name where their fonts are missing."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from tests.specimens import Specimen, specimen
from tests.specimens.fonts import FontsMissingError

if TYPE_CHECKING:
    from shared.contracts import IdType


def card(seed: int, id_type: IdType, kind: str = "flat") -> Specimen:
    try:
        return specimen(seed, id_type, kind)
    except FontsMissingError as error:
        pytest.skip(str(error))


def as_base64(shown: Specimen) -> str:
    return base64.b64encode(shown.jpeg).decode()
