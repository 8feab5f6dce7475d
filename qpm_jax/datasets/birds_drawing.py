"""Draws one bird: parts as signed distances, painted back to front.

The bird looks right in its own frame, whose unit is half a picture at full size.
`paint_bird` gives the colours and, for each pixel, which part is on top.
"""

from collections.abc import Mapping
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from qpm_jax.datasets.birds_attributes import GROUPS, PARTS
from qpm_jax.datasets.birds_shapes import (
    Field,
    Points,
    Scalar,
    circle,
    convex_polygon,
    ellipse,
    half_plane,
    intersection,
    local_frame,
    smooth_union,
    tapered_line,
    union,
)

PALETTE = {
    "red": (0.88, 0.10, 0.12),
    "yellow": (0.99, 0.84, 0.08),
    "green": (0.08, 0.62, 0.22),
    "blue": (0.10, 0.30, 0.92),
    "purple": (0.62, 0.16, 0.72),
    "black": (0.07, 0.07, 0.09),
    "white": (0.98, 0.98, 0.98),
}
_OUTLINE = 0.035  # width of a part's dark rim: about one pixel

Colour = Float[Array, "*#HW 3"]
Code = Mapping[str, Int[Array, ""]]
Pose = Mapping[str, Scalar]


class Canvas(NamedTuple):
    """A picture in the making.

    Attributes:
        colour: RGB in [0,1].
        part: which part is seen, 1 + its index in PARTS; 0 for everything else.
        sharpness: pixels a unit of the frame that is drawn in.
    """

    colour: Float[Array, "H W 3"]
    part: Int[Array, "H W"]
    sharpness: Scalar


def paint(canvas: Canvas, shape: Field, colour: Colour, part: str = "") -> Canvas:
    """Covers the inside of a shape, its edge softened over one pixel.

    Args:
        canvas: what is painted on.
        shape: signed distance to the outline.
        colour: RGB, one for all or one a pixel.
        part: a name in PARTS, or empty for what is no part.

    Returns:
        The canvas afterwards.
    """
    cover = jnp.clip(0.5 - shape * canvas.sharpness, 0, 1)
    number = PARTS.index(part) + 1 if part else 0
    mixed = canvas.colour + cover[..., None] * (colour - canvas.colour)
    return Canvas(mixed, jnp.where(cover > 0.5, number, canvas.part), canvas.sharpness)


def _paint_rimmed(canvas: Canvas, shape: Field, colour: Colour, part: str) -> Canvas:
    rim = 0.35 * jnp.mean(colour, axis=tuple(range(colour.ndim - 1)))
    return paint(paint(canvas, shape - _OUTLINE, rim, part), shape, colour, part)


def code_by_name(code: Int[Array, " groups"]) -> Code:
    """The class code as a mapping from "wing colour" and the like to a value."""
    return {f"{group.part} {group.kind}": code[i] for i, group in enumerate(GROUPS)}


def _colour_of(code: Code, part: str) -> Float[Array, " 3"]:
    values = next(g.values for g in GROUPS if (g.part, g.kind) == (part, "colour"))
    table = np.array([PALETTE[value] for value in values], np.float32)
    return jnp.asarray(table)[code[f"{part} colour"]]


def _select(code: Code, part: str, shapes: Mapping[str, Field]) -> Field:
    """The shape of the class: `shapes` has a distance for each value of the group."""
    values = next(g.values for g in GROUPS if (g.part, g.kind) == (part, "shape"))
    return jnp.stack([shapes[value] for value in values])[code[f"{part} shape"]]


def _contrast(colour: Float[Array, " 3"]) -> Float[Array, " 3"]:
    """Black on light colours, white on dark ones."""
    light = colour @ jnp.array([0.3, 0.6, 0.1]) > 0.6
    return jnp.where(light, jnp.array(PALETTE["black"]), jnp.array(PALETTE["white"]))


def _overlay(
    base: Float[Array, " 3"], mark: Float[Array, " 3"], inside: Field
) -> Float[Array, "H W 3"]:
    return base + jnp.clip(inside, 0, 1)[..., None] * (mark - base)


