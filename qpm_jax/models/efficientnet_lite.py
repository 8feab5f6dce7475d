"""EfficientNet-Lite0: EfficientNet without squeeze-and-excitation, with ReLU6.

Tan and Le 2019 (arXiv 1905.11946), table 1, in the form of TensorFlow's Lite models:
"same" padding with the larger half at the end, batch normalisation with epsilon 1e-3,
stem and head not scaled.
"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from qpm_jax.models.depthwise import DepthwiseConv
from qpm_jax.models.pointwise import PointwiseConv
from qpm_jax.models.shifts import Layer, in_turn, in_turn_finer

# (expansion, channels, repeats, stride of the first, kernel) of arXiv 1905.11946.
STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
STEM_FEATURES = 32
NUM_FEATURES = 1280
EPSILON = 1e-3
KERNEL_INIT = nn.initializers.variance_scaling(2.0, "fan_out", "truncated_normal")


def _pointwise(features: int, name: str) -> PointwiseConv:
    return PointwiseConv(features, use_bias=False, name=name)


def _normalise(name: str, train: bool) -> nn.BatchNorm:
    return nn.BatchNorm(
        use_running_average=not train, momentum=0.9, epsilon=EPSILON, name=name
    )


class InvertedResidual(nn.Module):
    """Expand by 1×1, filter depthwise, project by 1×1, each with normalisation."""

    features: int
    expansion: int
    stride: int = 1
    size: int = 3

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "N H W D"], train: bool = False
    ) -> Float[Array, "N h w E"]:
        """Returns the projection, plus the inputs where their shapes agree."""
        hidden = inputs
        if self.expansion != 1:
            width = self.expansion * inputs.shape[-1]
            hidden = _pointwise(width, "expand")(hidden)
            hidden = jax.nn.relu6(_normalise("expand_norm", train)(hidden))
        hidden = DepthwiseConv(
            (self.size, self.size),
            strides=(self.stride, self.stride),
            use_bias=False,
            name="depthwise",
        )(hidden)
        hidden = jax.nn.relu6(_normalise("depthwise_norm", train)(hidden))
        outputs = _pointwise(self.features, "project")(hidden)
        outputs = _normalise("project_norm", train)(outputs)
        if outputs.shape == inputs.shape:
            return inputs + outputs
        return outputs


class EfficientNetLite(nn.Module):
    """Backbone of `efficientnet_lite0`: (x − 127)/128 to maps of 1280 features.

    Attributes:
      stages: (expansion, channels, repeats, stride of the first block, kernel size) of
        each stage.
      num_features: channels of the last 1×1 convolution, F.
      reduced_strides: maps twice as fine, as if the last stage of stride 2 had stride 1
        and dilated convolutions after it.
    """

    stages: Sequence[tuple[int, int, int, int, int]] = STAGES
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
            use_bias=False,
            kernel_init=KERNEL_INIT,
            name="stem",
        )(jnp.asarray(images))
        hidden = jax.nn.relu6(_normalise("stem_norm", train)(hidden))
        layers: list[Layer] = []
        strides: list[int] = []
        for expansion, features, repeats, first, size in self.stages:
            for stride in (first, *[1] * (repeats - 1)):
                name = f"block{len(layers):02d}"
                block = InvertedResidual(features, expansion, stride, size, name=name)
                layers.append(functools.partial(block, train=train))
                strides.append(stride)
        if self.reduced_strides:
            hidden = in_turn_finer(layers, strides, hidden)
        else:
            hidden = in_turn(layers, hidden)
        hidden = _pointwise(self.num_features, "head")(hidden)
        return jax.nn.relu6(_normalise("head_norm", train)(hidden))
