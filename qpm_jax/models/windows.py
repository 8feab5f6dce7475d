"""Attention inside square windows of the maps, with a bias for relative position.

Liu et al. 2021 (arXiv 2103.14030), section 3.2. Windows that are shifted reach across
the border by a cyclic roll; positions that were not neighbours before it do not attend
to each other.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jaxtyping import Array, Float, Int

KERNEL_INIT = nn.initializers.truncated_normal(0.02)
# Added to the attention between positions that the roll alone made neighbours.
APART = -100.0


class WindowAttention(nn.Module):
    """Self-attention inside windows, over maps of any size.

    Attributes:
      heads: number of attention heads.
      size: side of a window.
      shift: by how much the windows are moved; 0 along an axis that one window covers.
    """

    heads: int
    size: int = 7
    shift: int = 0

    @nn.compact
    def __call__(self, inputs: Float[Array, "N H W D"]) -> Float[Array, "N H W D"]:
        """Returns maps of the inputs' shape; zeros fill windows at the border."""
        samples, height, width, channels = inputs.shape
        table = self.param(
            "position_bias", KERNEL_INIT, ((2 * self.size - 1) ** 2, self.heads)
        )
        missing = [-length % self.size for length in (height, width)]
        padded = jnp.pad(inputs, ((0, 0), (0, missing[0]), (0, missing[1]), (0, 0)))
        rows, columns = padded.shape[1:3]
        shifts = [self.shift if n > self.size else 0 for n in (rows, columns)]
        rolled = jnp.roll(padded, [-shift for shift in shifts], axis=(1, 2))
        windows = to_windows(rolled, self.size)
        bias = table[relative_positions(self.size)].transpose(2, 0, 1)[None]
        if any(shifts):
            apart = separations(rows, columns, self.size, shifts)[:, None]
            bias = jnp.tile(bias + apart, (samples, 1, 1, 1))
        mixed = attend(windows, bias, self.heads)
        mixed = nn.Dense(channels, kernel_init=KERNEL_INIT, name="proj")(mixed)
        outputs = from_windows(mixed, samples, rows, columns)
        return jnp.roll(outputs, shifts, axis=(1, 2))[:, :height, :width]


def attend(
    tokens: Float[Array, "N T D"],
    bias: Float[Array, "M heads T T"] | None,
    heads: int,
) -> Float[Array, "N T D"]:
    """Multi-head self-attention without its last layer; a module's own dense "qkv".

    Args:
      tokens: [N, T, D].
      bias: added to the attention before the softmax, for each of the N or for all
        (M = 1), or None.
      heads: number of heads; D is a multiple of it.

    Returns:
      [N, T, D], the heads side by side.
    """
    samples, length, channels = tokens.shape
    joint = nn.Dense(3 * channels, kernel_init=KERNEL_INIT, name="qkv")(tokens)
    split = joint.reshape(samples, length, 3, heads, channels // heads)
    query, key, value = (split[:, :, part] for part in range(3))
    mixed = jax.nn.dot_product_attention(query, key, value, bias=bias)
    return mixed.reshape(samples, length, channels)


def to_windows(maps: Float[Array, "N H W D"], size: int) -> Float[Array, "windows T D"]:
    """Cuts maps into windows of T = size² positions, sample by sample, row by row."""
    samples, height, width, channels = maps.shape
    tiles = maps.reshape(
        samples, height // size, size, width // size, size, channels
    ).transpose(0, 1, 3, 2, 4, 5)
    return tiles.reshape(-1, size * size, channels)


def from_windows(
    windows: Float[Array, "windows T D"], samples: int, height: int, width: int
) -> Float[Array, "N H W D"]:
    """Puts the windows of `to_windows` back together."""
    channels = windows.shape[-1]
    size = int(windows.shape[1] ** 0.5)
    tiles = windows.reshape(
        samples, height // size, width // size, size, size, channels
    ).transpose(0, 1, 3, 2, 4, 5)
    return tiles.reshape(samples, height, width, channels)


def relative_positions(size: int) -> Int[np.ndarray, "T T"]:
    """Index of each pair of a window's positions into the table of biases."""
    row, column = np.divmod(np.arange(size * size), size)
    below = row[:, None] - row[None, :] + size - 1
    right = column[:, None] - column[None, :] + size - 1
    return below * (2 * size - 1) + right


def separations(
    height: int, width: int, size: int, shifts: list[int]
) -> Float[np.ndarray, "windows T T"]:
    """0 between positions of rolled maps that were neighbours before, else `APART`."""
    regions = [
        (np.arange(length) >= length - size) * 1 + (np.arange(length) >= length - shift)
        if shift
        else np.zeros(length, int)
        for length, shift in zip((height, width), shifts, strict=True)
    ]
    region = 3 * regions[0][:, None] + regions[1][None, :]
    tiles = region.reshape(height // size, size, width // size, size)
    tiles = tiles.transpose(0, 2, 1, 3).reshape(-1, size * size)
    apart = tiles[:, :, None] != tiles[:, None, :]
    return np.where(apart, APART, 0.0).astype(np.float32)