def paint_tail(canvas: Canvas, points: Points, code: Code, pose: Pose) -> Canvas:
    """The tail, behind the body: four shapes, plain or banded."""
    place = local_frame(points, (-0.30, 0.20), np.pi + pose["tail turn"])
    fan = intersection(
        circle(place, (0.0, 0.0), 0.56),
        half_plane(place, (0.0, 0.0), (1.0, -0.62)),
        half_plane(place, (1.0, 0.62), (0.0, 0.0)),
    )
    prongs = (
        tapered_line(place, (0.0, side * 0.03), (0.56, side * 0.25), (0.09, 0.06))
        for side in (-1, 1)
    )
    racket = union(
        tapered_line(place, (0.0, 0.0), (0.45, 0.0), (0.07, 0.045)),
        ellipse(place, (0.54, 0.0), (0.14, 0.15)),
    )
    corners = ((0.0, -0.13), (0.44, -0.17), (0.44, 0.17), (0.0, 0.13))
    shape = _select(
        code,
        "tail",
        {
            "fanned": fan,
            "forked": union(*prongs),
            "racket": racket,
            "square": convex_polygon(place, corners),
        },
    )
    colour = _colour_of(code, "tail")
    bands = 4 * jnp.sin(place[0] * (2 * np.pi / 0.19) + 2.2) * code["tail pattern"]
    painted = _overlay(colour, _contrast(colour), bands)
    return _paint_rimmed(canvas, shape, painted, "tail")


def paint_feet(canvas: Canvas, points: Points, code: Code, pose: Pose) -> Canvas:
    """Two legs, each with three thin claws or on a broad web."""
    colour = _colour_of(code, "feet")
    for hip, turn in ((-0.10, pose["far leg turn"]), (0.17, pose["near leg turn"])):
        place = local_frame(points, (hip, 0.32), turn)
        claws = (
            tapered_line(place, (0.0, 0.34), toe, (0.035, 0.025))
            for toe in ((-0.15, 0.46), (0.04, 0.52), (0.19, 0.42))
        )
        web = convex_polygon(place, ((0.0, 0.16), (0.24, 0.50), (-0.16, 0.50)))
        feet = _select(code, "feet", {"clawed": union(*claws), "webbed": web})
        leg = tapered_line(place, (0.0, 0.0), (0.0, 0.34), (0.045, 0.035))
        canvas = _paint_rimmed(canvas, union(leg, feet), colour, "feet")
    return canvas


def paint_body(
    canvas: Canvas, points: Points, head: Points, plumage: Float[Array, " 3"]
) -> Canvas:
    """Body and head in one plumage with a lighter belly: tells nothing of the class."""
    trunk = ellipse(local_frame(points, (0.0, 0.12), -0.35), (0.0, 0.0), (0.42, 0.29))
    skull = circle(head, (0.14, -0.16), 0.25)
    shape = smooth_union(trunk, skull, 0.25)
    belly = jnp.clip((points[1] - 0.05) * 2.5, 0, 0.7)
    light = plumage + 0.6 * (1 - plumage)
    return _paint_rimmed(canvas, shape, _overlay(plumage, light, belly), "")


def paint_crown(canvas: Canvas, head: Points, code: Code) -> Canvas:
    """What sits on the head: spikes, a plume, a cap or a fan."""
    spikes = (
        convex_polygon(
            local_frame(head, (0.14, -0.16), turn),
            ((-0.075, -0.20), (0.0, -0.46), (0.075, -0.20)),
        )
        for turn in (-0.62, -0.05, 0.52)
    )
    plume = union(
        tapered_line(head, (0.10, -0.36), (-0.06, -0.50), (0.06, 0.05)),
        ellipse(head, (-0.15, -0.48), (0.13, 0.09)),
    )
    cap = intersection(
        circle(head, (0.14, -0.16), 0.27),
        half_plane(head, (0.50, -0.22), (-0.15, -0.26)),
    )
    place = local_frame(head, (0.12, -0.20), -0.40)
    fan = intersection(
        circle(place, (0.0, 0.0), 0.46),
        half_plane(place, (0.0, 0.0), (-0.52, -1.0)),
        half_plane(place, (0.52, -1.0), (0.0, 0.0)),
    )
    shape = _select(
        code,
        "crown",
        {
            "spiked": union(*spikes),
            "plumed": plume,
            "capped": cap,
            "fanned": fan,
        },
    )
    return _paint_rimmed(canvas, shape, _colour_of(code, "crown"), "crown")


