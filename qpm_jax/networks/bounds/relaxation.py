"""What variables of a program can be in its relaxation, cut off at an objective.

docs/networks.md, "Bounds": over the relaxation of the whole program, with its objective
at most the best that is known, a variable is maximised and minimised, and the result
widened by a margin (the source has one; its value is not given).
"""

import dataclasses

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int

from qpm_jax.solvers import MixedIntegerProgram, solve_objectives

MARGIN = 0.01


def relaxed_ranges(
    program: MixedIntegerProgram,
    objective: float,
    columns: Int[np.ndarray, "..."],
    time_limit: float,
    threads: int,
    margin: float = MARGIN,
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """The least and the most of variables by two linear programs each.

    Args:
        program: minimised; products of variables are left out.
        objective: the most that counts.
        columns: the variables, in any shape.
        time_limit: seconds, for all of them.
        threads: among which the linear programs are shared.
        margin: the part of its size, or of 1, by which a value is widened.

    Returns:
        Two arrays of the shape of `columns`; ∓inf where there was no time.
    """
    relaxed = _relaxation(program, objective)
    least, most = _extremes(relaxed, columns.reshape(-1), time_limit, threads)
    shape = columns.shape
    return (
        _widened(least.reshape(shape), -margin),
        _widened(most.reshape(shape), margin),
    )


def _widened(
    values: Float[np.ndarray, "..."], margin: float
) -> Float[np.ndarray, "..."]:
    return values + margin * np.maximum(np.abs(values), 1.0)


def _relaxation(program: MixedIntegerProgram, objective: float) -> MixedIntegerProgram:
    """The program without integers, its objective a row."""
    cut = scipy.sparse.csr_array(program.objective[None])
    return dataclasses.replace(
        program,
        objective=np.zeros(program.num_variables),
        rows=scipy.sparse.vstack([program.rows, cut], format="csr"),
        row_lower=np.r_[program.row_lower, -np.inf],
        row_upper=np.r_[program.row_upper, objective + 1e-6 * max(1.0, objective)],
        integer=np.zeros(program.num_variables, bool),
        bilinear=None,
    )


def _extremes(
    program: MixedIntegerProgram,
    columns: Int[np.ndarray, " K"],
    time_limit: float,
    threads: int,
) -> tuple[Float[np.ndarray, " K"], Float[np.ndarray, " K"]]:
    """The least and the most of variables; ∓inf where there was no time."""
    number = len(columns)
    ones = scipy.sparse.csr_array(
        (np.ones(number), (np.arange(number), columns)),
        shape=(number, program.num_variables),
    )
    both = scipy.sparse.vstack([ones, -ones], format="csr")
    found = solve_objectives(program, both, max(0.0, time_limit), threads)
    return found[:number], -found[number:]
