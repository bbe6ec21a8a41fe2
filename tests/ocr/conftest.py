"""The stack's own OCR worker, and specimens."""

from functools import cache
from pathlib import Path

import pytest

from shared.contracts import IdType
from tests.conftest import SHARED, need
from tests.specimens import Kind, Specimen, fonts, specimen
from tests.support import ocr


@pytest.fixture(scope="session")
def specimens():
    """Drawn cards, each made once: specimens(7, IdType.DRIVER, "photo")."""
    if absent := fonts.missing():
        pytest.skip(f"needs the fonts of {', '.join(absent)}; deploy/test-setup.sh installs them where it may")

    @cache
    def one(seed: int, id_type: IdType, kind: Kind = "flat") -> Specimen:
        return specimen(seed, id_type, kind)

    return one


@pytest.fixture(scope="session")
def korean() -> None:
    """Weights for Hangul, which no package carries."""
    need(SHARED / "models" / "ocr")


@pytest.fixture(scope="session")
def read_all(stack, korean):
    """What the stack's worker says of pictures: read_all([data, …], reveal=True)."""
    return lambda images, **asked: ocr.read_all(stack.redis_url, images, **asked)


@pytest.fixture(scope="session")
def read(read_all):
    """The same of one picture."""
    return lambda image, **asked: read_all([image], **asked)[0]


@pytest.fixture(scope="session")
def mrz_samples() -> Path:
    return need(SHARED / "testdata" / "mrz")
