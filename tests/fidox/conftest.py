"""Pictures that are made, not found."""

import base64
import io

import pytest
from PIL import Image, ImageFilter


def encoded(image: Image.Image, kind: str = "JPEG", **options) -> str:
    """A picture as base64."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture(scope="session")
def grey() -> str:
    """A picture of nothing."""
    return encoded(Image.new("RGB", (320, 240), (120, 120, 120)))


@pytest.fixture(scope="session")
def face(people) -> Image.Image:
    """A good picture of one person, opened."""
    with Image.open(people / "obama" / "obama.jpg") as image:
        return image.convert("RGB")


@pytest.fixture(scope="session")
def blurred(face: Image.Image) -> str:
    """A face that can be found and not be recognised."""
    return encoded(face.filter(ImageFilter.GaussianBlur(max(face.size) / 100)))
