"""Checks of what statistics and metrics are given, each error naming the argument.

They run on the host, at the entry points; the jitted updates check nothing.
"""

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float, Int


def table(name: str, values: ArrayLike, axes: str) -> Float[np.ndarray, "..."]:
    """Returns `values` as a NumPy array of floats, checked.

    Args:
        name: the argument's name, for messages.
        values: numbers; float32 stays float32, anything else becomes float64.
        axes: the axes it must have, one letter each, such as "NF".

    Raises:
        ValueError: another number of axes, an empty axis, NaN or infinity.
    """
    array = np.asarray(values)
    if array.dtype != np.float32:
        array = array.astype(np.float64)
    if array.ndim != len(axes) or 0 in array.shape:
        raise ValueError(
            f"{name} must be [{','.join(axes)}] without an empty axis, got shape "
            f"{array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} holds NaN or infinity; every value must be finite, look at what "
            f"made them"
        )
    return array


def class_labels(
    labels: ArrayLike, num_samples: int, num_classes: int
) -> Int[np.ndarray, " N"]:
    """Returns `labels` as int64 [N], checked to lie in 0..num_classes-1.

    Raises:
        ValueError: another shape, not whole numbers, or out of range.
    """
    at_least_one("num_classes", num_classes)
    array = np.asarray(labels)
    if array.shape != (num_samples,):
        raise ValueError(
            f"labels must be one a sample, [{num_samples}], got shape {array.shape}"
        )
    whole = array.astype(np.int64)
    if not np.array_equal(whole, array):
        raise ValueError("labels must be whole numbers, got fractions; round them")
    if whole.min() < 0 or whole.max() >= num_classes:
        raise ValueError(
            f"labels must lie in 0..{num_classes - 1}, got {whole.min()}.."
            f"{whole.max()}; renumber them or raise num_classes"
        )
    return whole


def at_least_one(name: str, value: int) -> int:
    """Returns a count as int, checked to be a whole number of at least 1.

    Raises:
        ValueError: anything else.
    """
    if int(value) != value or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value}")
    return int(value)


def is_constant(
    mean: Float[np.ndarray, "..."], std: Float[np.ndarray, "..."]
) -> np.ndarray:
    """Returns which features carry nothing: std ≤ 1e-6·max(1, |mean|).

    Rounding alone gives a constant feature a std of that order in float32; the
    published code divides by it and gets NaN or ±inf.
    """
    return std <= 1e-6 * np.maximum(1.0, np.abs(mean))
