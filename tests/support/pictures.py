"""Pictures that are made, not found."""

import base64
import io

from PIL import Image


def encoded(image: Image.Image, kind: str = "JPEG", **options) -> str:
    """A picture as base64."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return base64.b64encode(buffer.getvalue()).decode()
