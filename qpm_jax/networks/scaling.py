"""Warns of features that are not on one scale."""

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
