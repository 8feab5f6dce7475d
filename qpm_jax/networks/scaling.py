"""Warns of features or pixels that are not on one scale."""

import warnings

import numpy as np
from jaxtyping import Float

_WIDEST = 10.0


def warn_if_unscaled(features: Float[np.ndarray, "N F"]) -> None:
    """Warns where the features' sizes differ much, or are far from 1.

    Weights share one limit and one price, and big-M values grow with the features, so
    the program is meant for standardised data.

    Args:
        features: float64 [N, F].
    """
    sizes = np.sqrt((features**2).mean(axis=0))
    sizes = sizes[sizes > 0]
    if not sizes.size:
        return
    ratio = max(sizes.max() / sizes.min(), sizes.max())
    if ratio > _WIDEST:
        warnings.warn(
            f"X is not scaled: its largest feature is {ratio:.3g} times the smallest,"
            " or times 1, in root mean square. Standardise it, as"
            " sklearn.preprocessing.StandardScaler does; weights share one limit and"
            " one price.",
            UserWarning,
            stacklevel=3,
        )


def warn_if_large(images: Float[np.ndarray, "N H W D"]) -> None:
    """Warns where pixels are far above 1, such as bytes.

    Args:
        images: float64 [N, H, W, D].
    """
    largest = float(np.abs(images).max())
    if largest > _WIDEST:
        warnings.warn(
            f"X is not scaled: its largest pixel is {largest:.3g} times 1. Divide by"
            " it; weights and biases share one limit, and big-M values grow with the"
            " pixels.",
            UserWarning,
            stacklevel=3,
        )
