"""ViT-S/14 and ViT-B/14 as DINOv2 has them, without registers.

Dosovitskiy et al. 2021 (arXiv 2010.11929); Oquab et al. 2023 (arXiv 2304.07193): layer
scale, and position embeddings of a 37×37 grid (518 pixels) that are interpolated to the
image's. The patch tokens after the last normalisation and a ReLU are the maps; the
class token takes part in the attention and is dropped.
"""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from qpm_jax.models.bicubic import resize_bicubic
from qpm_jax.models.layer_scale import LayerScale
from qpm_jax.models.windows import KERNEL_INIT, attend

PATCH = 14
GRID = 37  # patches a side that the published position embeddings belong to
DEPTH = 12
EPSILON = 1e-6


def _normalise(name: str) -> nn.LayerNorm:
    return nn.LayerNorm(epsilon=EPSILON, name=name)


class Attention(nn.Module):
    """Multi-head self-attention among all tokens.

    Attributes:
      heads: number of heads.
    """

    heads: int

    @nn.compact
    def __call__(self, tokens: Float[Array, "N T D"]) -> Float[Array, "N T D"]:
        """Returns tokens of the inputs' shape."""
        project = nn.Dense(tokens.shape[-1], kernel_init=KERNEL_INIT, name="proj")
        return project(attend(tokens, None, self.heads))


class TransformerBlock(nn.Module):
    """Attention, then two dense layers, each scaled and added to its inputs.

    Attributes:
      heads: number of attention heads.
    """

    heads: int

    @nn.compact
    def __call__(self, tokens: Float[Array, "N T D"]) -> Float[Array, "N T D"]:
        """Returns tokens of the inputs' shape."""
        width = tokens.shape[-1]
        mixed = Attention(self.heads, name="attention")(_normalise("norm1")(tokens))
        tokens = tokens + LayerScale(1e-5, name="layer_scale1")(mixed)
        expanded = nn.Dense(4 * width, kernel_init=KERNEL_INIT, name="expand")(
            _normalise("norm2")(tokens)
        )
        expanded = jax.nn.gelu(expanded, approximate=False)
        hidden = nn.Dense(width, kernel_init=KERNEL_INIT, name="project")(expanded)
        return tokens + LayerScale(1e-5, name="layer_scale2")(hidden)


class VisionTransformer(nn.Module):
    """Backbone of `vit_s_14_dinov2` and `vit_b_14_dinov2`: images to non-negative maps.

    Attributes:
      width: channels of every token, the number of features F.
      heads: number of attention heads.
      depth: number of blocks.
    """

    width: int
    heads: int
    depth: int = DEPTH

    @nn.compact
    def __call__(
        self, images: Float[Array, "N h w 3"], train: bool = False
    ) -> Float[Array, "N H W F"]:
        """Returns the maps before pooling, [N, h/14, w/14, F].

        Raises:
          ValueError: where a side of the images is no multiple of 14.
        """
        del train  # nothing here behaves differently in training
        _check_sides(images.shape[1:3])
        patches = nn.Conv(
            self.width,
            (PATCH, PATCH),
            strides=(PATCH, PATCH),
            padding="VALID",
            kernel_init=KERNEL_INIT,
            name="patches",
        )(jnp.asarray(images))
        samples, height, width, channels = patches.shape
        shape = (GRID * GRID + 1, channels)
        positions = self.param("positions", KERNEL_INIT, shape)
        token = self.param("class_token", nn.initializers.normal(1e-6), (channels,))
        grid = positions[1:].reshape(GRID, GRID, channels)
        patches = patches + resize_bicubic(grid, height, width)
        first = jnp.broadcast_to(token + positions[0], (samples, 1, channels))
        tokens = jnp.concatenate(
            [first, patches.reshape(samples, height * width, channels)], axis=1
        )
        for block in range(1, self.depth + 1):
            tokens = TransformerBlock(self.heads, name=f"block{block:02d}")(tokens)
        maps = _normalise("norm")(tokens)[:, 1:]
        return jax.nn.relu(maps).reshape(samples, height, width, channels)


def _check_sides(sides: tuple[int, ...]) -> None:
    if any(side < PATCH or side % PATCH for side in sides):
        below = [max(side // PATCH, 1) * PATCH for side in sides]
        raise ValueError(
            f"images: {sides[0]}×{sides[1]} pixels; allowed are multiples of {PATCH},"
            f" such as {below[0]}×{below[1]} or {below[0] + PATCH}×{below[1] + PATCH}"
        )
