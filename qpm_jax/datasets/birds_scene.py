"""The picture around a built-in bird: pose, background, occlusion and light.

Everything a class does not decide is drawn at random from one key an image.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt8

from qpm_jax.datasets.birds_drawing import (
    PALETTE,
    Canvas,
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
_WAVES = 4
_DISTRACTORS = 5
_OCCLUDED = 0.25  # share of images with a leaf in front of the bird

# What is random about a picture, each uniform in its range. Angles are in radians,
# lengths in half pictures (of the bird's own frame from the head turn on).
_RANGES = {
    "right": (-0.13, 0.13),
    "down": (-0.11, 0.11),
    "roll": (-0.28, 0.28),
    "scale": (0.80, 1.0),
    "facing": (-1.0, 1.0),
    "head turn": (-0.25, 0.25),
    "tail turn": (-0.32, 0.32),
    "wing turn": (-0.25, 0.25),
    "near leg turn": (-0.25, 0.25),
    "far leg turn": (-0.25, 0.25),
    "plumage": (0.0, 1.0),
    "leaf shown": (0.0, 1.0),
    "leaf right": (-0.75, 0.75),
    "leaf down": (-0.70, 0.70),
    "leaf turn": (-np.pi, np.pi),
    "leaf length": (0.22, 0.34),
    "leaf width": (0.10, 0.15),
    "leaf shade": (0.0, 1.0),
    "brightness": (0.80, 1.15),
    "contrast": (0.80, 1.15),
    "light slope": (0.0, 0.18),
    "light direction": (-np.pi, np.pi),
    "warmth": (-0.06, 0.06),
    "background red": (0.22, 0.85),
    "background green": (0.22, 0.85),
    "background blue": (0.22, 0.85),
}
_WAVE_RANGES = {
    "across": (-7.0, 7.0),
    "along": (-7.0, 7.0),
    "phase": (-np.pi, np.pi),
    "red": (-0.12, 0.12),
    "green": (-0.12, 0.12),
    "blue": (-0.12, 0.12),
}
_DISTRACTOR_RANGES = {
    "right": (-1.0, 1.0),
    "down": (-1.0, 1.0),
    "turn": (-np.pi, np.pi),
    "length": (0.09, 0.25),
    "width": (0.05, 0.09),
    "kind": (0.0, 1.0),
    "colour": (0.0, 1.0),
}
# Feathers of body and head: muted, so that they are no part's colour.
_PLUMAGE = (
    (0.55, 0.40, 0.28),
    (0.62, 0.60, 0.58),
    (0.78, 0.68, 0.50),
    (0.40, 0.38, 0.40),
    (0.60, 0.50, 0.45),
)

Chances = Mapping[str, Float[Array, "*many"]]


def _chances(uniform: Float[Array, "names *many"], ranges: Mapping) -> Chances:
    low, high = np.array(list(ranges.values()), np.float32).T
    return {
        name: low[i] + (high[i] - low[i]) * uniform[i] for i, name in enumerate(ranges)
    }


def _all_chances(key: PRNGKeyArray) -> tuple[Chances, Chances, Chances]:
    """Chances of the picture, of each background wave and of each distractor."""
    shapes = (
        (len(_RANGES),),
        (len(_WAVE_RANGES), _WAVES),
        (len(_DISTRACTOR_RANGES), _DISTRACTORS),
    )
    # One draw for all: each draw costs about as much to compile as half a bird.
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    pieces = jnp.split(jax.random.uniform(key, (ends[-1],)), ends[:-1])
    picture, waves, distractors = (
        piece.reshape(shape) for piece, shape in zip(pieces, shapes, strict=True)
    )
    return (
        _chances(picture, _RANGES),
        _chances(waves, _WAVE_RANGES),
        _chances(distractors, _DISTRACTOR_RANGES),
    )


def _pick(share: Float[Array, ""], choices: Float[Array, "choices *rest"]) -> Array:
    """The choice at a share in [0,1) of the list."""
    last = len(choices) - 1
    return choices[jnp.minimum((share * len(choices)).astype(jnp.int32), last)]


def pixel_grid() -> Points:
    """Coordinates of the pixel centres, from -1 to 1, right and down."""
    line = (np.arange(IMAGE_SIZE, dtype=np.float32) + 0.5) / (IMAGE_SIZE / 2) - 1
    x, y = np.meshgrid(line, line)
    return jnp.asarray(x), jnp.asarray(y)


def _grain(key: PRNGKeyArray) -> Float[Array, "H W 1"]:
    """Noise in [-1,1] from 8 random bits a pixel."""
    bits = jax.random.bits(key, (IMAGE_SIZE * IMAGE_SIZE // 4,), jnp.uint32)
    levels = jax.lax.bitcast_convert_type(bits, jnp.uint8)
    return levels.reshape(IMAGE_SIZE, IMAGE_SIZE, 1) / 127.5 - 1


def _background(
    key: PRNGKeyArray, points: Points, chances: Chances, waves: Chances
) -> Float[Array, "H W 3"]:
    """A plain colour with a few waves of other colours over it, and grain."""
    base = jnp.stack([chances[f"background {c}"] for c in ("red", "green", "blue")])
    tints = jnp.stack([waves[c] for c in ("red", "green", "blue")], axis=-1)
    x, y = points[0][..., None], points[1][..., None]
    heights = jnp.sin(x * waves["across"] + y * waves["along"] + waves["phase"])
    return jnp.clip(base + heights @ tints + 0.05 * _grain(key), 0, 1)


def _distract(canvas: Canvas, points: Points, distractors: Chances) -> Canvas:
    """Discs, bars and triangles in the parts' own colours, behind the bird."""
    palette = jnp.array(list(PALETTE.values()), jnp.float32)

    def add(canvas: Canvas, chances: Chances) -> tuple[Canvas, None]:
        origin = chances["right"], chances["down"]
        place = local_frame(points, origin, chances["turn"])
        long, thick = chances["length"], chances["width"]
        corners = ((-long, long * 0.7), (0.0, -long), (long, long * 0.7))
        disc = circle(place, (0.0, 0.0), 0.8 * long)
        bar = tapered_line(place, (-long, 0.0), (long, 0.0), (thick, thick))
        shapes = jnp.stack([disc, bar, convex_polygon(place, corners)])
        shape = _pick(chances["kind"], shapes)
        return paint(canvas, shape, _pick(chances["colour"], palette)), None

    return jax.lax.scan(add, canvas, distractors)[0]


