"""Does a file reach its picture's end? OpenCV returns half a picture without a word.

    PNG     an IEND chunk (ISO/IEC 15948, 5.6)
    WebP    as many bytes as RIFF's own length
    JPEG    an end-of-image marker behind its own last scan (ITU-T T.81, annex B); or, where a camera left it out, every
            block of the picture (`_has_every_block`)

Bytes behind the end are no harm: phones append previews and videos.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What ends a run of entropy-coded data: in it an FF is followed by 00 or by a restart marker; 01 has no segment either.
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
_END_OF_IMAGE = 0xD9
_START_OF_SCAN = 0xDA
_SEQUENTIAL = (0xC0, 0xC1)  # start of frame, Huffman-coded in one pass
_MAX_SEGMENTS = 4096  # 83 photos have 6 to 24; 10 MB of a colour profile and notes have 160
END = b"\xff\xd9"
# More than a block of 8 x 8 can take, in bytes that begin no marker.
_TAIL = bytes(np.random.default_rng(0).integers(0, 255, 512, dtype=np.uint8))


def is_whole(data: bytes) -> bool:
    """Tell whether the file reaches the end of its picture. What is no picture passes."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg_is_whole(data)
    if data.startswith(b"\x89PNG"):
        return b"IEND" in data
    return not data.startswith(b"RIFF") or len(data) >= int.from_bytes(data[4:8], "little") + 8


def ended(data: bytes) -> bytes:
    """Return the file with an end-of-image marker where a JPEG has none at its end: OpenCV waits for it."""
    return data + END if data.startswith(b"\xff\xd8") and not data.endswith(END) else data


def _jpeg_is_whole(data: bytes) -> bool:
    """Walk from segment to segment.

    Neither the first nor the last end-of-image marker in the file is the picture's: an EXIF thumbnail inside a segment
    has one, and among the bytes of an appended film any two may be met, in any order.
    """
    position, components, in_one_scan = 2, 0, False
    for _ in range(_MAX_SEGMENTS):
        marker = _MARKER.search(data, position)
        if marker is None:
            break
        position, kind = marker.end(), marker[1][0]
        if kind == _END_OF_IMAGE:
            return True
        if kind in _SEQUENTIAL:
            components = int.from_bytes(data[position + 7 : position + 8])
        elif kind == _START_OF_SCAN and components and not in_one_scan:
            in_one_scan = int.from_bytes(data[position + 2 : position + 3]) == components
        position += int.from_bytes(data[position : position + 2])
    return in_one_scan and _has_every_block(data)


def _has_every_block(data: bytes) -> bool:
    """Is the decoder done with the picture before the file ends?

    Then it makes no difference what follows. Where blocks are missing they are made of what follows, and differ. Only
    for a picture in one scan: of several the last ones may be missing as a whole, and nothing would differ.
    """
    one, other = _blocks(data + END), _blocks(data + _TAIL + END)
    return one is not None and other is not None and bool(np.array_equal(one, other))


def _blocks(data: bytes) -> NDArray[np.uint8] | None:
    """One pixel a block, which takes reading every bit but no transform."""
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
    except cv2.error:
        return None
    return cast("NDArray[np.uint8] | None", decoded)
