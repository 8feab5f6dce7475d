"""ResNet-18, -34 and -50, as torchvision and timm have them.

He et al. 2016 (arXiv 1512.03385), table 1, with the stride of a bottleneck in its 3×3
convolution ("version 1.5"). With reduced strides, as published for QPM
(docs/formulas.md, Model and head), stages 3 and 4 keep the resolution of stage 2.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from qpm_jax.models.batch_norm import BatchNorm
from qpm_jax.models.pointwise import PointwiseConv

WIDTHS = (64, 128, 256, 512)
STRIDES = (1, 2, 2, 2)
REDUCED_STRIDES = (1, 2, 1, 1)
KERNEL_INIT = nn.initializers.variance_scaling(2.0, "fan_out", "normal")


def _convolution(features: int, stride: int, name: str) -> nn.Conv:
    return nn.Conv(
        features,
        (3, 3),
        strides=(stride, stride),
        padding=((1, 1), (1, 1)),
        use_bias=False,
        kernel_init=KERNEL_INIT,
        name=name,
    )


def _pointwise(features: int, name: str) -> PointwiseConv:
    return PointwiseConv(features, use_bias=False, kernel_init=KERNEL_INIT, name=name)


def _shortcut(
    inputs: Float[Array, "N H W D"], features: int, stride: int, train: bool
) -> Float[Array, "N h w E"]:
    """The block's inputs, through a 1×1 convolution where the shapes differ."""
    if stride == 1 and inputs.shape[-1] == features:
        return inputs
    kept = inputs[:, ::stride, ::stride]
    projected = _pointwise(features, "shortcut")(kept)
    return BatchNorm(name="shortcut_norm")(projected, train)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut; `width` channels come out.

    Attributes:
      width: channels of both convolutions.
      stride: of the first.
    """

    width: int
    stride: int = 1

    expansion = 1  # output channels over width

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "N H W D"], train: bool = False
    ) -> Float[Array, "N h w E"]:
        """Returns the block's output, after its ReLU."""
        hidden = _convolution(self.width, self.stride, "conv1")(inputs)
        hidden = jax.nn.relu(BatchNorm(name="norm1")(hidden, train))
        hidden = _convolution(self.width, 1, "conv2")(hidden)
        hidden = BatchNorm(name="norm2")(hidden, train)
        return jax.nn.relu(hidden + _shortcut(inputs, self.width, self.stride, train))


class Bottleneck(nn.Module):
    """1×1, 3×3 and 1×1 convolutions and a shortcut; 4·`width` channels come out.

    Attributes:
      width: channels of the first two convolutions.
      stride: of the 3×3 convolution.
    """

    width: int
    stride: int = 1

    expansion = 4

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "N H W D"], train: bool = False
    ) -> Float[Array, "N h w E"]:
        """Returns the block's output, after its ReLU."""
        features = self.expansion * self.width
        hidden = _pointwise(self.width, "conv1")(inputs)
        hidden = jax.nn.relu(BatchNorm(name="norm1")(hidden, train))
        hidden = _convolution(self.width, self.stride, "conv2")(hidden)
        hidden = jax.nn.relu(BatchNorm(name="norm2")(hidden, train))
        hidden = _pointwise(features, "conv3")(hidden)
        hidden = BatchNorm(name="norm3")(hidden, train)
        return jax.nn.relu(hidden + _shortcut(inputs, features, self.stride, train))


class ResNet(nn.Module):
    """Backbone of `resnet18`, `resnet34` and `resnet50`: images to maps after a ReLU.

    Attributes:
      block: `BasicBlock` or `Bottleneck`.
      depths: blocks in each of the four stages.
      strides: stride of each stage's first block, after the stem's 4.
    """

    block: type[BasicBlock | Bottleneck]
    depths: Sequence[int]
    strides: Sequence[int] = STRIDES

    @nn.compact
    def __call__(
        self, images: Float[Array, "N h w 3"], train: bool = False
    ) -> Float[Array, "N H W F"]:
        """Returns the maps before pooling.

        [N, ⌈h/32⌉, ⌈w/32⌉, F] at the usual strides, [N, ⌈h/8⌉, ⌈w/8⌉, F] at the
        reduced ones.
        """
        hidden = nn.Conv(
            WIDTHS[0],
            (7, 7),
            strides=(2, 2),
            padding=((3, 3), (3, 3)),
            use_bias=False,
            kernel_init=KERNEL_INIT,
            name="stem",
        )(jnp.asarray(images))
        hidden = jax.nn.relu(BatchNorm(name="stem_norm")(hidden, train))
        hidden = nn.max_pool(hidden, (3, 3), (2, 2), padding=((1, 1), (1, 1)))
        stages = zip(WIDTHS, self.depths, self.strides, strict=True)
        for stage, (width, depth, stride) in enumerate(stages, start=1):
            for number in range(1, depth + 1):
                block = self.block(
                    width,
                    stride if number == 1 else 1,
                    name=f"stage{stage}_block{number}",
                )
                hidden = block(hidden, train)
        return hidden
