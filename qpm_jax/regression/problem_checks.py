"""Checks of what a regression problem is made from; errors name the argument."""

import math
from typing import Any

import numpy as np
from jaxtyping import Int

# Sums of weights times features stay whole numbers that float64 holds exactly.
_LARGEST_SUM = 2**52


def whole_numbers(name: str, values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Checks an array of whole numbers of a given shape.

    Args:
        name: what the error calls it.
        values: numbers of any type.
        shape: the shape wanted.

    Returns:
        int64 of that shape.

    Raises:
        ValueError: when the shape differs or a number is not whole.
    """
    array = np.asarray(values)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}; it must be {shape}.")
    return _as_whole(name, array)


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
    whole = _as_whole("features", array)
    if np.abs(whole.astype(np.float64)).sum(axis=1).max() > _LARGEST_SUM:
        raise ValueError(
            "features holds an instance whose entries add up to more than 2**52 in"
            " size; scale or binarise them."
        )
    return whole


def checked_labels(
    labels: Any, instances: int, num_classes: int
) -> tuple[Int[np.ndarray, " N"], int]:
    """Labels as int64 [N], and C.

    Args:
        labels: [N], 0 … C−1.
        instances: N.
        num_classes: C.

    Raises:
        ValueError: when there are fewer than two classes, or a label is out of range,
            or a class has no instance.
    """
    classes = int(num_classes)
    if classes != num_classes or classes < 2:
        raise ValueError(
            f"num_classes is {num_classes!r}; it must be a whole number of 2 or more:"
            " of one class there is nothing to tell apart."
        )
    whole = whole_numbers("labels", labels, (instances,))
    if whole.min() < 0 or whole.max() >= classes:
        raise ValueError(
            f"labels holds {whole.min()} to {whole.max()}; with num_classes={classes}"
            f" it must lie in 0 … {classes - 1}."
        )
    empty = np.flatnonzero(np.bincount(whole, minlength=classes) == 0)
    if empty.size:
        raise ValueError(
            f"labels has no instance of class {empty[0]}; number the classes that occur"
            " 0 … C−1, and give their number as num_classes."
        )
    return whole, classes


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


def _as_whole(name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} holds {array.dtype} entries; it must hold whole numbers."
        )
    if array.dtype.kind == "f":
        wrong = ~np.isfinite(array) | (array != np.round(array))
        if wrong.any():
            raise ValueError(
                f"{name} holds {array[wrong][0]}; it must hold whole numbers. Binarise"
                " or round it first."
            )
    return array.astype(np.int64)
