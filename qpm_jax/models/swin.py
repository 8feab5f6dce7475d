"""Swin-T and Swin-S, as torchvision and timm have them.

Liu et al. 2021 (arXiv 2103.14030): attention in 7×7 windows, every second block's
windows shifted by 3, and 2×2 positions merged between the stages. The stochastic depth
of training from the start is left out. A ReLU follows the last normalisation.
"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from qpm_jax.models.shifts import Layer, in_turn, in_turn_finer
from qpm_jax.models.windows import KERNEL_INIT, WindowAttention

SWIN_T_DEPTHS = (2, 2, 6, 2)
SWIN_S_DEPTHS = (2, 2, 18, 2)
WIDTH = 96
HEADS = (3, 6, 12, 24)
WINDOW = 7
PATCH = 4
EPSILON = 1e-5


def _normalise(name: str) -> nn.LayerNorm:
    return nn.LayerNorm(epsilon=EPSILON, name=name)


class SwinBlock(nn.Module):
    """Attention in windows, then two dense layers, each added to its inputs.

    Attributes:
      heads: number of attention heads.
      shift: by how much the windows are moved.
    """

    heads: int
    shift: int

    @nn.compact
    def __call__(self, inputs: Float[Array, "N H W D"]) -> Float[Array, "N H W D"]:
        """Returns maps of the inputs' shape."""
        width = inputs.shape[-1]
        attention = WindowAttention(self.heads, WINDOW, self.shift, name="attention")
        hidden = inputs + attention(_normalise("norm1")(inputs))
        expanded = nn.Dense(4 * width, kernel_init=KERNEL_INIT, name="expand")(
            _normalise("norm2")(hidden)
        )
        expanded = jax.nn.gelu(expanded, approximate=False)
        project = nn.Dense(width, kernel_init=KERNEL_INIT, name="project")
        return hidden + project(expanded)


class PatchMerging(nn.Module):
    """2×2 positions into one of twice the channels; zeros fill an odd border."""

    @nn.compact
    def __call__(self, inputs: Float[Array, "N H W D"]) -> Float[Array, "N h w E"]:
        """Returns [N, ⌈H/2⌉, ⌈W/2⌉, 2·D]."""
        odd = [length % 2 for length in inputs.shape[1:3]]
        even = jnp.pad(inputs, ((0, 0), (0, odd[0]), (0, odd[1]), (0, 0)))
        # Column by column, as in the published weights.
        corners = [even[:, i::2, j::2] for j in (0, 1) for i in (0, 1)]
        merged = _normalise("norm")(jnp.concatenate(corners, axis=-1))
        return nn.Dense(
            2 * inputs.shape[-1],
            use_bias=False,
            kernel_init=KERNEL_INIT,
            name="reduction",
        )(merged)


class Swin(nn.Module):
    """Backbone of `swin_t` and `swin_s`: images to maps after normalisation and ReLU.

    Attributes:
      depths: blocks in each stage.
      width: channels of the first stage; the last has 8 times as many, F.
      reduced_strides: maps twice as fine, the last merging and stage run on four
        shifted copies (`models.shifts`).
    """

    depths: Sequence[int] = SWIN_T_DEPTHS
    width: int = WIDTH
    reduced_strides: bool = False

    @nn.compact
    def __call__(
        self, images: Float[Array, "N h w 3"], train: bool = False
    ) -> Float[Array, "N H W F"]:
        """Returns the maps before pooling.

        [N, ⌈h/32⌉, ⌈w/32⌉, F], or [N, ⌈h/16⌉, ⌈w/16⌉, F] with reduced strides, for
        sides that are multiples of 4 (what is left over is dropped).
        """
        del train  # nothing here behaves differently in training
        hidden = nn.Conv(
            self.width,
            (PATCH, PATCH),
            strides=(PATCH, PATCH),
            padding="VALID",
            kernel_init=KERNEL_INIT,
            name="stem",
        )(jnp.asarray(images))
        hidden = _normalise("stem_norm")(hidden)
        layers: list[Layer] = []
        strides: list[int] = []
        for stage, (depth, heads) in enumerate(
            zip(self.depths, HEADS, strict=True), start=1
        ):
            if stage > 1:
                layers.append(PatchMerging(name=f"stage{stage}_merging"))
                strides.append(2)
            for block in range(1, depth + 1):
                shift = 0 if block % 2 else WINDOW // 2
                name = f"stage{stage}_block{block}"
                layers.append(SwinBlock(heads, shift, name=name))
                strides.append(1)
        run = (
            functools.partial(in_turn_finer, layers, strides)
            if self.reduced_strides
            else functools.partial(in_turn, layers)
        )
        return jax.nn.relu(_normalise("norm")(run(hidden)))
