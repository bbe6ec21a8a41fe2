"""Fields that more than one dialect has, with their bounds."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from gateway.text import NO_CONTROLS

UserCode = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        pattern=NO_CONTROLS,
        description="The user's unique code, such as an employee or member number",
    ),
]
AccessKey = Annotated[str, Meta(max_length=256, pattern=NO_CONTROLS, description="API access key")]
SecretKey = Annotated[str, Meta(max_length=256, pattern=NO_CONTROLS, description="API secret key")]
Score = Annotated[float, Meta(ge=0, le=1, description="Similarity; the higher, the more alike")]
Threshold = Annotated[float, Meta(ge=0, le=1, description="The score from which it is a match")]
