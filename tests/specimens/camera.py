"""From a drawn card to the picture a user sends: a flat scan, or a photo taken by hand.

Both give the homography from card to picture, which carries the truth over. Pictures are BGR, as OpenCV has them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from shared.contracts import IdType
from tests.specimens import table

if TYPE_CHECKING:
    from random import Random

    from numpy.typing import NDArray

    from tests.specimens.card import Card

# A card narrower than this is not a photo of a card that anyone could read.
LEAST_CARD_PX = 640
MEGAPIXELS = (0.5, 12.0)
TURNS = (0, 0, 0, 90, 180, 270)


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture: `homography` is float64[3, 3] from the card's pixels to the picture's.

    `rotation` is by how many degrees the card is turned clockwise, to the next quarter.
    """

    jpeg: bytes
    width: int
    height: int
    homography: NDArray[np.float64]
    rotation: int
    greyscale: bool


def scan(rng: Random, card: Card) -> Shot:
    """The card straight, alone or on white, with little noise; sometimes a black and white copy."""
    picture = _bgr(card)
    height, width = picture.shape[:2]
    scale = rng.uniform(0.7, 1.6)
    alone = rng.random() < 0.5
    margin = (0.0, 0.0) if alone else (rng.uniform(0.04, 0.3) * width, rng.uniform(0.04, 0.4) * height)
    size = (round((width + 2 * margin[0]) * scale), round((height + 2 * margin[1]) * scale))
    angle = 0.0 if alone else math.radians(rng.uniform(-1.5, 1.5))
    move = np.array([[scale, 0, margin[0] * scale], [0, scale, margin[1] * scale], [0, 0, 1]])
    centre = np.array([size[0] / 2, size[1] / 2])
    turn = np.array([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]])
    turn[:2, 2] = centre - turn[:2, :2] @ centre
    homography = turn @ move
    ground = np.full((size[1], size[0], 3), 255 if alone else rng.randint(244, 254), dtype=np.uint8)
    shot = _laid(ground, picture, 0 if alone else card.corner, homography, rng.uniform(0.0, 0.5))
    greyscale = rng.random() < 0.12
    if greyscale:
        grey = cv2.convertScaleAbs(cv2.cvtColor(shot, cv2.COLOR_BGR2GRAY), alpha=1.12, beta=-8)
        shot = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    shot = _noisy(rng, shot, rng.uniform(0.5, 2.5), colour=not greyscale)
    return _encoded(shot, rng.randint(80, 95), homography, 0, greyscale)


def photograph(rng: Random, card: Card) -> Shot:
    """The card on a table, seen by a hand-held phone: tilted, turned, unevenly lit, noisy, and one in five shaken."""
    picture = _bgr(card)
    turn = rng.choice(TURNS)
    outline, size = _frame(rng, picture.shape[1], picture.shape[0], turn)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (picture.shape[1], picture.shape[0])
    homography = cv2.getPerspectiveTransform(corners.astype(np.float32), outline.astype(np.float32))
    ground = table.surface(rng, size)
    card_px = float(np.linalg.norm(outline[1] - outline[0]))
    if card.id_type is IdType.PASSPORT and rng.random() < 0.6:
        table.open_book(rng, ground, homography, picture.shape[1], picture.shape[0])
    else:
        _cast_shadow(rng, ground, outline, card_px)
    shot = _laid(ground, picture, card.corner, homography, rng.uniform(0.3, 1.1) * picture.shape[1] / 1000)
    shot = _lit(rng, shot, outline, card_px)
    if rng.random() < 0.2:
        shot = _shaken(rng, shot, card_px * rng.uniform(0.0015, 0.004))
    shot = _noisy(rng, shot, rng.uniform(1.5, 8.0))
    return _encoded(shot, rng.randint(60, 95), homography, turn, greyscale=False)


def _bgr(card: Card) -> NDArray[np.uint8]:
    return np.ascontiguousarray(np.asarray(card.canvas.image)[:, :, ::-1])


