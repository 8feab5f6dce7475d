"""Rows of a program from arrays of columns and coefficients."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from jax.typing import ArrayLike
from jaxtyping import Float, Int


@dataclass(frozen=True, eq=False)
class Rows:
    """M rows `lower ≤ Σ value x[column] ≤ upper` as triplets.

    Attributes:
        row: int64 [T].
        column: int64 [T].
        value: float64 [T].
        lower: float64 [M].
        upper: float64 [M].
    """

    row: Int[np.ndarray, " T"]
    column: Int[np.ndarray, " T"]
    value: Float[np.ndarray, " T"]
    lower: Float[np.ndarray, " M"]
    upper: Float[np.ndarray, " M"]


def make_rows(
    terms: Sequence[tuple[Int[np.ndarray, "..."], ArrayLike]],
    lower: ArrayLike = -np.inf,
    upper: ArrayLike = np.inf,
    *,
    sums: Sequence[tuple[Int[np.ndarray, "... K"], ArrayLike]] = (),
) -> Rows:
    """Makes one row for each entry of arrays of a common shape.

    Args:
        terms: arrays of columns, each with its coefficients; all broadcast to the
            common shape.
        lower: broadcasts to the common shape.
        upper: likewise.
        sums: as `terms`, with one axis more, last, that is summed over.

    Returns:
        The rows; coefficients of zero are left out.
    """
    shapes = [np.shape(each) for term in terms for each in term]
    shapes += [np.shape(columns)[:-1] for columns, _ in sums]
    shape = np.broadcast_shapes(*shapes)
    number = int(np.prod(shape))
    whole = [(np.asarray(c)[..., None], np.asarray(v)[..., None]) for c, v in terms]
    whole += [(np.asarray(c), np.asarray(v)) for c, v in sums]
    parts = []
    for columns, values in whole:
        full = (*shape, columns.shape[-1])
        value = np.broadcast_to(values, full).reshape(-1).astype(np.float64)
        column = np.broadcast_to(columns, full).reshape(-1)
        row = np.repeat(np.arange(number), full[-1])
        kept = value != 0
        parts.append((row[kept], column[kept], value[kept]))
    row, column, value = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Rows(row, column, value, _side(lower, shape), _side(upper, shape))


def stacked(
    parts: Iterable[Rows], variables: int
) -> tuple[scipy.sparse.csr_array, Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    """One matrix of all rows, one below another.

    Args:
        parts: any number; an iterator is emptied part by part, so that the triplets of
            a large program are never all there at once.
        variables: V.

    Returns:
        CSR [M, V], and both sides [M].
    """
    empty = scipy.sparse.csr_array((0, variables))
    matrices, lower, upper = [empty], [np.zeros(0)], [np.zeros(0)]
    for part in parts:
        places = (part.row.astype(np.int32), part.column.astype(np.int32))
        shape = (len(part.lower), variables)
        matrices.append(scipy.sparse.csr_array((part.value, places), shape=shape))
        lower.append(part.lower)
        upper.append(part.upper)
    matrix: Any = scipy.sparse.vstack(matrices, format="csr")
    return matrix, np.concatenate(lower), np.concatenate(upper)


def _side(values: ArrayLike, shape: tuple[int, ...]) -> Float[np.ndarray, " M"]:
    return np.broadcast_to(np.asarray(values, np.float64), shape).reshape(-1)
