"""Brightness, contrast and saturation of images, as PIL's ImageEnhance defines them."""

import jax.numpy as jnp
from jaxtyping import Array, Float

LUMA = (0.299, 0.587, 0.114)  # ITU-R 601-2, what PIL turns RGB into grey by


def grey(images: Float[Array, "N H W 3"]) -> Float[Array, "N H W 1"]:
    """Returns how bright each pixel looks."""
    red, green, blue = (images[..., c : c + 1] for c in range(3))
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def blend_colours(
    images: Float[Array, "N H W 3"],
    brightness: Float[Array, " N"],
    contrast: Float[Array, " N"],
    saturation: Float[Array, " N"],
) -> Float[Array, "N H W 3"]:
    """Multiplies the three by factors, cut off to [0,1] once, at the end.

    Brightness scales towards black, contrast towards the image's mean grey, saturation
    towards each pixel's own grey; written out, all three are one weighted sum.

    Args:
        images: float in [0,1].
        brightness: factor an image; 1 leaves it as it is.
        contrast: likewise.
        saturation: likewise.

    Returns:
        float in [0,1], same shape.
    """
    greys = grey(images)
    mean = greys.mean(axis=(1, 2), keepdims=True)
    b, c, s = (f[:, None, None, None] for f in (brightness, contrast, saturation))
    changed = b * (c * (s * images + (1 - s) * greys) + (1 - c) * mean)
    return jnp.clip(changed, 0, 1)
