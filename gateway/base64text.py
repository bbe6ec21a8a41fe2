"""Base64 as clients write it, and what is wrong with it where it is not.

    taken       the standard alphabet and the URL-safe one (RFC 4648, sections 4 and 5), with or without padding
                (section 3.2), with whitespace anywhere, behind a `data:` prefix (RFC 2397)
    refused     anything else, with words that say what was found and where

Clean text is decoded at once. Whatever else comes is looked at in passes of C, each linear in its length, so that 15 MB
of oddities hold the event loop for some hundredths of a second and not for seconds.
"""

from __future__ import annotations

import binascii
import re
from contextlib import suppress

import pybase64

# A scheme has no case (RFC 3986, 3.1).
_DATA_PREFIX = re.compile(r"\s*data:[^,]{0,128},", re.IGNORECASE)
MOST_PADDING = 2
_WHITESPACE = b" \t\r\n\f\v"
_STANDARD = bytes.maketrans(b"-_", b"+/")
_FOREIGN = re.compile(rb"[^A-Za-z0-9+/]")


class Base64Error(ValueError):
    """The text is not base64; the message says what is wrong, in words that a caller may be told."""


def decode_base64(text: str) -> bytes:
    """The bytes that `text` stands for. Raises Base64Error."""
    start = prefix.end() if (prefix := _DATA_PREFIX.match(text)) is not None else 0
    body = text[start:] if start else text
    try:
        # Strictly first, which is several times faster.
        return pybase64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        return _leniently(body, start)


def _leniently(body: str, start: int) -> bytes:
    try:
        raw = body.encode("ascii")
    except UnicodeEncodeError as error:
        raise Base64Error(f"it has a character that is not ASCII, at position {start + error.start + 1}") from None
    # Taking whitespace out costs most, so that is done only where there is some.
    for packed in (raw.translate(_STANDARD), raw.translate(_STANDARD, delete=_WHITESPACE)):
        digits = packed.rstrip(b"=")
        if len(digits) % 4 != 1 and len(packed) - len(digits) <= MOST_PADDING:
            with suppress(binascii.Error, ValueError):
                return pybase64.b64decode(digits + b"=" * (-len(digits) % 4), validate=True)
    if (foreign := _FOREIGN.search(digits)) is not None:
        raise Base64Error(_complaint(raw, digits, foreign, start))
    raise Base64Error("it ends in the middle of a byte; was it cut off?")


def _complaint(raw: bytes, digits: bytes, foreign: re.Match[bytes], start: int) -> str:
    """Describe the first character outside base64's alphabet; `raw` has the whitespace, too."""
    character = foreign[0]
    # Its place in what was sent: the first of its kind there, since none came before it.
    position = start + raw.index(character) + 1
    if character == b"%":
        return f"it is percent-encoded, at position {position}; send it as it is"
    if character == b"=":
        return f"it goes on after its padding, at position {position}; is it more than one text?"
    if b"," in digits[:256] and b"base64" in digits[:256]:
        return "it has a prefix that does not begin with data:"
    if digits.startswith((b"b'", b'b"')):
        return "it is written as a Python bytes literal, b'…'; decode it to text first"
    if character in b"\"'":
        return f"it has a quotation mark, at position {position}"
    return f"it has a character that base64 does not have, at position {position}"
