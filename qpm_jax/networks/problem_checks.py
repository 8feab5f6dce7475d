"""Checks of what a network problem is made from; errors name the argument."""

import math
from typing import Any

import numpy as np
from jaxtyping import Float


def checked_features(features: Any) -> Float[np.ndarray, "N F"]:
    """Features as float64 [N, F].

    Args:
        features: finite numbers [N, F].

    Raises:
        ValueError: when it has another shape, no entry, or entries that are not finite.
    """
    array = np.array(features, np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"features has shape {array.shape}; it must be [N, F] with at least one"
            " instance and one feature."
        )
    if not np.isfinite(array).all():
        raise ValueError("features holds NaN or infinite entries; all must be finite.")
    return array


def checked_images(images: Any) -> Float[np.ndarray, "N H W D"]:
    """Images as float64 [N, H, W, D].

    Args:
        images: finite numbers [N, H, W, D] or [N, H, W].

    Raises:
        ValueError: when it has another shape, no entry, or entries that are not finite.
    """
    array = np.array(images, np.float64)
    array = array[..., None] if array.ndim == 3 else array
    if array.ndim != 4 or 0 in array.shape:
        raise ValueError(
            f"images has shape {np.shape(images)}; it must be [N, H, W] or"
            " [N, H, W, channels] with at least one image and one pixel."
        )
    if not np.isfinite(array).all():
        raise ValueError("images holds NaN or infinite entries; all must be finite.")
    return array


def check_whole(**numbers: Any) -> None:
    """Refuses what is no whole number of 1 or more.

    Args:
        **numbers: by name.

    Raises:
        ValueError: names the first.
    """
    for name, value in numbers.items():
        if not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(
                f"{name} is {value!r}; it must be a whole number of 1 or more."
            )


def checked_hidden(hidden: Any) -> tuple[int, ...]:
    """Widths of the hidden layers.

    Args:
        hidden: whole numbers of 1 or more.

    Raises:
        ValueError: when it is empty or holds anything else.
    """
    widths = tuple(np.atleast_1d(np.asarray(hidden)).tolist())
    fine = [isinstance(width, int) and width >= 1 for width in widths]
    if not widths or not all(fine):
        raise ValueError(
            f"hidden is {hidden!r}; it must hold the width of every hidden layer, whole"
            " numbers of 1 or more, and at least one."
        )
    return widths


def check_prices(**prices: Any) -> None:
    """Refuses prices that are not numbers of 0 or more.

    Args:
        **prices: by name.

    Raises:
        ValueError: names the first.
    """
    for name, value in prices.items():
        if not _is_number(value) or not 0 <= value < math.inf:
            raise ValueError(f"{name} is {value!r}; it must be a number of 0 or more.")


def check_limit(name: str, value: Any) -> None:
    """Refuses a limit that is not a positive number.

    Args:
        name: what the error calls it.
        value: the limit.

    Raises:
        ValueError: when it is something else.
    """
    if not _is_number(value) or not 0 < value < math.inf:
        raise ValueError(f"{name} is {value!r}; it must be a positive number.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating)
