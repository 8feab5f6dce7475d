"""Where a feature looks: maps laid over the photo.

As in docs/formulas.md, Contrastive pictures: a map is scaled to [0, 1], resized to
the image, weakened where the feature is weaker than in its companions, saturated, and
painted in the feature's colour over the grey photo. The published code divides the
saturated maps by the maximum of the whole batch, so that one image's picture depends on
the others twice; here the strength enters once.
"""

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float, UInt8

GREY_WEIGHTS = (0.2989, 0.5870, 0.1140)


def scale_to_unit(
    maps: Float[ArrayLike, "*batch h w"],
) -> Float[np.ndarray, "*batch h w"]:
    """Scales each map to [0, 1] by its own minimum and maximum; a flat map gives 0."""
    maps = np.asarray(maps, np.float64)
    low = maps.min(axis=(-2, -1), keepdims=True)
    span = maps.max(axis=(-2, -1), keepdims=True) - low
    return np.divide(maps - low, span, out=np.zeros_like(maps), where=span > 0)


def _interpolation_matrix(size_in: int, size_out: int) -> Float[np.ndarray, "out in"]:
    """Rows of bilinear weights: pixel centres at i + ½, edges repeated."""
    centres = (np.arange(size_out) + 0.5) * size_in / size_out - 0.5
    centres = np.clip(centres, 0, size_in - 1)
    distance = np.abs(centres[:, None] - np.arange(size_in)[None, :])
    return np.maximum(1.0 - distance, 0.0)


def resize(
    maps: Float[ArrayLike, "*batch h w"], height: int, width: int
) -> Float[np.ndarray, "*batch height width"]:
    """Resizes maps bilinearly, as two matrix products over all maps at once.

    Args:
        maps: one or many maps.
        height: rows wanted, at least 1.
        width: columns wanted, at least 1.

    Returns:
        Maps of the wanted size; the values stay within those of the map.

    Raises:
        ValueError: if a size is below 1 or `maps` has fewer than two axes.
    """
    maps = np.asarray(maps, np.float64)
    if maps.ndim < 2:
        raise ValueError(f"maps has shape {maps.shape}; it needs [..., h, w]")
    if height < 1 or width < 1:
        raise ValueError(f"height, width is {height}, {width}; both must be at least 1")
    rows = _interpolation_matrix(maps.shape[-2], height)
    columns = _interpolation_matrix(maps.shape[-1], width)
    return rows @ maps @ columns.T


def relative_strength(
    means: Float[ArrayLike, "*batch"], axis: int = 0
) -> Float[np.ndarray, "*batch"]:
    """Compares how active a feature is in the images shown together.

    Args:
        means: mean activation of a map in each image; negatives count as 0.
        axis: the axis the images lie on.

    Returns:
        sqrt(mean) divided by the largest along `axis`, in [0, 1]; 0 where all are 0.
    """
    roots = np.sqrt(np.maximum(np.asarray(means, np.float64), 0.0))
    largest = roots.max(axis=axis, keepdims=True)
    return np.divide(roots, largest, out=np.zeros_like(roots), where=largest > 0)


def saturate(
    maps: Float[ArrayLike, "*batch h w"], gamma: float = 3.0
) -> Float[np.ndarray, "*batch h w"]:
    """Raises non-negative maps to a power but keeps each map's maximum.

    Args:
        maps: values ≥ 0.
        gamma: the power; 3 as published.

    Returns:
        max · (map / max)^gamma, 0 for a map of zeros.

    Raises:
        ValueError: if `gamma` is not positive.
    """
    if gamma <= 0:
        raise ValueError(f"gamma is {gamma}; it must be positive (published: 3)")
    maps = np.maximum(np.asarray(maps, np.float64), 0.0)
    peak = maps.max(axis=(-2, -1), keepdims=True)
    share = np.divide(maps, peak, out=np.zeros_like(maps), where=peak > 0)
    return peak * share**gamma


def saliency_maps(
    maps: Float[ArrayLike, "*batch h w"],
    strength: Float[ArrayLike, "*batch"],
    height: int,
    width: int,
    gamma: float = 3.0,
) -> Float[np.ndarray, "*batch height width"]:
    """Turns feature maps into pictures in [0, 1] of the size of the image.

    Args:
        maps: feature maps.
        strength: in [0, 1], what the strongest point of each map becomes; see
            `relative_strength`.
        height: rows of the image.
        width: columns of the image.
        gamma: see `saturate`.

    Returns:
        Scaled, resized, saturated and weakened maps.
    """
    shapes = resize(scale_to_unit(maps), height, width)
    # Between the pixels of the map a peak is cut by the interpolation: restore it.
    peak = shapes.max(axis=(-2, -1), keepdims=True)
    shapes = np.divide(shapes, peak, out=np.zeros_like(shapes), where=peak > 0)
    return saturate(shapes, gamma) * np.asarray(strength, np.float64)[..., None, None]


def greyscale(
    images: UInt8[ArrayLike, "*batch H W 3"],
) -> Float[np.ndarray, "*batch H W"]:
    """Returns luminance 0.2989 R + 0.5870 G + 0.1140 B, in 0..255."""
    return np.asarray(images, np.float64) @ np.array(GREY_WEIGHTS)


def overlay(
    images: UInt8[ArrayLike, "*batch H W 3"],
    saliencies: Float[ArrayLike, "*batch m H W"],
    colours: UInt8[ArrayLike, "m 3"],
    weight: float = 0.7,
) -> UInt8[np.ndarray, "*batch H W 3"]:
    """Paints m features, each in its colour, over the grey photo.

    Where several features meet, the colours mix by saliency and the strongest decides
    how much of the photo is covered, so the photo never drops below 1 - `weight`.

    Args:
        images: RGB bytes.
        saliencies: in [0, 1], one map a feature.
        colours: RGB bytes, one a feature.
        weight: share of colour where a saliency is 1; 0.7 as published.

    Returns:
        RGB bytes. Without features (m = 0) the grey photo.

    Raises:
        ValueError: if the shapes do not fit or `weight` is outside [0, 1].
    """
    images, colours = np.asarray(images), np.asarray(colours, np.float64)
    saliencies = np.clip(np.asarray(saliencies, np.float64), 0.0, 1.0)
    expected = (*images.shape[:-3], len(colours), *images.shape[-3:-1])
    if saliencies.shape != expected:
        raise ValueError(
            f"saliencies has shape {saliencies.shape}; images {images.shape} and "
            f"{len(colours)} colours need {expected}: resize the maps first"
        )
    if not 0 <= weight <= 1:
        raise ValueError(f"weight is {weight}; it must lie in [0, 1]")
    grey = greyscale(images)[..., None]
    total = saliencies.sum(axis=-3)[..., None]
    mixed = np.einsum("...mhw,mc->...hwc", saliencies, colours.reshape(-1, 3))
    mixed = np.divide(mixed, total, out=np.zeros_like(mixed), where=total > 0)
    cover = weight * saliencies.max(axis=-3, initial=0.0)[..., None]
    return np.rint((1.0 - cover) * grey + cover * mixed).astype(np.uint8)
