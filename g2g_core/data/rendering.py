"""Renders the synthetic set: an image is a function of (class, content), so every mixed image has
    an exact truth.

A class is a look: background, body and rim colours, and the texture of the body. A content is a
shape with a place, a size and a turn. A look never decides where something is, a content never
decides how it is coloured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from g2g_core.data.shapes import SHAPES, Floats, signed_distance
from g2g_core.seeding import numpy_rng

Layers: TypeAlias = tuple[Floats, Floats, Floats]
TEXTURES = ("plain", "stripes", "dots", "checks")
GOLDEN = 0.6180339887
GROUNDS = (
    (0.95, 0.04, 0.27),
    (0.80, 0.16, 0.17),
    (0.84, 0.19, 0.37),
    (0.80, 0.13, 0.62),
    (0.78, 0.16, 0.97),
)
BODIES = (
    (0.42, 0.17, 0.07),
    (0.40, 0.11, 0.42),
    (0.40, 0.19, 0.73),
    (0.37, 0.16, 0.86),
    (0.30, 0.05, 0.20),
)
"""Oklch lightness, chroma and hue in turns: cream, orange, lime, sky, pink; crimson, forest, blue,
violet, cocoa.

Bodies are always darker than grounds. FUNIT's instance norms remove how light a region is but keep
which region is the lighter one, so sets with both learn far more slowly.
"""
PAIRS = tuple(
    sorted(((g, b) for g in range(5) for b in range(5)), key=lambda pair: pair[0] == pair[1])
)
LOOKS = len(PAIRS) * len(TEXTURES)
RIM = 0.10  # width of the rim; the image is 2 wide


@dataclass(frozen=True)
class Look:
    """A class: colours as (3,) sRGB in [0, 1], and a texture of `TEXTURES` in the second body
    colour."""

    background: Floats
    body: Floats
    second: Floats
    rim: Floats
    texture: str


@dataclass(frozen=True)
class Content:
    """What stays when the class changes; lengths in half image widths, the origin in the middle, y
    upwards.

    Attributes:
        shape: key of `SHAPES`.
        x, y: place of the shape's centre, in [-0.3, 0.3].
        size: radius, in [0.44, 0.7].
        angle: turn in radians, in [0, 2 pi / symmetry of the shape).
    """

    shape: str
    x: float
    y: float
    size: float
    angle: float


def look(number: int, world: int = 0) -> Look:
    """The look of class `number`, below `LOOKS`, of a world; it depends on nothing else, so more
    classes change none.

    The first 20 are pairs of a ground and a body colour, the next 5 the pairs left over: colours
    that all occurred, never together. From 25 on the pairs come again with other textures.
    """
    round_, place = divmod(number, len(PAIRS))
    ground, body = PAIRS[place]
    turn = world * GOLDEN
    lightness, chroma, hue = BODIES[body]
    return Look(
        background=_colour(*GROUNDS[ground], turn),
        body=_colour(lightness, chroma, hue, turn),
        second=_colour(lightness + 0.13, chroma * 0.8, hue, turn),
        rim=_colour(0.28, 0.03, 0.8, turn),
        texture=TEXTURES[(ground + body + round_) % len(TEXTURES)],
    )


def content(number: int, world: int = 0) -> Content:
    """Content `number` >= 0 of a world; shapes take turns, the rest is uniform."""
    rng = numpy_rng(world, "synthetic/content", number)
    shape = tuple(SHAPES)[number % len(SHAPES)]
    x, y = rng.uniform(-0.3, 0.3, size=2)
    return Content(
        shape,
        float(x),
        float(y),
        float(rng.uniform(0.44, 0.7)),
        float(rng.uniform(0, _period(shape))),
    )


def render(
    looks: Sequence[Look],
    contents: Sequence[Content],
    size: int,
    layers: dict[Content, Layers] | None = None,
) -> NDArray[np.uint8]:
    """The images of the pairs (looks[i], contents[i]): (N, 3, size, size), anti-aliased.

    Args:
        looks: the classes.
        contents: the contents, as many.
        size: side of the images, pixels.
        layers: keeps what is known of each content for the next call; None: forget it.
    """
    images = np.empty((len(looks), 3, size, size), dtype=np.uint8)
    layers = {} if layers is None else layers
    for i, (one, what) in enumerate(zip(looks, contents, strict=True)):
        if what not in layers:
            layers[what] = _layers(what, size)
        outer, inner, places = layers[what]
        texture = _texture(one.texture, places, size)
        body = one.body[:, None, None] * (1 - texture) + one.second[:, None, None] * texture
        image = (
            one.background[:, None, None] * (1 - outer)
            + one.rim[:, None, None] * (outer - inner)
            + body * inner
        )
        images[i] = np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)
    return images


def _layers(what: Content, size: int) -> Layers:
    """Coverage of shape with rim and of the body alone, (size, size) in [0, 1], and places (size,
    size, 2) on it."""
    axis = (2 * np.arange(size, dtype=np.float32) + 1) / size - 1
    x, y = np.meshgrid(axis - what.x, -axis - what.y)
    cos, sin = np.cos(what.angle), np.sin(what.angle)
    places = np.stack([cos * x + sin * y, cos * y - sin * x], axis=-1).astype(np.float32)
    outline, _ = SHAPES[what.shape]
    distance = signed_distance(places, outline() * what.size)
    return _coverage(distance, size), _coverage(distance + RIM, size), places


def _coverage(distance: Floats, size: int) -> Floats:
    """How much of a pixel is inside: 0.5 where the edge passes through its middle."""
    return np.clip(0.5 - distance * size / 2, 0, 1).astype(np.float32)


def _texture(name: str, places: Floats, size: int) -> Floats:
    """Share of the second colour, (size, size) in [0, 1]: a pattern that moves and turns with the
    shape."""
    u, v = places[..., 0] * 10, places[..., 1] * 10
    if name == "plain":
        return np.zeros(places.shape[:-1], dtype=np.float32)
    wave = {
        "stripes": np.sin(u),
        "dots": np.cos(u) + np.cos(v) - 0.7,
        "checks": np.sin(u) * np.sin(v) * 2,
    }[name]
    return np.clip(0.5 + wave * size / 20, 0, 1).astype(np.float32)


def _period(shape: str) -> float:
    return 2 * np.pi / SHAPES[shape][1]


def _colour(lightness: float, chroma: float, hue: float, turn: float) -> Floats:
    """sRGB of an Oklch colour (B.

    Ottosson 2020; hue in turns): equal lightness looks equally light in every hue.
    """
    angle = 2 * np.pi * (hue + turn)
    a, b = chroma * np.cos(angle), chroma * np.sin(angle)
    cones = (
        np.array(
            [
                lightness + 0.3963377774 * a + 0.2158037573 * b,
                lightness - 0.1055613458 * a - 0.0638541728 * b,
                lightness - 0.0894841775 * a - 1.2914855480 * b,
            ]
        )
        ** 3
    )
    linear = (
        np.array(
            [
                [4.0767416621, -3.3077115913, 0.2309699292],
                [-1.2684380046, 2.6097574011, -0.3413193965],
                [-0.0041960863, -0.7034186147, 1.7076147010],
            ]
        )
        @ cones
    )
    linear = np.clip(linear, 0, 1)
    colour: Floats = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    return colour.astype(np.float32)
