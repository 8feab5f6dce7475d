"""Bicubic interpolation between grids, as PyTorch's `interpolate` does it.

Keys 1981 with a = −0.75, positions at the centres of cells, the border repeated and no
smoothing where the grid gets coarser (`align_corners=False, antialias=False`): what
position embeddings of published transformers were resized with.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

SHARPNESS = -0.75  # Keys' a


def resize_bicubic(
    grid: Float[Array, "H W D"], height: int, width: int
) -> Float[Array, "height width D"]:
    """Interpolates a grid of vectors.

    Args:
      grid: [H, W, D].
      height: rows wanted.
      width: columns wanted.

    Returns:
      [height, width, D]; the same numbers where the size does not change.
    """
    rows, columns = grid.shape[:2]
    if (rows, columns) == (height, width):
        return grid
    down = jnp.asarray(interpolation_weights(rows, height), grid.dtype)
    across = jnp.asarray(interpolation_weights(columns, width), grid.dtype)
    return jnp.einsum("ir,jc,rcd->ijd", down, across, grid, precision="highest")


def interpolation_weights(old: int, new: int) -> Float[np.ndarray, "new old"]:
    """Returns the weight of each old position in each new one; rows sum to 1."""
    centers = (np.arange(new) + 0.5) * old / new - 0.5
    first = np.floor(centers).astype(int)
    weights = np.zeros((new, old))
    for offset in (-1, 0, 1, 2):
        position = first + offset
        inside = np.clip(position, 0, old - 1)
        np.add.at(weights, (np.arange(new), inside), _keys(centers - position))
    return weights


def _keys(distance: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """The cubic convolution kernel."""
    size = np.abs(distance)
    near = ((SHARPNESS + 2) * size - (SHARPNESS + 3)) * size**2 + 1
    far = ((size - 5) * size + 8) * size * SHARPNESS - 4 * SHARPNESS
    return np.where(size <= 1, near, np.where(size < 2, far, 0.0))
