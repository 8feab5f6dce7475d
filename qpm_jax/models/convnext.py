"""ConvNeXt-T, as torchvision and timm have it, with the last norm before pooling.

Liu et al. 2022 (arXiv 2201.03545): 7×7 depthwise convolution, layer normalisation and
two dense layers a block. Published weights normalise the pooled features; here the same
layer normalises every position, a ReLU follows, and the features are the maps' means,
so that a class score stays a sum of features (docs/backbones.md). Its stochastic depth,
a regulariser of training from the start, is left out.
"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from qpm_jax.models.depthwise import DepthwiseConv
from qpm_jax.models.layer_scale import LayerScale
from qpm_jax.models.shifts import Layer, in_turn, in_turn_finer

DEPTHS = (3, 3, 9, 3)
WIDTHS = (96, 192, 384, 768)
EPSILON = 1e-6
KERNEL_INIT = nn.initializers.truncated_normal(0.02)


def _normalise(name: str) -> nn.LayerNorm:
    return nn.LayerNorm(epsilon=EPSILON, name=name)


def _patches(features: int, size: int, name: str) -> nn.Conv:
    """One output for each size×size square; what is left at the border is dropped."""
    return nn.Conv(
        features,
        (size, size),
        strides=(size, size),
        padding="VALID",
        kernel_init=KERNEL_INIT,
        name=name,
    )


class ConvNeXtBlock(nn.Module):
    """7×7 depthwise, normalisation, expansion by 4 and back, added to the inputs."""

    @nn.compact
    def __call__(self, inputs: Float[Array, "N H W D"]) -> Float[Array, "N H W D"]:
        """Returns maps of the inputs' shape."""
        width = inputs.shape[-1]
        hidden = DepthwiseConv(
            (7, 7),
            padding=((3, 3), (3, 3)),
            kernel_init=KERNEL_INIT,
            name="depthwise",
        )(inputs)
        hidden = _normalise("norm")(hidden)
        hidden = nn.Dense(4 * width, kernel_init=KERNEL_INIT, name="expand")(hidden)
        hidden = jax.nn.gelu(hidden, approximate=False)
        hidden = nn.Dense(width, kernel_init=KERNEL_INIT, name="project")(hidden)
        return inputs + LayerScale(1e-6, name="layer_scale")(hidden)


class ConvNeXt(nn.Module):
    """Backbone of `convnext_t`: images to maps after normalisation and a ReLU.

    Attributes:
      depths: blocks in each stage.
      widths: channels of each stage; the last is the number of features F.
      reduced_strides: maps twice as fine, as if the last stage had stride 1 and
        dilated convolutions.
    """

    depths: Sequence[int] = DEPTHS
    widths: Sequence[int] = WIDTHS
    reduced_strides: bool = False

    @nn.compact
    def __call__(
        self, images: Float[Array, "N h w 3"], train: bool = False
    ) -> Float[Array, "N H W F"]:
        """Returns the maps before pooling.

        [N, ⌊h/32⌋, ⌊w/32⌋, F], or [N, h/16, w/16, F] with reduced strides.
        """
        del train  # nothing here behaves differently in training
        hidden = _patches(self.widths[0], 4, "stem")(jnp.asarray(images))
        hidden = _normalise("stem_norm")(hidden)
        layers: list[Layer] = []
        strides: list[int] = []
        stages = zip(self.widths, self.depths, strict=True)
        for stage, (width, depth) in enumerate(stages, start=1):
            if stage > 1:
                # Two layers: what enters at the border is zero after normalisation.
                layers.append(_normalise(f"stage{stage}_norm"))
                layers.append(_patches(width, 2, f"stage{stage}_patches"))
                strides += [1, 2]
            for block in range(1, depth + 1):
                layers.append(ConvNeXtBlock(name=f"stage{stage}_block{block}"))
                strides.append(1)
        run = (
            functools.partial(in_turn_finer, layers, strides)
            if self.reduced_strides
            else functools.partial(in_turn, layers)
        )
        return jax.nn.relu(_normalise("norm")(run(hidden)))
