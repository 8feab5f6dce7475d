"""MobileNetV2 with batch normalisation folded into its convolutions.

Sandler et al. 2018 (arXiv 1801.04381), table 2, in TensorFlow's form: "same" padding
with the larger half at the end, ReLU6 except after a projection, a residual where the
stride is 1 and the channels match. Every convolution has a bias and none is followed by
a normalisation, as in weights exported for inference; biases train in fine-tuning.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from qpm_jax.models.depthwise import DepthwiseConv
from qpm_jax.models.inverted_residual import Stage, in_stages
from qpm_jax.models.pointwise import PointwiseConv

# (expansion, channels, repeats, stride of the first) of arXiv 1801.04381, table 2.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
STEM_FEATURES = 32
NUM_FEATURES = 1280
KERNEL_INIT = nn.initializers.variance_scaling(2.0, "fan_in", "truncated_normal")


def _pointwise(features: int, name: str) -> PointwiseConv:
    return PointwiseConv(features, kernel_init=KERNEL_INIT, name=name)


class FoldedInvertedResidual(nn.Module):
    """Expand by 1×1, filter by 3×3 depthwise, project by 1×1; biases, no norms."""

    features: int
    expansion: int
    stride: int = 1

    @nn.compact
    def __call__(self, inputs: Float[Array, "N H W D"]) -> Float[Array, "N h w E"]:
        """Returns the projection, plus the inputs where their shapes agree."""
        hidden = inputs
        if self.expansion != 1:
            width = self.expansion * inputs.shape[-1]
            hidden = jax.nn.relu6(_pointwise(width, "expand")(hidden))
        strides = (self.stride, self.stride)
        hidden = jax.nn.relu6(
            DepthwiseConv((3, 3), strides=strides, name="depthwise")(hidden)
        )
        outputs = _pointwise(self.features, "project")(hidden)
        if outputs.shape == inputs.shape:
            return inputs + outputs
        return outputs


class MobileNetV2Folded(nn.Module):
    """Backbone of `mobilenet_v2_tf`: x/128 − 1 to non-negative maps of 1280 features.

    Attributes:
      stages: (expansion, channels, repeats, stride of the first block) of each stage.
      num_features: channels of the last 1×1 convolution, F.
      reduced_strides: maps twice as fine, as if the last stage of stride 2 had stride 1
        and dilated convolutions after it.
      unbounded_maps: the last ReLU6 without its 6.
    """

    stages: Sequence[tuple[int, int, int, int]] = STAGES
    num_features: int = NUM_FEATURES
    reduced_strides: bool = False
    unbounded_maps: bool = False

    @nn.compact
    def __call__(
        self, images: Float[Array, "N h w 3"], train: bool = False
    ) -> Float[Array, "N H W F"]:
        """Returns the maps before pooling, between 0 and 6 unless unbounded.

        [N, ⌈h/32⌉, ⌈w/32⌉, F], or [N, ⌈h/16⌉, ⌈w/16⌉, F] with reduced strides.
        """
        del train  # nothing here behaves differently in training
        hidden = nn.Conv(
            STEM_FEATURES, (3, 3), strides=(2, 2), kernel_init=KERNEL_INIT, name="stem"
        )(jnp.asarray(images))
        hidden = jax.nn.relu6(hidden)

        def block(name: str, stage: Stage, stride: int) -> FoldedInvertedResidual:
            return FoldedInvertedResidual(
                stage.features, stage.expansion, stride, name=name
            )

        hidden = in_stages(block, self.stages, hidden, self.reduced_strides)
        last = jax.nn.relu if self.unbounded_maps else jax.nn.relu6
        return last(_pointwise(self.num_features, "head")(hidden))
