"""Checks of what a regression problem is made from; errors name the argument."""

import math
from typing import Any

import numpy as np
from jaxtyping import Int

from qpm_jax.whole_numbers import as_whole

# Sums of weights times features stay whole numbers that float64 holds exactly.
_LARGEST_SUM = 2**52


def checked_features(features: Any) -> Int[np.ndarray, "N F"]:
    """Features as int64 [N, F].

    Args:
        features: whole numbers or bool [N, F].

    Raises:
        ValueError: when it has another shape, no entry, or entries that are not whole
            or too large to be summed exactly.
    """
    array = np.asarray(features)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"features has shape {array.shape}; it must be [N, F] with at least one"
            " instance and one feature."
        )
    whole = as_whole("features", array)
    if np.abs(whole.astype(np.float64)).sum(axis=1).max() > _LARGEST_SUM:
        raise ValueError(
            "features holds an instance whose entries add up to more than 2**52 in"
            " size; scale or binarise them."
        )
    return whole


def checked_prices(alpha: Any, beta: Any) -> tuple[float, float]:
    """α and β as floats.

    Args:
        alpha: reward of positive margins.
        beta: price of negative margins.

    Raises:
        ValueError: when one is not positive and finite, or β < α, where the published
            program is unbounded.
    """
    for name, value in (("alpha", alpha), ("beta", beta)):
        number = isinstance(value, int | float | np.integer | np.floating)
        if not number or not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{name} is {value!r}; it must be a positive number.")
    if beta < alpha:
        raise ValueError(
            f"beta is {beta} and alpha {alpha}; beta must be at least alpha. With less"
            " the program is unbounded: e+ and e- of an instance grow together."
        )
    return float(alpha), float(beta)
