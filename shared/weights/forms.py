"""Forms: what a network is given and how its answer is read, for networks that the code does not know by name.

    kind          role                                   what the form says
    classifier    liveness.photo*, liveness.deepfake     what part of the picture, its pixels, which output is "genuine"
    recogniser    face.recogniser                        side and landmarks of the aligned face, its pixels, dimension
    detector      face.detector                          whose outputs it has: SCRFD's or YuNet's

A manifest's entry holds one as `[weight.form]` with its `kind`. Docs/weights.md has an example of each.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

# A channel's number for each of the three, in the order in which the network takes them.
Channels: TypeAlias = tuple[float, float, float]
Side = Annotated[int, Meta(ge=16, le=1024)]

# Where a crop leaves the picture: the outermost pixels go on; the crop is moved, and shrunk where it is too large, into
# the picture; or it is black there.
Edge: TypeAlias = Literal["repeat", "move", "black"]

# ArcFace's five landmarks at 112 pixels, which most recognisers of today are trained on.
ARCFACE = "arcface"
LANDMARKS = 5


class Classifier(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="classifier"
):
    """A network that says how likely one face, or the whole picture, is to be genuine.

    It takes float32[1, 3, side, side], (pixel - mean) / spread of 0..255. With `crop` it is shown so many times the
    face's box, stretched to the square, or with `square` its longer side both ways; once for each of `edges`, and the
    answers count alike. Without `crop` it is shown the picture, its shorter side resized to `resize` and the middle cut
    out. `answer` is what comes out: `logits` or `probabilities` of the classes, of which `genuine` is one; or `logit`,
    one number that says "forged" where it is positive, and "genuine" where `genuine` is 1.
    """

    side: Side
    crop: Annotated[float, Meta(ge=0.5, le=8)] | None = None
    square: bool = False
    edges: tuple[Edge, ...] = ("repeat",)
    resize: Side | None = None
    rgb: bool = True
    mean: Channels = (0.0, 0.0, 0.0)
    spread: Channels = (1.0, 1.0, 1.0)
    answer: Literal["logits", "probabilities", "logit"]
    genuine: Annotated[int, Meta(ge=0, le=999)] = 0

    def __post_init__(self) -> None:
        if (self.crop is None) == (self.resize is None):
            raise ValueError("form: expected either crop (of the face's box) or resize (of the whole picture)")
        if self.resize is not None and self.resize < self.side:
            raise ValueError(f"form: resize is at least side, which is {self.side}; got {self.resize}")
        if not self.edges or len(set(self.edges)) < len(self.edges):
            raise ValueError("form: edges names at least one way, and each once")
        if self.answer == "logit" and self.genuine > 1:
            raise ValueError('form: with answer = "logit" genuine is 0 (positive means forged) or 1')
        _check_spread(self.spread)


class Recogniser(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="recogniser"
):
    """A network that turns an aligned face, float32[N, 3, side, side], into an embedding of `dimension` numbers.

    `landmarks` are the places of the eyes, the nose and the corners of the mouth in the aligned face, as shares of its
    side (left to right as seen), or `arcface`. `calibration` is the file that `fidox calibrate --out` wrote, beside the
    manifest.
    """

    side: Side
    landmarks: Literal["arcface"] | tuple[tuple[float, float], ...] = ARCFACE
    rgb: bool = True
    mean: float = 127.5
    spread: float = 127.5
    dimension: Annotated[int, Meta(ge=16, le=4096)]
    calibration: str | None = None

    def __post_init__(self) -> None:
        if self.landmarks != ARCFACE and (
            len(self.landmarks) != LANDMARKS or not all(0 <= share <= 1 for place in self.landmarks for share in place)
        ):
            raise ValueError(f'form: landmarks is "{ARCFACE}" or five pairs [x, y] of shares, 0 to 1, of the side')
        _check_spread((self.spread,))


class Detector(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="detector"):
    """A network that finds faces, with the inputs and outputs of SCRFD (with landmarks) or YuNet."""

    outputs: Literal["scrfd", "yunet"]


Form: TypeAlias = Classifier | Recogniser | Detector

# What an operator's own manifest may bring; the product's own has further roles, whose networks the code knows.
OF_ROLE: dict[str, type[Form]] = {
    "face.detector": Detector,
    "face.recogniser": Recogniser,
    "liveness.photo": Classifier,
    "liveness.deepfake": Classifier,
}


def _check_spread(spread: tuple[float, ...]) -> None:
    if min(spread) <= 0:
        raise ValueError("form: spread is what pixels are divided by, so above 0")
