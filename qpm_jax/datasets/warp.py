"""Images moved, turned, scaled and sheared: one affine map an image, one gather."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def inverse_affine(
    angle: Float[Array, " N"] | float = 0.0,
    scale: Float[Array, " N"] | float = 1.0,
    shear: tuple[Float[Array, " N"] | float, Float[Array, " N"] | float] = (0.0, 0.0),
    shift: tuple[Float[Array, " N"] | float, Float[Array, " N"] | float] = (0.0, 0.0),
) -> Float[Array, "N 2 3"]:
    """Returns the maps from a pixel of the result to where it is read in the image.

    Coordinates are (x right, y down) in pixels from the image's centre.

    Args:
        angle: radians, counter-clockwise as seen.
        scale: above 1 enlarges.
        shear: slope of (x by y, y by x).
        shift: pixels (right, down).

    Returns:
        [N,2,3]: source (x, y) = first two columns @ (x, y) + last column.
    """
    angle, scale, shear_x, shear_y, right, down = jnp.broadcast_arrays(
        *map(jnp.atleast_1d, (angle, scale, *shear, *shift))
    )
    cos, sin = jnp.cos(angle) / scale, jnp.sin(angle) / scale
    rows = jnp.stack(
        [
            jnp.stack([cos - sin * shear_y, cos * shear_x - sin]),
            jnp.stack([sin + cos * shear_y, sin * shear_x + cos]),
        ]
    )
    linear = jnp.moveaxis(rows, -1, 0)
    # written out: accelerators round the factors of a matrix product
    offset = -(linear[..., 0] * right[:, None] + linear[..., 1] * down[:, None])
    return jnp.concatenate([linear, offset[..., None]], axis=-1)


def warp_bilinear(
    images: Float[Array, "N H W 3"], matrices: Float[Array, "N 2 3"]
) -> Float[Array, "N H W 3"]:
    """Reads each pixel between the four nearest; outside, the border pixel repeats.

    Args:
        images: float.
        matrices: from `inverse_affine`.

    Returns:
        float, same shape.
    """
    height, width = images.shape[1:3]
    x, y = source_positions(matrices, height, width)
    x, y = jnp.clip(x, 0, width - 1), jnp.clip(y, 0, height - 1)
    left, top = jnp.floor(x).astype(jnp.int32), jnp.floor(y).astype(jnp.int32)
    right, bottom = jnp.minimum(left + 1, width - 1), jnp.minimum(top + 1, height - 1)
    across, down = (x - left)[..., None], (y - top)[..., None]
    upper = (1 - across) * pick(images, top, left) + across * pick(images, top, right)
    lower = (1 - across) * pick(images, bottom, left) + across * pick(
        images, bottom, right
    )
    return (1 - down) * upper + down * lower


def warp_nearest(
    images: Float[Array, "N H W 3"], matrices: Float[Array, "N 2 3"]
) -> Float[Array, "N H W 3"]:
    """Reads each pixel from the nearest; outside is black.

    Args:
        images: float.
        matrices: from `inverse_affine`.

    Returns:
        float, same shape.
    """
    height, width = images.shape[1:3]
    x, y = source_positions(matrices, height, width)
    x = jnp.floor(x + 0.5).astype(jnp.int32)
    y = jnp.floor(y + 0.5).astype(jnp.int32)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    picked = pick(images, jnp.clip(y, 0, height - 1), jnp.clip(x, 0, width - 1))
    return jnp.where(inside[..., None], picked, 0)


def source_positions(
    matrices: Float[Array, "N 2 3"], height: int, width: int
) -> tuple[Float[Array, "N H W"], Float[Array, "N H W"]]:
    """Returns the x and y that each pixel of the result is read at."""
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    columns = jnp.arange(width) - middle_x
    rows = (jnp.arange(height) - middle_y)[:, None]
    m = matrices[:, :, :, None, None]
    x = m[:, 0, 0] * columns + m[:, 0, 1] * rows + m[:, 0, 2] + middle_x
    y = m[:, 1, 0] * columns + m[:, 1, 1] * rows + m[:, 1, 2] + middle_y
    return x, y


def pick(
    images: Float[Array, "N H W 3"],
    rows: Int[Array, "N H W"],
    columns: Int[Array, "N H W"],
) -> Float[Array, "N H W 3"]:
    """Returns the pixels at (rows, columns) of each image."""
    return jax.vmap(lambda image, r, c: image[r, c])(images, rows, columns)