def _leaf(canvas: Canvas, points: Points, chances: Chances) -> Canvas:
    """Sometimes a leaf lies over the bird: too small for more than about one part."""
    origin = chances["leaf right"], chances["leaf down"]
    place = local_frame(points, origin, chances["leaf turn"])
    radii = chances["leaf length"], chances["leaf width"]
    shape = ellipse(place, (0.0, 0.0), radii)
    shape = jnp.where(chances["leaf shown"] < _OCCLUDED, shape, 1.0)
    green, brown = jnp.array([0.30, 0.42, 0.16]), jnp.array([0.42, 0.29, 0.16])
    colour = green + chances["leaf shade"] * (brown - green)
    vein = jnp.abs(place[1])[..., None] < 0.02
    return paint(canvas, shape, jnp.where(vein, 0.7 * colour, colour))


def _lit(
    colour: Float[Array, "H W 3"], points: Points, chances: Chances
) -> Float[Array, "H W 3"]:
    """Brightness with a slope, contrast, and a warm or cold tint."""
    along = jnp.cos(chances["light direction"]) * points[0]
    along += jnp.sin(chances["light direction"]) * points[1]
    strength = chances["brightness"] * (1 + chances["light slope"] * along)
    tint = 1 + chances["warmth"] * jnp.array([1.0, 0.0, -1.0])
    contrasted = 0.5 + chances["contrast"] * (colour - 0.5)
    return jnp.clip(contrasted * strength[..., None] * tint, 0, 1)


def _bird_frame(points: Points, chances: Chances) -> Points:
    origin = chances["right"], chances["down"]
    x, y = local_frame(points, origin, chances["roll"])
    facing = jnp.where(chances["facing"] < 0, -1.0, 1.0)
    return facing * x / chances["scale"], y / chances["scale"]


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
    chance_key, grain_key = jax.random.split(key)
    chances, waves, distractors = _all_chances(chance_key)
    points, half = pixel_grid(), IMAGE_SIZE / 2
    background = _background(grain_key, points, chances, waves)
    seen = jnp.zeros(points[0].shape, jnp.int32)
    canvas = Canvas(background, seen, jnp.float32(half))
    canvas = _distract(canvas, points, distractors)

    in_bird = _bird_frame(points, chances)
    plumage = _pick(chances["plumage"], jnp.array(_PLUMAGE, jnp.float32))
    canvas = canvas._replace(sharpness=half * chances["scale"])
    canvas = paint_bird(canvas, in_bird, code_by_name(code), chances, plumage)
    canvas = _leaf(canvas, in_bird, chances)
    lit = _lit(canvas.colour, points, chances)
    return jnp.round(lit * 255).astype(jnp.uint8), canvas.part.astype(jnp.uint8)
