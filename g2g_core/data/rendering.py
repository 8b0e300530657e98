"""Render the synthetic dataset, in which the true mixed image of any two images is known.

An image is a function of (class, content). A class is a look: the colors of background, body, and
rim, and the texture of the body. A content is a shape with a place, a size, and a turn. A look
never decides where something is, and a content never decides how it is colored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from g2g_core.data.shapes import SHAPES, Floats, signed_distance
from g2g_core.seeding import numpy_rng

Layers: TypeAlias = tuple[Floats, Floats, Floats]
"""Coverage of the shape with its rim, coverage of the body, and places on the shape."""

TEXTURES = ("plain", "stripes", "dots", "checks")

# Turns by the golden ratio keep the hues of successive worlds far apart.
GOLDEN = 0.6180339887

GROUNDS = (
    (0.95, 0.04, 0.27),
    (0.80, 0.16, 0.17),
    (0.84, 0.19, 0.37),
    (0.80, 0.13, 0.62),
    (0.78, 0.16, 0.97),
)
"""Oklch lightness, chroma, and hue (in turns) of each background color.

The colors are cream, orange, lime, sky, and pink.
"""

BODIES = (
    (0.42, 0.17, 0.07),
    (0.40, 0.11, 0.42),
    (0.40, 0.19, 0.73),
    (0.37, 0.16, 0.86),
    (0.30, 0.05, 0.20),
)
"""Oklch lightness, chroma, and hue (in turns) of each body color.

The colors are crimson, forest, blue, violet, and cocoa. Bodies are always darker than grounds.
FUNIT's instance norms remove how light a region is, but keep which region is the lighter one, so
training on a dataset with both cases is far slower.
"""

PAIRS = tuple(
    sorted(((g, b) for g in range(5) for b in range(5)), key=lambda pair: pair[0] == pair[1])
)
"""Pairs of indices into `GROUNDS` and `BODIES`, the pairs of two equal indices last."""

LOOKS = len(PAIRS) * len(TEXTURES)
"""Number of different looks."""

RIM = 0.10  # width of the rim, in half image widths


@dataclass(frozen=True)
class Look:
    """A class of the synthetic dataset.

    Attributes:
        background, body, second, rim: colors as (3,) sRGB in [0, 1].
        texture: pattern of `TEXTURES` that the body shows in the color `second`.
    """

    background: Floats
    body: Floats
    second: Floats
    rim: Floats
    texture: str


@dataclass(frozen=True)
class Content:
    """What an image keeps when its class changes.

    Lengths are in half image widths; the origin is the center of the image, and y points up.

    Attributes:
        shape: key of `SHAPES`.
        x, y: place of the shape's center, in [-0.3, 0.3].
        size: radius, in [0.44, 0.7].
        angle: turn in radians, in [0, 2 pi / symmetry of the shape).
    """

    shape: str
    x: float
    y: float
    size: float
    angle: float


def look(number: int, world: int = 0) -> Look:
    """Return the look of a class.

    The look depends only on the arguments, so adding classes doesn't change the existing ones. The
    first 20 looks are pairs of a ground and a body color. The next 5 are the remaining pairs: each
    color occurs in the first 20, but not in these pairs. From 25 on, the pairs repeat with other
    textures.

    Args:
        number: number of the class, below `LOOKS`.
        world: every world turns all hues by another angle.
    """
    round_, place = divmod(number, len(PAIRS))
    ground, body = PAIRS[place]
    turn = world * GOLDEN
    lightness, chroma, hue = BODIES[body]
    return Look(
        background=_color(*GROUNDS[ground], turn),
        body=_color(lightness, chroma, hue, turn),
        second=_color(lightness + 0.13, chroma * 0.8, hue, turn),
        rim=_color(0.28, 0.03, 0.8, turn),
        texture=TEXTURES[(ground + body + round_) % len(TEXTURES)],
    )


def content(number: int, world: int = 0) -> Content:
    """Return content `number` of a world; shapes alternate, all other factors are uniformly random.

    Args:
        number: 0 or more.
        world: every world has other contents.
    """
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
    """Return the images of the pairs (looks[i], contents[i]), anti-aliased.

    Args:
        looks: the classes, N.
        contents: the contents, N.
        size: side of the images, pixels.
        layers: cache of the layers of each content, filled for the next call; None: no cache.

    Returns:
        (N, 3, size, size).
    """
    images = np.empty((len(looks), 3, size, size), dtype=np.uint8)
    layers = {} if layers is None else layers

    for i, (one_look, one_content) in enumerate(zip(looks, contents, strict=True)):
        if one_content not in layers:
            layers[one_content] = _layers(one_content, size)
        outer, inner, places = layers[one_content]

        texture = _texture(one_look.texture, places, size)
        body = (
            one_look.body[:, None, None] * (1 - texture) + one_look.second[:, None, None] * texture
        )
        image = (
            one_look.background[:, None, None] * (1 - outer)
            + one_look.rim[:, None, None] * (outer - inner)
            + body * inner
        )
        images[i] = np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)

    return images


def _layers(one_content: Content, size: int) -> Layers:
    """Return the layers of a content.

    Returns:
        Coverage of the shape with its rim and of the body alone, each (size, size) in [0, 1]; and
        the position of each pixel relative to the shape, (size, size, 2).
    """
    axis = (2 * np.arange(size, dtype=np.float32) + 1) / size - 1
    x, y = np.meshgrid(axis - one_content.x, -axis - one_content.y)
    cos, sin = np.cos(one_content.angle), np.sin(one_content.angle)
    places = np.stack([cos * x + sin * y, cos * y - sin * x], axis=-1).astype(np.float32)

    outline, _ = SHAPES[one_content.shape]
    distance = signed_distance(places, outline() * one_content.size)
    return _coverage(distance, size), _coverage(distance + RIM, size), places


def _coverage(distance: Floats, size: int) -> Floats:
    """Return the share of each pixel that is inside: 0.5 if the edge cuts its center."""
    return np.clip(0.5 - distance * size / 2, 0, 1).astype(np.float32)


def _texture(name: str, places: Floats, size: int) -> Floats:
    """Return the share of the second color at each pixel, (size, size) in [0, 1].

    The pattern moves and turns with the shape.
    """
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
    """Return the smallest turn, in radians, that leaves a shape unchanged."""
    return 2 * np.pi / SHAPES[shape][1]


def _color(lightness: float, chroma: float, hue: float, turn: float) -> Floats:
    """Return the sRGB value, (3,) in [0, 1], of an Oklch color (B. Ottosson, 2020).

    In Oklch, colors of the same lightness look equally light in every hue.

    Args:
        lightness: Oklch lightness, in [0, 1].
        chroma: Oklch chroma.
        hue: in turns.
        turn: added to the hue, in turns.
    """
    angle = 2 * np.pi * (hue + turn)
    a, b = chroma * np.cos(angle), chroma * np.sin(angle)

    # Oklab gives the cube roots of the cone responses. A second matrix maps these to linear sRGB.
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

    color: Floats = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    return color.astype(np.float32)
