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
from qpm_jax.models.inverted_residual import InvertedResidual, Stage, in_stages
from qpm_jax.models.mobilenet_v2 import NUM_FEATURES, STAGES, STEM_FEATURES
from qpm_jax.models.pointwise import PointwiseConv
from qpm_jax.models.shifts import Layer

PADDING = ((1, 1), (1, 1))
KERNEL_INIT = nn.initializers.variance_scaling(2.0, "fan_out", "normal")


def _normalise(name: str, train: bool) -> Layer:
    return functools.partial(BatchNorm(name=name), train=train)


def _pointwise(features: int, name: str) -> PointwiseConv:
    return PointwiseConv(features, use_bias=False, kernel_init=KERNEL_INIT, name=name)


class MobileNetV2(nn.Module):
    """Backbone of `mobilenet_v2`: images to maps of 1280 features, after a ReLU6.

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
        hidden = nn.Conv(
            STEM_FEATURES,
            (3, 3),
            strides=(2, 2),
            padding=PADDING,
            use_bias=False,
            kernel_init=KERNEL_INIT,
            name="stem",
        )(jnp.asarray(images))
        hidden = jax.nn.relu6(_normalise("stem_norm", train)(hidden))

        def block(name: str, stage: Stage, stride: int) -> Layer:
            residual = InvertedResidual(
                stage.features,
                stage.expansion,
                _normalise,
                stride,
                stage.size,
                padding=PADDING,
                kernel_init=KERNEL_INIT,
                name=name,
            )
            return functools.partial(residual, train=train)

        hidden = in_stages(block, self.stages, hidden, self.reduced_strides)
        hidden = _pointwise(self.num_features, "head")(hidden)
        last = jax.nn.relu if self.unbounded_maps else jax.nn.relu6
        return last(_normalise("head_norm", train)(hidden))