def _frame(rng: Random, width: int, height: int, turn: int) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """The card's corners in the picture, float64[4, 2] from its own top left on, and the picture's size.

    A pinhole camera: the card is turned in its plane by a quarter and a few degrees, tilted about both axes by up to
    20 degrees, and looked at from two to four card widths away.
    """
    pitch, yaw = (math.radians(rng.gauss(0, 9)) for _ in range(2))
    pitch, yaw = (max(-0.35, min(0.35, angle)) for angle in (pitch, yaw))
    roll = math.radians(turn + max(-9.0, min(9.0, rng.gauss(0, 4))))
    corners = np.array([[-width, -height, 0], [width, -height, 0], [width, height, 0], [-width, height, 0]]) / 2 / width
    seen = corners @ _turned(2, roll).T @ _turned(0, pitch).T @ _turned(1, yaw).T
    distance = rng.uniform(2.0, 4.0)
    flat = seen[:, :2] * (distance / (distance + seen[:, 2:]))
    flat -= (flat.max(axis=0) + flat.min(axis=0)) / 2
    spread = flat.max(axis=0) - flat.min(axis=0)

    aspect = rng.choice((4 / 3, 4 / 3, 16 / 9, 1.0))
    lying = (spread[0] > spread[1]) == (rng.random() < 0.75)
    megapixels = math.exp(rng.uniform(*map(math.log, MEGAPIXELS)))
    long_side = math.sqrt(megapixels * 1e6 * aspect)
    size = np.array([long_side, long_side / aspect] if lying else [long_side / aspect, long_side])
    largest = float((size / spread).min())
    scale = largest * rng.uniform(0.55, 0.93)
    card_width = float(np.linalg.norm(flat[1] - flat[0]))
    if scale * card_width < LEAST_CARD_PX:
        # A small picture shows the card large; one that is still too small was taken with more pixels.
        scale = min(LEAST_CARD_PX / card_width, largest * 0.95)
        grown = max(LEAST_CARD_PX / (scale * card_width), 1.0)
        size, scale = size * grown, scale * grown
    room = (size - spread * scale) / 2
    centre = size / 2 + room * [rng.uniform(-0.7, 0.7), rng.uniform(-0.7, 0.7)]
    return flat * scale + centre, (round(size[0]), round(size[1]))


def _turned(axis: int, angle: float) -> NDArray[np.float64]:
    vector = np.zeros(3)
    vector[axis] = angle
    return cv2.Rodrigues(vector)[0]


