"""Programs of whole coefficients, for solvers and files that know no others."""

import dataclasses
import math
from fractions import Fraction

import numpy as np

from qpm_jax.solvers import MixedIntegerProgram

_LARGEST_FACTOR = 10**6
# float64 has all whole numbers up to this.
LARGEST_NUMBER = 2**53


def whole_coefficients(
    program: MixedIntegerProgram,
) -> tuple[MixedIntegerProgram, int]:
    """The same program with a whole objective, rows and sides.

    Args:
        program: linear, all variables whole, with whole rows; sides between whole
            numbers move inwards to them.

    Returns:
        The program, its objective multiplied by a factor, and that factor: the least
        that makes every objective coefficient whole.

    Raises:
        ValueError: when a variable or a row is not whole, when numbers are too large to
            be exact, or when no factor up to a million makes the objective whole.
    """
    if not program.is_linear:
        raise ValueError("program has more than linear rows; only those can be whole.")
    if not program.integer.all():
        index = int(np.flatnonzero(~program.integer)[0])
        raise ValueError(
            f"variable {index} of the program is continuous; all must be whole."
        )
    _check_whole("rows", program.rows.data)
    factor = _factor(program.objective)
    scaled = np.round(program.objective * factor)
    _check_whole("the objective, made whole,", scaled)
    return dataclasses.replace(
        program,
        objective=scaled,
        row_lower=np.ceil(program.row_lower - 1e-9),
        row_upper=np.floor(program.row_upper + 1e-9),
        lower=np.ceil(program.lower - 1e-9),
        upper=np.floor(program.upper + 1e-9),
    ), factor


def _factor(objective: np.ndarray) -> int:
    """The least common denominator of the coefficients."""
    factor = 1
    for number in np.unique(objective).tolist():
        fraction = Fraction(number).limit_denominator(_LARGEST_FACTOR)
        factor = math.lcm(factor, fraction.denominator)
        near = 1e-15 * max(1.0, abs(number))  # what float64 makes of a fraction
        if factor > _LARGEST_FACTOR or abs(float(fraction) - number) > near:
            raise ValueError(
                f"the objective holds {number}; no factor up to {_LARGEST_FACTOR} makes"
                " it whole. Choose alpha and beta with fewer digits."
            )
    return factor


def _check_whole(name: str, numbers: np.ndarray) -> None:
    wrong = (numbers != np.round(numbers)) | (np.abs(numbers) > LARGEST_NUMBER)
    if wrong.any():
        raise ValueError(
            f"{name} holds {numbers[wrong][0]}; all must be whole, and 2**53 at most."
        )
