"""Brightness, contrast and saturation as PIL's ImageEnhance defines them, and light."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

LUMA = (0.299, 0.587, 0.114)  # ITU-R 601-2, what PIL turns RGB into grey by

# Standard deviations and directions of ImageNet's colours, (Krizhevsky et al., 2012) as
# the Torch ResNets measured them; columns are principal directions.
_LIGHT_SPREAD = np.array([0.2175, 0.0188, 0.0045], np.float32)
_LIGHT_DIRECTIONS = np.array(
    [
        [-0.5675, 0.7192, 0.4009],
        [-0.5808, -0.0045, -0.8140],
        [-0.5836, -0.6948, 0.4203],
    ],
    np.float32,
)


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


def principal_light(
    key: PRNGKeyArray, images: Float[Array, "N H W 3"], strength: float
) -> Float[Array, "N H W 3"]:
    """Adds light of a random colour to each image, mostly along grey.

    As in AlexNet: the colour is a normal draw along each principal direction of
    ImageNet's pixels, in proportion to how much they vary along it.

    Args:
        key: decides the colours.
        images: float in [0,1].
        strength: standard deviation of the draws; 0.1 in AlexNet.

    Returns:
        float in [0,1], same shape.
    """
    draws = strength * jax.random.normal(key, (len(images), 3), images.dtype)
    # written out: accelerators round the factors of a matrix product
    light = (draws[:, None, :] * _LIGHT_SPREAD * _LIGHT_DIRECTIONS).sum(axis=-1)
    return jnp.clip(images + light[:, None, None, :], 0, 1)
