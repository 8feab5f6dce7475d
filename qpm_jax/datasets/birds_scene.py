"""The picture around a built-in bird: pose, background, occlusion and light.

Everything a class does not decide is drawn at random from one key an image.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt8

from qpm_jax.datasets.birds_drawing import (
    PALETTE,
    Canvas,
    Pose,
    code_by_name,
    paint,
    paint_bird,
)
from qpm_jax.datasets.birds_shapes import (
    Points,
    circle,
    convex_polygon,
    ellipse,
    local_frame,
    tapered_line,
)

IMAGE_SIZE = 64
_DISTRACTORS = 5
_WAVES = 4
_OCCLUDED = 0.25  # share of images with a leaf in front of the bird

_POSE = {
    "right": (-0.16, 0.16),
    "down": (-0.14, 0.14),
    "roll": (-0.35, 0.35),
    "scale": (0.78, 0.98),
    "facing": (-1.0, 1.0),
    "head turn": (-0.22, 0.22),
    "tail turn": (-0.30, 0.30),
    "wing turn": (-0.22, 0.22),
    "near leg turn": (-0.25, 0.25),
    "far leg turn": (-0.25, 0.25),
}
_LEAF = {
    "right": (-0.75, 0.75),
    "down": (-0.70, 0.70),
    "turn": (-np.pi, np.pi),
    "length": (0.22, 0.32),
    "width": (0.10, 0.15),
    "shown": (0.0, 1.0),
    "shade": (0.0, 1.0),
}
_LIGHT = {
    "brightness": (0.80, 1.15),
    "contrast": (0.80, 1.15),
    "slope": (0.0, 0.18),
    "direction": (-np.pi, np.pi),
    "warmth": (-0.06, 0.06),
}
# Feathers of body and head: muted, so that they are no part's colour.
_PLUMAGE = (
    (0.55, 0.40, 0.28),
    (0.62, 0.60, 0.58),
    (0.78, 0.68, 0.50),
    (0.40, 0.38, 0.40),
    (0.60, 0.50, 0.45),
)


def _draw_from(key: PRNGKeyArray, ranges: dict[str, tuple[float, float]]) -> Pose:
    low, high = np.array(list(ranges.values()), np.float32).T
    values = jax.random.uniform(key, (len(ranges),), minval=low, maxval=high)
    return dict(zip(ranges, values, strict=True))


def pixel_grid() -> Points:
    """Coordinates of the pixel centres, from -1 to 1, right and down."""
    line = (np.arange(IMAGE_SIZE, dtype=np.float32) + 0.5) / (IMAGE_SIZE / 2) - 1
    x, y = np.meshgrid(line, line)
    return jnp.asarray(x), jnp.asarray(y)


def _background(key: PRNGKeyArray, points: Points) -> Float[Array, "H W 3"]:
    """A plain colour with a few waves of other colours over it."""
    base_key, wave_key, colour_key, noise_key = jax.random.split(key, 4)
    base = jax.random.uniform(base_key, (3,), minval=0.25, maxval=0.85)
    across, along, phase = jax.random.normal(wave_key, (3, _WAVES)) * 4
    waves = jnp.sin(
        points[0][..., None] * across + points[1][..., None] * along + phase
    )
    tints = jax.random.uniform(colour_key, (_WAVES, 3), minval=-0.11, maxval=0.11)
    noise = jax.random.uniform(noise_key, (*points[0].shape, 1), minval=-1, maxval=1)
    return jnp.clip(base + waves @ tints + 0.05 * noise, 0, 1)


def _distract(key: PRNGKeyArray, canvas: Canvas, points: Points) -> Canvas:
    """Discs, bars and triangles in the parts' own colours, behind the bird."""
    palette = jnp.array(list(PALETTE.values()), jnp.float32)
    place_key, colour_key, kind_key = jax.random.split(key, 3)
    places = jax.random.uniform(place_key, (_DISTRACTORS, 5), minval=-1, maxval=1)
    colours = jax.random.choice(colour_key, palette, (_DISTRACTORS,))
    kinds = jax.random.randint(kind_key, (_DISTRACTORS,), 0, 3)
    for (right, down, turn, length, width), colour, kind in zip(
        places, colours, kinds, strict=True
    ):
        place = local_frame(points, (right, down), turn * np.pi)
        long, thick = 0.17 + 0.08 * length, 0.07 + 0.02 * width
        corners = ((-long, long * 0.7), (0.0, -long), (long, long * 0.7))
        shapes = jnp.stack(
            [
                circle(place, (0.0, 0.0), 0.8 * long),
                tapered_line(place, (-long, 0.0), (long, 0.0), (thick, thick)),
                convex_polygon(place, corners),
            ]
        )
        canvas = paint(canvas, shapes[kind], colour)
    return canvas


