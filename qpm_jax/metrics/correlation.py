"""Correlation: how alike the features are to each other; lower is better."""

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float

from qpm_jax.statistics import inputs

_NORM_GUARD = 1e-8


def correlation(features: Float[ArrayLike, "N F"]) -> float:
    """Returns the mean over features of the cosine to the most alike other feature.

    As published (docs/formulas.md, Correlation), the cosine is of the columns as they
    are: not centred and not absolute, and since the diagonal is set to 0 it is never
    below 0. A single feature, or a column of zeros, is alike to none.

    Args:
        features: training features, one row a sample.

    Returns:
        A value in [0, 1].

    Raises:
        ValueError: features that are not [N,F], are empty, or hold NaN or infinity.
    """
    features = inputs.table("features", features, "NF").astype(np.float64)
    # Scaled by the largest entry first: squares of tiny or huge values would not fit.
    largest = np.abs(features).max(axis=0)
    features = features / np.where(largest > _NORM_GUARD, largest, 1.0)
    norms = np.linalg.norm(features, axis=0)
    cosine = features.T @ features
    cosine /= np.maximum(np.outer(norms, norms), _NORM_GUARD**2)
    np.fill_diagonal(cosine, 0.0)
    return float(np.minimum(cosine.max(axis=0), 1.0).mean())
