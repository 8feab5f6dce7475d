"""Maps twice as fine from a stage of stride 2, without a new weight.

A stage of stride 2 looks at every second pixel. Run on the four copies of its input
that are shifted by 0 or 1 pixel along each axis, it looks at all of them; the four
answers, interleaved, are what the same layers give as dilated convolutions at stride 1.
Pretrained weights keep their meaning: every second position is the plain answer.
"""

from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

_SHIFTS = tuple((row, column) for row in (0, 1) for column in (0, 1))


def last_strided(strides: Sequence[int]) -> int:
    """Returns the index of the last stage of stride 2, −1 where there is none."""
    return max((i for i, stride in enumerate(strides) if stride == 2), default=-1)


def shifted_copies(inputs: Float[Array, "N H W D"]) -> Float[Array, "M H W D"]:
    """Shifts the maps towards their origin by (0, 0), (0, 1), (1, 0) and (1, 1).

    Args:
      inputs: [N, H, W, D].

    Returns:
      [4·N, H, W, D], all samples at one shift after another; zeros enter at the end.
    """
    _, height, width, _ = inputs.shape
    padded = jnp.pad(inputs, ((0, 0), (0, 1), (0, 1), (0, 0)))
    copies = [
        padded[:, row : row + height, column : column + width]
        for row, column in _SHIFTS
    ]
    return jnp.concatenate(copies)


def interleaved(
    outputs: Float[Array, "M h w F"], height: int, width: int
) -> Float[Array, "N H W F"]:
    """Puts what a stage of stride 2 made of `shifted_copies` side by side.

    Args:
      outputs: [4·N, h, w, F].
      height: H of the stage's input, 2·h or 2·h − 1.
      width: W of the stage's input, 2·w or 2·w − 1.

    Returns:
      [N, H, W, F].
    """
    copies, rows, columns, features = outputs.shape
    samples = copies // len(_SHIFTS)
    tiles = outputs.reshape(2, 2, samples, rows, columns, features)
    fine = tiles.transpose(2, 3, 0, 4, 1, 5)
    fine = fine.reshape(samples, 2 * rows, 2 * columns, features)
    return fine[:, :height, :width]
