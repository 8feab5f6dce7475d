"""Sums of sample values by class, on the host and without a loop over classes."""

import numpy as np
from jaxtyping import Float, Int


def sum_by_class(
    values: Float[np.ndarray, "N F"], labels: Int[np.ndarray, " N"], num_classes: int
) -> Float[np.ndarray, "C F"]:
    """Returns float64 sums over the samples of each class, 0 for absent classes.

    Args:
        values: one row a sample.
        labels: class of each row, 0..num_classes-1.
        num_classes: number of rows of the result.
    """
    order = np.argsort(labels, kind="stable")
    present, starts = np.unique(labels[order], return_index=True)
    sums = np.zeros((num_classes, values.shape[1]))
    sums[present] = np.add.reduceat(values[order], starts, axis=0, dtype=np.float64)
    return sums
