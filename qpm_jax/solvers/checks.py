"""Turns what a caller gives into checked host arrays."""

from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int


def vector(name: str, values: Any, length: int | None) -> Float[np.ndarray, " L"]:
    """A copy as float64.

    Args:
        name: what the error calls it.
        values: one-dimensional.
        length: entries wanted, None for any number.

    Returns:
        float64 [L].

    Raises:
        ValueError: when the shape does not fit or an entry is NaN.
    """
    array = np.array(values, np.float64)
    if array.ndim != 1 or (length is not None and len(array) != length):
        wanted = "one dimension" if length is None else f"{length} entries"
        raise ValueError(f"{name} has shape {array.shape}; it must have {wanted}.")
    if np.isnan(array).any():
        raise ValueError(f"{name} holds NaN.")
    return array


def indices(name: str, values: Any, length: int | None) -> Int[np.ndarray, " L"]:
    """A copy as int64; whole numbers of any type are taken.

    Args:
        name: what the error calls it.
        values: one-dimensional, 0 or more.
        length: entries wanted, None for any number.

    Returns:
        int64 [L].

    Raises:
        ValueError: when the shape does not fit or an entry is no index.
    """
    array = vector(name, values, length)
    wrong = np.flatnonzero((array < 0) | (array != np.floor(array)))
    if wrong.size:
        raise ValueError(
            f"{name} holds {array[wrong[0]]} at entry {wrong[0]}; it must hold whole"
            " numbers from 0."
        )
    return array.astype(np.int64)


def below(name: str, array: Int[np.ndarray, " L"], limit: int, of: str) -> None:
    """Refuses indices past the end.

    Args:
        name: what the error calls them.
        array: int64 [L].
        limit: the number of things counted.
        of: what they are.

    Raises:
        ValueError: when an index is `limit` or more.
    """
    if array.size and array.max() >= limit:
        raise ValueError(f"{name} holds {array.max()}, but there are {limit} {of}.")


def sparse(name: str, matrix: Any, variables: int | None) -> scipy.sparse.csr_array:
    """A copy as CSR with float64 entries, one for each place.

    Args:
        name: what the error calls it.
        matrix: dense or scipy sparse, two-dimensional.
        variables: columns wanted, None for any number.

    Returns:
        CSR with sorted columns.

    Raises:
        ValueError: when the columns do not fit or an entry is not finite.
    """
    rows: Any = scipy.sparse.csr_array(matrix, dtype=np.float64, copy=True)
    if rows.ndim != 2:
        raise ValueError(f"{name} has shape {rows.shape}; it must have two dimensions.")
    rows.sum_duplicates()
    if variables is not None and rows.shape[1] != variables:
        raise ValueError(
            f"{name} has {rows.shape[1]} columns for {variables} variables."
        )
    if not np.isfinite(rows.data).all():
        raise ValueError(f"{name} holds NaN or infinite entries.")
    return rows


def ranges(low_name: str, low: np.ndarray, high_name: str, high: np.ndarray) -> None:
    """Refuses empty ranges.

    Args:
        low_name: what the error calls the lower sides.
        low: float64 [L].
        high_name: what the error calls the upper sides.
        high: float64 [L].

    Raises:
        ValueError: when nothing finite lies between two sides.
    """
    wrong = np.flatnonzero((low > high) | np.isposinf(low) | np.isneginf(high))
    if wrong.size:
        first = int(wrong[0])
        raise ValueError(
            f"{low_name} is {low[first]} and {high_name} {high[first]} at entry"
            f" {first}; nothing lies between."
        )
