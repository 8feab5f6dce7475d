"""Maps twice as fine from a stage of stride 2, without a new weight.

A stage of stride 2 looks at every second pixel. Run on the four copies of its input
that are shifted by 0 or 1 pixel along each axis, it looks at all of them; the four
answers, interleaved, are what the same layers give as dilated convolutions at stride 1,
but for the positions that see a border.
Pretrained weights keep their meaning: every second position is the plain answer.
"""

import functools
from collections.abc import Callable, Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

Layer = Callable[[Float[Array, "N H W D"]], Float[Array, "N h w E"]]

_SHIFTS = tuple((row, column) for row in (0, 1) for column in (0, 1))


def in_turn(
    layers: Sequence[Layer], inputs: Float[Array, "N H W D"]
) -> Float[Array, "N h w F"]:
    """Applies layers one after another.

    Args:
      layers: From maps to maps.
      inputs: [N, H, W, D].

    Returns:
      [N, h, w, F].
    """
    return functools.reduce(lambda hidden, layer: layer(hidden), layers, inputs)


def in_turn_finer(
    layers: Sequence[Layer], strides: Sequence[int], inputs: Float[Array, "N H W D"]
) -> Float[Array, "N h w F"]:
    """Applies layers as if the last of stride 2 had stride 1, dilated after it.

    Args:
      layers: From maps to maps.
      strides: 1 or 2, of each.
      inputs: [N, H, W, D].

    Returns:
      [N, h, w, F], twice as many rows and columns as from `in_turn`, less one where the
      last layer of stride 2 sees an odd number.
    """
    if 2 not in strides:
        return in_turn(layers, inputs)
    last = max(index for index, stride in enumerate(strides) if stride == 2)
    hidden = in_turn(layers[:last], inputs)
    coarse = in_turn(layers[last:], shifted_copies(hidden))
    return interleaved(coarse, *hidden.shape[1:3])


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
