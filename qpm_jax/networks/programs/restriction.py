"""A program with most of its variables given, or tied to others.

x = T y + c: what is given has no entry in T, what is tied has one. Products of two
variables become linear where one of them is given.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Bool, Float, Int

from qpm_jax.solvers import MixedIntegerProgram


@dataclass(frozen=True, eq=False)
class Restriction:
    """A smaller program and its place in the larger one.

    Attributes:
        program: over the K variables y that stay.
        kept: int64 [K], which of the V variables they are.
        transform: CSR [V, K], T.
        offset: float64 [V], c.
    """

    program: MixedIntegerProgram
    kept: Int[np.ndarray, " K"]
    transform: Any
    offset: Float[np.ndarray, " V"]

    def expanded(self, values: Float[np.ndarray, " K"]) -> Float[np.ndarray, " V"]:
        """All variables, from those that stay."""
        return self.transform @ values + self.offset


def restrict(
    program: MixedIntegerProgram,
    values: Float[np.ndarray, " V"],
    given: Bool[np.ndarray, " V"],
    tied: tuple[Int[np.ndarray, " T"], Int[np.ndarray, " T"], Float[np.ndarray, " T"]],
) -> Restriction:
    """Gives some variables their values and ties others to multiples of a third.

    Args:
        program: linear, but for bilinear rows in which each product has a given factor;
            their bounds of tied variables are dropped.
        values: float64 [V], a solution that already is so.
        given: bool [V], variables that keep their value.
        tied: which variables, to which (neither given nor tied), and by what factor.

    Returns:
        The restriction.
    """
    which, anchors, factors = tied
    total = program.num_variables
    stays = ~given
    stays[which] = False
    kept = np.flatnonzero(stays)
    place = np.full(total, -1)
    place[kept] = np.arange(len(kept))
    coordinates = (np.r_[kept, which], np.r_[place[kept], place[anchors]])
    entries = np.r_[np.ones(len(kept)), factors]
    transform = scipy.sparse.csr_array((entries, coordinates), shape=(total, len(kept)))
    offset = np.where(given, values, 0.0)
    rows, lower, upper = _linear_rows(program, transform, offset)
    smaller = MixedIntegerProgram(
        objective=transform.T @ program.objective,
        rows=rows,
        row_lower=lower,
        row_upper=upper,
        lower=program.lower[kept],
        upper=program.upper[kept],
        integer=program.integer[kept],
        branch_priority=None
        if program.branch_priority is None
        else program.branch_priority[kept],
    )
    return Restriction(smaller, kept, transform, offset)


def _linear_rows(
    program: MixedIntegerProgram, transform: Any, offset: np.ndarray
) -> tuple[Any, np.ndarray, np.ndarray]:
    """The rows that still say something."""
    matrix: Any = program.rows
    lower, upper = program.row_lower, program.row_upper
    if program.bilinear is not None:
        part = program.bilinear
        free = np.diff(transform.indptr) > 0
        if (free[part.first] & free[part.second]).any():
            raise ValueError(
                "given leaves a product of two variables; give one factor of each."
            )
        one_given = ~free[part.first]
        constant = np.where(one_given, offset[part.first], offset[part.second])
        column = np.where(one_given, part.second, part.first)
        products = scipy.sparse.csr_array(
            (part.coefficient * constant, (part.row, column)), shape=part.rows.shape
        )
        matrix = scipy.sparse.vstack([matrix, part.rows + products], format="csr")
        lower = np.r_[lower, part.lower]
        upper = np.r_[upper, part.upper]
    shift = matrix @ offset
    smaller = scipy.sparse.csr_array(matrix @ transform)
    smaller.data[np.abs(smaller.data) < 1e-12] = 0.0
    smaller.eliminate_zeros()
    used = np.diff(smaller.indptr) > 0
    return smaller[used], (lower - shift)[used], (upper - shift)[used]