def _leaf(key: PRNGKeyArray, canvas: Canvas, points: Points) -> Canvas:
    """Sometimes a leaf lies over the bird: too small for more than about one part."""
    leaf = _draw_from(key, _LEAF)
    place = local_frame(points, (leaf["right"], leaf["down"]), leaf["turn"])
    shape = ellipse(place, (0.0, 0.0), (leaf["length"], leaf["width"]))
    shape = jnp.where(leaf["shown"] < _OCCLUDED, shape, 1.0)
    green, brown = jnp.array([0.30, 0.42, 0.16]), jnp.array([0.42, 0.29, 0.16])
    colour = green + leaf["shade"] * (brown - green)
    vein = jnp.abs(place[1])[..., None] < 0.02
    return paint(canvas, shape, jnp.where(vein, 0.7 * colour, colour))


def _lit(
    key: PRNGKeyArray, colour: Float[Array, "H W 3"], points: Points
) -> Float[Array, "H W 3"]:
    """Brightness with a slope, contrast, and a warm or cold tint."""
    light = _draw_from(key, _LIGHT)
    along = jnp.cos(light["direction"]) * points[0]
    along += jnp.sin(light["direction"]) * points[1]
    strength = light["brightness"] * (1 + light["slope"] * along)
    tint = 1 + light["warmth"] * jnp.array([1.0, 0.0, -1.0])
    contrasted = 0.5 + light["contrast"] * (colour - 0.5)
    return jnp.clip(contrasted * strength[..., None] * tint, 0, 1)


def draw_image(
    key: PRNGKeyArray, code: Int[Array, " groups"]
) -> tuple[UInt8[Array, "H W 3"], UInt8[Array, "H W"]]:
    """One picture of a bird of a class.

    Args:
        key: decides all that the class does not.
        code: the class's value in each attribute group, integer [groups].

    Returns:
        The picture, uint8 [64,64,3], and which part is seen at each pixel, uint8
        [64,64]: 1 + its index in PARTS, 0 where none is.
    """
    keys = jax.random.split(key, 6)
    points = pixel_grid()
    half = IMAGE_SIZE / 2
    background = _background(keys[0], points)
    seen = jnp.zeros(points[0].shape, jnp.int32)
    canvas = _distract(keys[1], Canvas(background, seen, half), points)

    pose = _draw_from(keys[2], _POSE)
    x, y = local_frame(points, (pose["right"], pose["down"]), pose["roll"])
    facing = jnp.where(pose["facing"] < 0, -1.0, 1.0)
    in_bird = facing * x / pose["scale"], y / pose["scale"]
    plumage = jax.random.choice(keys[3], jnp.array(_PLUMAGE, jnp.float32))
    canvas = canvas._replace(sharpness=half * pose["scale"])
    canvas = paint_bird(canvas, in_bird, code_by_name(code), pose, plumage)
    canvas = _leaf(keys[4], canvas, in_bird)
    lit = _lit(keys[5], canvas.colour, points)
    return jnp.round(lit * 255).astype(jnp.uint8), canvas.part.astype(jnp.uint8)
