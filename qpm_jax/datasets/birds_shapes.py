"""Signed distances of plain shapes: the pencil of the built-in birds.

Each function takes the coordinates of all pixels, as a pair of arrays, and gives
each pixel's distance to the outline: negative inside, positive outside. Coordinates
run right and down; the picture's half width is one unit.
"""

from collections.abc import Sequence
from functools import reduce

import jax.numpy as jnp
from jaxtyping import Array, Float

Field = Float[Array, "H W"]
Points = tuple[Field, Field]
Scalar = float | Float[Array, ""]
Place = tuple[Scalar, Scalar]


def local_frame(points: Points, origin: Place, angle: Scalar) -> Points:
    """Coordinates of the points in a frame at `origin`, turned by `angle` radians."""
    x, y = points[0] - origin[0], points[1] - origin[1]
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    return cosine * x + sine * y, cosine * y - sine * x


def circle(points: Points, centre: Place, radius: Scalar) -> Field:
    """Distance to a circle."""
    x, y = points[0] - centre[0], points[1] - centre[1]
    return jnp.sqrt(x**2 + y**2) - radius


def ellipse(points: Points, centre: Place, radii: Place) -> Field:
    """Distance to an ellipse along the axes, exact to first order at its outline."""
    x, y = points[0] - centre[0], points[1] - centre[1]
    ring = jnp.sqrt((x / radii[0]) ** 2 + (y / radii[1]) ** 2)
    slope = jnp.sqrt((x / radii[0] ** 2) ** 2 + (y / radii[1] ** 2) ** 2)
    # The offsets only matter at the centre, where ring and slope are both zero.
    offset = 1e-6
    return (ring - 1) * (ring + offset * jnp.minimum(*radii)) / (slope + offset)


def tapered_line(points: Points, start: Place, end: Place, radii: Place) -> Field:
    """Distance to a round-ended line that is `radii[0]` to `radii[1]` thick."""
    x, y = points[0] - start[0], points[1] - start[1]
    run, rise = end[0] - start[0], end[1] - start[1]
    along = jnp.clip((x * run + y * rise) / (run**2 + rise**2), 0, 1)
    thickness = radii[0] + (radii[1] - radii[0]) * along
    return jnp.sqrt((x - run * along) ** 2 + (y - rise * along) ** 2) - thickness


def half_plane(points: Points, start: Place, end: Place) -> Field:
    """Distance to the half plane on the right hand of one who walks start to end."""
    run, rise = end[0] - start[0], end[1] - start[1]
    outward = (points[0] - start[0]) * rise - (points[1] - start[1]) * run
    return outward / jnp.sqrt(jnp.asarray(run**2 + rise**2))


def convex_polygon(points: Points, corners: Sequence[Place]) -> Field:
    """Distance to a convex polygon, corners clockwise as seen on the picture.

    Too small beyond a corner, which only makes corners crisp.
    """
    ends = [*corners[1:], corners[0]]
    sides = (half_plane(points, *side) for side in zip(corners, ends, strict=True))
    return intersection(*sides)


def union(*shapes: Field) -> Field:
    """Distance to what lies in any of the shapes."""
    return reduce(jnp.minimum, shapes)


def intersection(*shapes: Field) -> Field:
    """Distance to what lies in all of the shapes."""
    return reduce(jnp.maximum, shapes)


def smooth_union(first: Field, second: Field, blend: float) -> Field:
    """Union whose seam is filled over the width `blend`, as clay would be."""
    overlap = jnp.maximum(blend - jnp.abs(first - second), 0) / blend
    return jnp.minimum(first, second) - overlap**2 * blend / 4
