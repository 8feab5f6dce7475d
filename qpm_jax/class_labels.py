"""Checks of the labels that a problem is made from; errors name the argument."""

from typing import Any

import numpy as np
from jaxtyping import Int

from qpm_jax.whole_numbers import whole_numbers


def checked_labels(
    labels: Any, instances: int, num_classes: Any
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
            f"labels has no instance of class {empty[0]}; draw training instances of"
            " every class (a stratified split), or number those that occur 0 … C−1 and"
            " give their number as num_classes."
        )
    return whole, classes
