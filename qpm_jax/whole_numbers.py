"""Checks of whole numbers that users give; errors name the argument."""

from typing import Any

import numpy as np
from jaxtyping import Int


def whole_numbers(
    name: str, values: Any, shape: tuple[int, ...]
) -> Int[np.ndarray, "..."]:
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
    return as_whole(name, array)


def as_whole(name: str, array: np.ndarray) -> Int[np.ndarray, "..."]:
    """The same numbers as int64, of the same shape.

    Args:
        name: what the error calls it.
        array: numbers of any type.

    Raises:
        ValueError: when an entry is no number or not whole.
    """
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