def _laid(
    ground: NDArray[np.uint8], picture: NDArray[np.uint8], corner: int, homography: NDArray[np.float64], blur: float
) -> NDArray[np.uint8]:
    """The card on the ground. `blur` is the lens's, a sigma in pixels of the card: cheaper than of the picture."""
    height, width = picture.shape[:2]
    size = (ground.shape[1], ground.shape[0])
    outline = cv2.perspectiveTransform(
        np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64), homography
    )
    shrunk = min(1.0, float(np.linalg.norm(outline[0, 1] - outline[0, 0])) / width * 1.15)
    mask = np.zeros((height, width), np.uint8)
    cv2.rectangle(mask, (corner, 0), (width - 1 - corner, height - 1), 255, -1)
    cv2.rectangle(mask, (0, corner), (width - 1, height - 1 - corner), 255, -1)
    for x in (corner, width - 1 - corner):
        for y in (corner, height - 1 - corner):
            cv2.circle(mask, (x, y), corner, 255, -1)
    if blur > 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), blur)
    if shrunk < 1.0:
        # Warping takes four neighbours: what is made smaller by more than a little would break up.
        picture = cv2.resize(picture, None, fx=shrunk, fy=shrunk, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_AREA)
        homography = homography @ np.diag([width / picture.shape[1], height / picture.shape[0], 1.0])
    warped = cv2.warpPerspective(picture, homography, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.cvtColor(cv2.warpPerspective(mask, homography, size, flags=cv2.INTER_LINEAR), cv2.COLOR_GRAY2BGR)
    return cv2.add(cv2.multiply(warped, alpha, scale=1 / 255), cv2.multiply(ground, 255 - alpha, scale=1 / 255))


def _cast_shadow(rng: Random, ground: NDArray[np.uint8], outline: NDArray[np.float64], card_px: float) -> None:
    """Darken the table beside the card, in place."""
    small = 8
    shade = np.full((ground.shape[0] // small + 1, ground.shape[1] // small + 1), 255, np.uint8)
    offset = np.array([rng.uniform(-1, 1), rng.uniform(-1, 1)]) * card_px * 0.015
    cv2.fillPoly(shade, [np.round((outline + offset) / small).astype(np.int32)], rng.randint(110, 190))
    shade = cv2.GaussianBlur(shade, (0, 0), max(card_px * rng.uniform(0.004, 0.015) / small, 0.5))
    shade = cv2.resize(shade, (ground.shape[1], ground.shape[0]))
    cv2.multiply(ground, cv2.cvtColor(shade, cv2.COLOR_GRAY2BGR), ground, scale=1 / 255)


def _lit(rng: Random, shot: NDArray[np.uint8], outline: NDArray[np.float64], card_px: float) -> NDArray[np.uint8]:
    """Uneven light, a colour cast, and in two of five photos the reflection of a lamp on the card."""
    height, width = shot.shape[:2]
    rows, columns = 24, 32
    ys, xs = np.mgrid[0:rows, 0:columns] / (rows, columns)[0]
    angle, fall = rng.uniform(0, 2 * math.pi), rng.uniform(0.0, 0.45)
    ramp = (np.cos(angle) * (xs - 0.66) + np.sin(angle) * (ys - 0.5)) * fall
    if rng.random() < 0.35:
        # The shadow of the hand or the phone falls across from one side.
        edge, soft = rng.uniform(-0.2, 0.25), rng.uniform(0.03, 0.15)
        across = np.cos(angle) * (xs - 0.66) + np.sin(angle) * (ys - 0.5)
        ramp -= rng.uniform(0.12, 0.4) / (1 + np.exp(-(across - edge) / soft))
    level = np.clip((rng.uniform(0.72, 1.0) + ramp)[:, :, None], 0.3, 1.0)
    warmth = rng.uniform(-0.12, 0.16)
    cast = np.array([1 - max(warmth, 0), 1 - 0.25 * abs(warmth), 1 - max(-warmth, 0)])
    light = cv2.resize((level * cast * 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    shot = cv2.multiply(shot, light, scale=1 / 245)
    if rng.random() < 0.4:
        small = 8
        glare = np.zeros((height // small + 1, width // small + 1), np.uint8)
        shares = np.array([rng.uniform(0.05, 0.95), rng.uniform(0.05, 0.95)])
        centre = outline[0] + (outline[1] - outline[0]) * shares[0] + (outline[3] - outline[0]) * shares[1]
        axes = (card_px * rng.uniform(0.04, 0.13) / small, card_px * rng.uniform(0.03, 0.22) / small)
        spot = tuple(int(value / small) for value in centre)
        cv2.ellipse(
            glare,
            spot,
            tuple(max(round(axis), 1) for axis in axes),
            rng.uniform(0, 180),
            0,
            360,
            rng.randint(30, 85),
            -1,
        )
        glare = cv2.GaussianBlur(glare, (0, 0), max(card_px * rng.uniform(0.02, 0.06) / small, 1.0))
        shot = cv2.add(shot, cv2.cvtColor(cv2.resize(glare, (width, height)), cv2.COLOR_GRAY2BGR))
    return shot


def _shaken(rng: Random, shot: NDArray[np.uint8], length: float) -> NDArray[np.uint8]:
    """Blur along one direction, over `length` pixels."""
    reach = max(math.ceil(length), 1)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    angle = rng.uniform(0, math.pi)
    for at in np.linspace(-length / 2, length / 2, 32):
        kernel[round(reach + math.sin(angle) * at), round(reach + math.cos(angle) * at)] += 1
    return cv2.filter2D(shot, -1, kernel / kernel.sum())


def _noisy(rng: Random, shot: NDArray[np.uint8], sigma: float, *, colour: bool = True) -> NDArray[np.uint8]:
    """Sensor noise of `sigma` grey levels, of two pixels' grain: one tile of it, repeated."""
    side = 509
    tile = np.random.default_rng(rng.getrandbits(32)).normal(0, sigma * 1.6, (side, side, 3 if colour else 1))
    tile = cv2.GaussianBlur(np.broadcast_to(tile, (side, side, 3)).astype(np.float32), (0, 0), 0.6)
    tile = np.clip(tile + 128, 0, 255).astype(np.uint8)
    height, width = shot.shape[:2]
    noise = np.tile(tile, (height // side + 1, width // side + 1, 1))[:height, :width]
    return cv2.addWeighted(shot, 1.0, noise, 1.0, -128)


def _encoded(
    shot: NDArray[np.uint8], quality: int, homography: NDArray[np.float64], turn: int, greyscale: bool
) -> Shot:
    _, data = cv2.imencode(".jpg", shot, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return Shot(data.tobytes(), shot.shape[1], shot.shape[0], homography, turn, greyscale)
