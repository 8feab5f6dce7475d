"""Inverted residual blocks with batch normalisation, and stages of such blocks.

Sandler et al. 2018 (arXiv 1801.04381), figure 3; EfficientNet-Lite has the same ones.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from qpm_jax.models.depthwise import DepthwiseConv, Padding
from qpm_jax.models.pointwise import PointwiseConv
from qpm_jax.models.shifts import Layer, in_turn, in_turn_finer

# From a name and whether this is training to a layer that keeps the shape.
Normalisation = Callable[[str, bool], Layer]


class Stage(NamedTuple):
    """A row of the tables that describe these networks.

    Attributes:
      expansion: channels inside a block, as a multiple of those that enter it.
      features: channels that leave a block.
      repeats: blocks.
      stride: of the first block; the others have 1.
      size: of the depthwise kernel.
    """

    expansion: int
    features: int
    repeats: int
    stride: int
    size: int = 3


class InvertedResidual(nn.Module):
    """Expand by 1×1, filter depthwise, project by 1×1, each with normalisation.

    Attributes:
      features: channels that leave the block.
      expansion: channels inside it, as a multiple of those that enter.
      normalise: the normalisation after each convolution.
      stride: of the depthwise convolution.
      size: of its kernel.
      padding: of the depthwise convolution.
      kernel_init: initialiser of the 1×1 kernels.
    """

    features: int
    expansion: int
    normalise: Normalisation
    stride: int = 1
    size: int = 3
    padding: Padding = "SAME"
    kernel_init: Any = nn.initializers.variance_scaling(
        2.0, "fan_out", "truncated_normal"
    )

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "N H W D"], train: bool = False
    ) -> Float[Array, "N h w E"]:
        """Returns the projection, plus the inputs where their shapes agree."""
        hidden = inputs
        if self.expansion != 1:
            hidden = self._pointwise(self.expansion * inputs.shape[-1], "expand")(
                hidden
            )
            hidden = jax.nn.relu6(self.normalise("expand_norm", train)(hidden))
        hidden = DepthwiseConv(
            (self.size, self.size),
            strides=(self.stride, self.stride),
            padding=self.padding,
            use_bias=False,
            name="depthwise",
        )(hidden)
        hidden = jax.nn.relu6(self.normalise("depthwise_norm", train)(hidden))
        outputs = self._pointwise(self.features, "project")(hidden)
        outputs = self.normalise("project_norm", train)(outputs)
        if outputs.shape == inputs.shape:
            return inputs + outputs
        return outputs

    def _pointwise(self, features: int, name: str) -> PointwiseConv:
        return PointwiseConv(
            features, use_bias=False, kernel_init=self.kernel_init, name=name
        )


def in_stages(
    make_block: Callable[[str, Stage, int], Layer],
    stages: Sequence[Sequence[int]],
    inputs: Float[Array, "N H W D"],
    finer: bool,
) -> Float[Array, "N h w F"]:
    """Applies all stages, block after block.

    Args:
      make_block: from a block's name (`block00`, …), its stage and its own stride to
        the block.
      stages: the fields of a `Stage` each.
      inputs: [N, H, W, D].
      finer: maps twice as fine, see `in_turn_finer`.

    Returns:
      [N, h, w, F].
    """
    rows = [Stage(*stage) for stage in stages]
    blocks = [
        (row, row.stride if place == 0 else 1)
        for row in rows
        for place in range(row.repeats)
    ]
    layers = [
        make_block(f"block{number:02d}", row, stride)
        for number, (row, stride) in enumerate(blocks)
    ]
    if finer:
        return in_turn_finer(layers, [stride for _, stride in blocks], inputs)
    return in_turn(layers, inputs)
