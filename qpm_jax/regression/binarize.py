"""How continuous features become 0 and 1."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int


def fit_thresholds(
    features: Float[np.ndarray, "N F"], threshold: float | str | None
) -> Float[np.ndarray, " F"] | None:
    """The threshold of every feature.

    Args:
        features: float [N, F], of the training instances.
        threshold: a number for all features, "median" for each feature's own (where
            that is its largest value, the largest below it, so that a feature of 0 and
            1 stays what it is), or None where features are whole already.

    Returns:
        float64 [F], or None for None.

    Raises:
        ValueError: for any other threshold.
    """
    if threshold is None:
        return None
    if isinstance(threshold, str) and threshold == "median":
        return _medians(features.astype(np.float64))
    if _is_number(threshold):
        return np.full(features.shape[1], float(threshold))
    raise ValueError(
        f"threshold is {threshold!r}; give a number, 'median' for each feature's own,"
        " or None for features that are whole numbers already."
    )


def binarized(
    features: Float[np.ndarray, "N F"], thresholds: Float[np.ndarray, " F"] | None
) -> Int[np.ndarray, "N F"]:
    """1 where a feature is above its threshold, else 0; whole numbers for None.

    Args:
        features: float [N, F].
        thresholds: float64 [F], or None to take the features as they are.

    Returns:
        int64 [N, F].

    Raises:
        ValueError: when features that are taken as they are hold fractions.
    """
    if thresholds is not None:
        return (features > thresholds).astype(np.int64)
    fraction = features != np.round(features)
    if fraction.any():
        raise ValueError(
            f"threshold is None, but X holds {features[fraction][0]}; give whole"
            " numbers, or a threshold (a number or 'median')."
        )
    return features.astype(np.int64)


def _medians(features: Float[np.ndarray, "N F"]) -> Float[np.ndarray, " F"]:
    """Medians, but none at the largest value: no instance would be above it."""
    medians, largest = np.median(features, axis=0), features.max(axis=0)
    below = np.where(features < largest, features, -np.inf).max(axis=0)
    moved = (medians == largest) & np.isfinite(below)
    return np.where(moved, below, medians)


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float | np.integer | np.floating)
    return number and not isinstance(value, bool) and bool(np.isfinite(value))
