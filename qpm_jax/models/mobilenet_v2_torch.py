"""MobileNetV2 as torchvision has it: batch normalisation, symmetric padding.

Sandler et al. 2018 (arXiv 1801.04381), table 2. The form with folded normalisations and
TensorFlow's padding is in `mobilenet_v2`.
"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from qpm_jax.models.batch_norm import BatchNorm
from qpm_jax.models.depthwise import DepthwiseConv
from qpm_jax.models.mobilenet_v2 import NUM_FEATURES, STAGES, STEM_FEATURES
from qpm_jax.models.pointwise import PointwiseConv
from qpm_jax.models.shifts import Layer, in_turn, in_turn_finer

PADDING = ((1, 1), (1, 1))
KERNEL_INIT = nn.initializers.variance_scaling(2.0, "fan_out", "normal")


def _pointwise(features: int, name: str) -> PointwiseConv:
    return PointwiseConv(features, use_bias=False, kernel_init=KERNEL_INIT, name=name)


class InvertedResidual(nn.Module):
    """Expand by 1×1, filter by 3×3 depthwise, project by 1×1, each normalised."""

    features: int
    expansion: int
    stride: int = 1

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "N H W D"], train: bool = False
    ) -> Float[Array, "N h w E"]:
        """Returns the projection, plus the inputs where their shapes agree."""
        hidden = inputs
        if self.expansion != 1:
            width = self.expansion * inputs.shape[-1]
            hidden = _pointwise(width, "expand")(hidden)
            hidden = jax.nn.relu6(BatchNorm(name="expand_norm")(hidden, train))
        hidden = DepthwiseConv(
            (3, 3),
            strides=(self.stride, self.stride),
            padding=PADDING,
            use_bias=False,
            name="depthwise",
        )(hidden)
        hidden = jax.nn.relu6(BatchNorm(name="depthwise_norm")(hidden, train))
        outputs = _pointwise(self.features, "project")(hidden)
        outputs = BatchNorm(name="project_norm")(outputs, train)
        if outputs.shape == inputs.shape:
            return inputs + outputs
        return outputs


class MobileNetV2(nn.Module):
    """Backbone of `mobilenet_v2`: images to maps of 1280 features, after a ReLU6.

    Attributes:
      stages: (expansion, channels, repeats, stride of the first block) of each stage.
      num_features: channels of the last 1×1 convolution, F.
      reduced_strides: maps twice as fine, as if the last stage of stride 2 had stride 1
        and dilated convolutions after it.
    """

    stages: Sequence[tuple[int, int, int, int]] = STAGES
    num_features: int = NUM_FEATURES
    reduced_strides: bool = False

    @nn.compact
    def __call__(
        self, images: Float[Array, "N h w 3"], train: bool = False
    ) -> Float[Array, "N H W F"]:
        """Returns the maps before pooling, between 0 and 6.

        [N, ⌈h/32⌉, ⌈w/32⌉, F], or [N, ⌈h/16⌉, ⌈w/16⌉, F] with reduced strides.
        """
        hidden = nn.Conv(
            STEM_FEATURES,
            (3, 3),
            strides=(2, 2),
            padding=PADDING,
            use_bias=False,
            kernel_init=KERNEL_INIT,
            name="stem",
        )(jnp.asarray(images))
        hidden = jax.nn.relu6(BatchNorm(name="stem_norm")(hidden, train))
        layers: list[Layer] = []
        strides: list[int] = []
        for expansion, features, repeats, first in self.stages:
            for stride in (first, *[1] * (repeats - 1)):
                name = f"block{len(layers):02d}"
                block = InvertedResidual(features, expansion, stride, name=name)
                layers.append(functools.partial(block, train=train))
                strides.append(stride)
        if self.reduced_strides:
            hidden = in_turn_finer(layers, strides, hidden)
        else:
            hidden = in_turn(layers, hidden)
        hidden = _pointwise(self.num_features, "head")(hidden)
        return jax.nn.relu6(BatchNorm(name="head_norm")(hidden, train))
