"""Programs of whole coefficients, for solvers and files that know no others."""

import dataclasses
import math
from fractions import Fraction
from typing import Any

import numpy as np

from qpm_jax.solvers.program import MixedIntegerProgram

_LARGEST_FACTOR = 10**6
# float64 has all whole numbers up to this.
LARGEST_NUMBER = 2**53


class NoWholeNumberError(ValueError):
    """Two sides between which there is no whole number."""


def whole_coefficients(
    program: MixedIntegerProgram,
) -> tuple[MixedIntegerProgram, int]:
    """The same program with a whole objective, rows and sides.

    Args:
        program: linear, all variables whole. A row of fractions is multiplied by the
            least number that makes it whole; sides between whole numbers move inwards
            to them.

    Returns:
        The program, its objective multiplied by a factor, and that factor: the least
        that makes every objective coefficient whole.

    Raises:
        NoWholeNumberError: when no whole number is left between two sides.
        ValueError: when a variable is not whole, when numbers are too large to be
            exact, or when no factor up to a million makes a row or the objective whole.
    """
    if not program.is_linear:
        raise ValueError("program has more than linear rows; only those can be whole.")
    if not program.integer.all():
        index = int(np.flatnonzero(~program.integer)[0])
        raise ValueError(
            f"variable {index} of the program is continuous; all must be whole."
        )
    rows, scale = _whole_rows(program.rows)
    factor = _factor("the objective", program.objective)
    scaled = np.round(program.objective * factor)
    _check_size("rows", rows.data)
    _check_size("the objective, made whole,", scaled)
    row_lower, row_upper = _inwards(
        "row", program.row_lower * scale, program.row_upper * scale
    )
    lower, upper = _inwards("variable", program.lower, program.upper)
    return dataclasses.replace(
        program,
        objective=scaled,
        rows=rows,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=lower,
        upper=upper,
    ), factor


def _whole_rows(rows: Any) -> tuple[Any, np.ndarray]:
    """Whole rows, and what each was multiplied by, float64 [M]."""
    owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    scale = np.ones(rows.shape[0])
    for row in np.unique(owner[rows.data != np.round(rows.data)]).tolist():
        entries = rows.data[rows.indptr[row] : rows.indptr[row + 1]]
        scale[row] = _factor(f"row {row}", entries)
    whole = rows.copy()
    whole.data = np.round(rows.data * scale[owner])
    return whole, scale


def _factor(name: str, numbers: np.ndarray) -> int:
    """The least common denominator of the coefficients."""
    factor = 1
    for number in np.unique(numbers).tolist():
        fraction = Fraction(number).limit_denominator(_LARGEST_FACTOR)
        factor = math.lcm(factor, fraction.denominator)
        near = 1e-15 * max(1.0, abs(number))  # what float64 makes of a fraction
        if factor > _LARGEST_FACTOR or abs(float(fraction) - number) > near:
            raise ValueError(
                f"{name} holds {number}; no factor up to {_LARGEST_FACTOR} makes it"
                " whole. Give its coefficients fewer digits."
            )
    return factor


def _inwards(
    name: str, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sides moved to whole numbers, but for what float64 makes of a whole one."""
    low = np.ceil(low - _rounding(low)) + 0.0  # no −0
    high = np.floor(high + _rounding(high)) + 0.0
    wrong = np.flatnonzero(low > high)
    if wrong.size:
        raise NoWholeNumberError(
            f"no whole number is left between the sides of {name} {wrong[0]}; the"
            " program has no solution."
        )
    return low, high


def _rounding(sides: np.ndarray) -> np.ndarray:
    """What products of float64 may be off by."""
    return 1e-9 + 1e-15 * np.abs(np.where(np.isfinite(sides), sides, 0.0))


def _check_size(name: str, numbers: np.ndarray) -> None:
    wrong = np.abs(numbers) > LARGEST_NUMBER
    if wrong.any():
        raise ValueError(
            f"{name} holds {numbers[wrong][0]}; all must be whole, and 2**53 at most."
        )
