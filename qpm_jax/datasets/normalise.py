"""Colour channels to mean 0 and standard deviation 1, and where those come from."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Num

from qpm_jax.datasets.dataset import Split

_BLOCK = 256  # images counted at a time where they lie in one array


def normalise(
    images: Num[ArrayLike, "*N H W 3"],
    mean: Sequence[float] | Float[ArrayLike, "3"],
    std: Sequence[float] | Float[ArrayLike, "3"],
) -> Float[Array, "*N H W 3"]:
    """Subtracts the mean and divides by the standard deviation of each channel.

    Args:
        images: uint8 0..255, or float in [0,1].
        mean: of each channel in [0,1].
        std: of each channel in [0,1].

    Returns:
        float32, same shape.

    Raises:
        ValueError: images that are neither uint8 nor float.
    """
    images = jnp.asarray(images)
    if images.dtype == jnp.uint8:
        scale = 255.0
    elif jnp.issubdtype(images.dtype, jnp.floating):
        scale = 1.0
    else:
        raise ValueError(
            f"images must be uint8 (0..255) or float (0..1), got {images.dtype}"
        )
    mean, std = jnp.asarray(mean, jnp.float32), jnp.asarray(std, jnp.float32)
    return (images.astype(jnp.float32) / scale - mean) / std


def channel_statistics(
    split: Split, max_images: int | None = None
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Returns mean and standard deviation of each colour channel over all pixels.

    Counts the 256 levels of each channel, one image after the other, so the result is
    exact and no more than one image (or a block of an array) is held.

    Args:
        split: the training images.
        max_images: look only at that many, evenly spread; None looks at all.

    Returns:
        (mean, std), three numbers each, in [0,1]; a channel that never changes has
        std 1, so that it can be divided by.

    Raises:
        ValueError: a split without images, or max_images below 1.
    """
    images, count = split.images, len(split)
    if count == 0:
        raise ValueError("split has no images; mean and std need at least one")
    if max_images is not None and max_images < 1:
        raise ValueError(f"max_images must be at least 1 or None, got {max_images}")
    levels = np.zeros((3, 256), np.int64)
    size = count if max_images is None else min(max_images, count)
    chosen = np.linspace(0, count - 1, size).round().astype(int)
    if isinstance(images, np.ndarray):
        for start in range(0, size, _BLOCK):
            levels += _level_counts(images[chosen[start : start + _BLOCK]])
    else:
        for index in chosen:
            levels += _level_counts(images[int(index)])
    return _moments(levels)


def _level_counts(pixels: np.ndarray) -> np.ndarray:
    flat = pixels.reshape(-1, 3)
    return np.stack([np.bincount(flat[:, c], minlength=256) for c in range(3)])


def _moments(
    levels: np.ndarray,
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    values = np.arange(256) / 255
    share = levels / levels.sum(axis=1, keepdims=True)
    mean = share @ values
    variance = (share * (values - mean[:, None]) ** 2).sum(axis=1)
    std = np.where(variance > 1e-12, np.sqrt(variance), 1.0)
    red, green, blue = mean.tolist()
    red_std, green_std, blue_std = std.tolist()
    return (red, green, blue), (red_std, green_std, blue_std)