def paint_beak(canvas: Canvas, head: Points, code: Code) -> Canvas:
    """The beak: dagger, cone, hook or spoon."""
    place = local_frame(head, (0.35, -0.13), 0.0)
    hook = union(
        tapered_line(place, (0.0, 0.0), (0.20, 0.0), (0.11, 0.08)),
        tapered_line(place, (0.20, 0.0), (0.23, 0.17), (0.08, 0.03)),
    )
    spoon = union(
        tapered_line(place, (0.0, 0.0), (0.26, 0.02), (0.05, 0.04)),
        ellipse(place, (0.33, 0.03), (0.12, 0.11)),
    )
    dagger = ((0.0, -0.075), (0.48, 0.0), (0.0, 0.075))
    cone = ((-0.05, -0.16), (0.24, 0.03), (-0.05, 0.16))
    shape = _select(
        code,
        "beak",
        {
            "dagger": convex_polygon(place, dagger),
            "cone": convex_polygon(place, cone),
            "hooked": hook,
            "spoon": spoon,
        },
    )
    return _paint_rimmed(canvas, shape, _colour_of(code, "beak"), "beak")


def paint_eye(canvas: Canvas, head: Points, code: Code) -> Canvas:
    """A coloured iris with a pupil, in a dark mask or without."""
    mask = tapered_line(head, (-0.08, -0.13), (0.24, -0.18), (0.07, 0.13))
    mask = jnp.where(code["eye pattern"] == 1, mask, 1.0)
    canvas = paint(canvas, mask, jnp.array(PALETTE["black"]), "eye")
    iris = circle(head, (0.19, -0.18), 0.115)
    canvas = _paint_rimmed(canvas, iris, _colour_of(code, "eye"), "eye")
    pupil = circle(head, (0.20, -0.18), 0.05)
    return paint(canvas, pupil, jnp.array(PALETTE["black"]), "eye")


def paint_wing(canvas: Canvas, points: Points, code: Code, pose: Pose) -> Canvas:
    """The folded wing: plain, striped across, spotted or tipped."""
    place = local_frame(points, (0.12, 0.06), np.pi - 0.30 + pose["wing turn"])
    x, y = place
    shape = tapered_line(place, (0.02, 0.0), (0.46, 0.0), (0.20, 0.06))
    stripes = 4 * jnp.sin(x * (2 * np.pi / 0.22))
    spots = 6 * (
        jnp.cos(x * (2 * np.pi / 0.20)) + jnp.cos(y * (2 * np.pi / 0.20)) - 0.6
    )
    tip = (x - 0.22) * canvas.sharpness
    marks = jnp.stack([jnp.zeros_like(x), stripes, spots, tip])[code["wing pattern"]]
    colour = _colour_of(code, "wing")
    painted = _overlay(colour, _contrast(colour), marks)
    return _paint_rimmed(canvas, shape, painted, "wing")


def paint_bird(
    canvas: Canvas,
    points: Points,
    code: Code,
    pose: Pose,
    plumage: Float[Array, " 3"],
) -> Canvas:
    """Paints a whole bird.

    Args:
        canvas: the background.
        points: pixel coordinates in the bird's frame.
        code: the class, from `code_by_name`.
        pose: "head turn", "tail turn", "wing turn", "near leg turn" and
            "far leg turn", in radians.
        plumage: RGB of body and head.

    Returns:
        The canvas with the bird on it.
    """
    head = local_frame(points, (0.22, -0.10), pose["head turn"])
    canvas = paint_tail(canvas, points, code, pose)
    canvas = paint_feet(canvas, points, code, pose)
    canvas = paint_beak(canvas, head, code)
    canvas = paint_body(canvas, points, head, plumage)
    canvas = paint_crown(canvas, head, code)
    canvas = paint_eye(canvas, head, code)
    return paint_wing(canvas, points, code, pose)
