"""EfficientNet-Lite0: EfficientNet without squeeze-and-excitation, with ReLU6.

Tan and Le 2019 (arXiv 1905.11946), table 1, in the form of TensorFlow's Lite models:
"same" padding with the larger half at the end, batch normalisation with epsilon 1e-3
that keeps 0.99 of its running statistics at a step, stem and head not scaled.
"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from qpm_jax.models.batch_norm import BatchNorm
from qpm_jax.models.inverted_residual import InvertedResidual, Stage, in_stages
from qpm_jax.models.pointwise import PointwiseConv
from qpm_jax.models.shifts import Layer

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
MOMENTUM = 0.99
KERNEL_INIT = nn.initializers.variance_scaling(2.0, "fan_out", "truncated_normal")


def _normalise(name: str, train: bool) -> Layer:
    return functools.partial(BatchNorm(MOMENTUM, EPSILON, name=name), train=train)


class EfficientNetLite(nn.Module):
    """Backbone of `efficientnet_lite0`: (x − 127)/128 to maps of 1280 features.

    Attributes:
      stages: (expansion, channels, repeats, stride of the first block, kernel size) of
        each stage.
      num_features: channels of the last 1×1 convolution, F.
      reduced_strides: maps twice as fine, as if the last stage of stride 2 had stride 1
        and dilated convolutions after it.
      unbounded_maps: the last ReLU6 without its 6.
    """

    stages: Sequence[tuple[int, int, int, int, int]] = STAGES
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
                name=name,
            )
            return functools.partial(residual, train=train)

        hidden = in_stages(block, self.stages, hidden, self.reduced_strides)
        hidden = PointwiseConv(self.num_features, use_bias=False, name="head")(hidden)
        last = jax.nn.relu if self.unbounded_maps else jax.nn.relu6
        return last(_normalise("head_norm", train)(hidden))
