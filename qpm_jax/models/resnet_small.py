"""A small residual network for 64 px images, fast enough to train on two cores.

Pre-activation blocks (He et al. 2016, arXiv 1603.05027) in three stages. As QPM needs
non-negative maps (docs/formulas.md, Model and head), the network ends in batch
normalisation and ReLU. The stem reads 2×2 pixel tiles as channels first: a 3-channel
convolution at full resolution is what CPUs are slowest at. For the same reason the
first stage halves the resolution at once.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from qpm_jax.models.pointwise import PointwiseConv

KERNEL_INIT = nn.initializers.variance_scaling(2.0, "fan_out", "truncated_normal")


def space_to_depth(
    images: Float[Array, "N H W D"], tile: int = 2
) -> Float[Array, "N h w E"]:
    """Reads each tile×tile square of pixels as the channels of one position.

    Args:
      images: [N, H, W, D]; H and W are multiples of `tile`.
      tile: side of the square in pixels.

    Returns:
      [N, H/tile, W/tile, tile·tile·D], the same numbers.

    Raises:
      ValueError: where H or W is not a multiple of `tile`.
    """
    samples, height, width, depth = images.shape
    if height % tile or width % tile:
        raise ValueError(
            f"images: height and width must be multiples of {tile}, got"
            f" {height}×{width}; resize or pad the images"
        )
    tiles = images.reshape(samples, height // tile, tile, width // tile, tile, depth)
    return tiles.transpose(0, 1, 3, 2, 4, 5).reshape(
        samples, height // tile, width // tile, tile * tile * depth
    )


def _convolution(features: int, stride: int, name: str) -> nn.Conv:
    return nn.Conv(
        features,
        (3, 3),
        strides=(stride, stride),
        use_bias=False,
        kernel_init=KERNEL_INIT,
        name=name,
    )


class PreActivationBlock(nn.Module):
    """Two 3×3 convolutions, each after normalisation and ReLU, plus a shortcut."""

    features: int
    inner_features: int
    stride: int = 1

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "N H W D"], train: bool = False
    ) -> Float[Array, "N h w E"]:
        """Returns the block's output, before any activation."""
        hidden = jax.nn.relu(_normalise("norm1", train)(inputs))
        shortcut = inputs
        if self.stride != 1 or inputs.shape[-1] != self.features:
            kept = hidden[:, :: self.stride, :: self.stride]
            shortcut = PointwiseConv(self.features, use_bias=False, name="shortcut")(
                kept
            )
        hidden = _convolution(self.inner_features, self.stride, "conv1")(hidden)
        hidden = jax.nn.relu(_normalise("norm2", train)(hidden))
        return shortcut + _convolution(self.features, 1, "conv2")(hidden)


def _normalise(name: str, train: bool) -> nn.BatchNorm:
    return nn.BatchNorm(use_running_average=not train, momentum=0.9, name=name)


class ResNetSmall(nn.Module):
    """Backbone of `resnet_small`: images to non-negative maps of `widths[-1]` features.

    Attributes:
      widths: channels of each stage; the last is the number of features.
      inner_widths: channels between the two convolutions of a stage's blocks.
      depths: blocks in each stage.
      strides: stride of each stage's first block, after the stem's tiles of 2×2.
    """

    widths: Sequence[int] = (32, 64, 192)
    inner_widths: Sequence[int] = (16, 64, 128)
    depths: Sequence[int] = (1, 1, 2)
    strides: Sequence[int] = (2, 1, 2)

    @nn.compact
    def __call__(
        self, images: Float[Array, "N h w 3"], train: bool = False
    ) -> Float[Array, "N H W F"]:
        """Returns the maps before pooling: [N, h/8, w/8, F] at the usual strides."""
        hidden = space_to_depth(jnp.asarray(images))
        hidden = _convolution(self.widths[0], 1, "stem")(hidden)
        stages = zip(
            self.widths, self.inner_widths, self.depths, self.strides, strict=True
        )
        for stage, (width, inner_width, depth, stride) in enumerate(stages):
            for block in range(depth):
                hidden = PreActivationBlock(
                    width,
                    inner_width,
                    stride if block == 0 else 1,
                    name=f"stage{stage + 1}_block{block + 1}",
                )(hidden, train)
        return jax.nn.relu(_normalise("norm", train)(hidden))
