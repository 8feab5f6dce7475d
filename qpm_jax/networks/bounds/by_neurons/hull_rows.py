"""Rows that hold for every neuron, by which its relaxation is worth something.

ReLU is convex and rises by no more than its argument. So for an instance x_i and any
mixture x̄ = Σ_j γ_j x_j of others, γ ≥ 0 and Σ γ = 1, with Δ = x_i − x̄

    ReLU(z_i) ≤ ReLU(z̄) + (w · Δ)⁺ ≤ Σ_j γ_j ReLU(z_j) + w⁺ · Δ⁺ + w⁻ · Δ⁻,

z = w · x + b. What gains at x_i is paid at the x_j, up to how far x_i is from what they
span. For given values of the variables a linear program finds the mixtures whose rows
are broken most, all instances' at once.
"""

import numpy as np
import scipy.sparse
from jaxtyping import Float

from qpm_jax.networks.bounds.by_neurons.pricing_program import Columns, Pricing, along
from qpm_jax.networks.programs.inner_solve import inner_solve
from qpm_jax.networks.programs.rows import Rows, make_rows
from qpm_jax.solvers import MixedIntegerProgram

NEAREST = 5
_BROKEN = 1e-6
# Weights of 0 would let a mixture be anywhere.
_LEAST = 1e-7


def nearest_rows(pricing: Pricing, columns: Columns) -> list[Rows]:
    """The rows of single instances, the nearest of every one."""
    up, down = pricing.gaining, pricing.losing
    if not len(down):
        return []
    distance = np.abs(up[:, None] - down[None]).sum(axis=2)
    nearest = np.argsort(distance, axis=1)[:, :NEAREST]
    each = np.arange(len(up))
    mixtures = [np.eye(len(down))[place] for place in nearest.T]
    return [_rows(pricing, columns, each, mixture) for mixture in mixtures]


def hull_rows(
    pricing: Pricing,
    columns: Columns,
    values: Float[np.ndarray, " V"],
    time_limit: float,
) -> Rows | None:
    """For every instance the row that is broken most.

    Args:
        pricing: what is asked.
        columns: of its program.
        values: float64 [V], of the variables.
        time_limit: seconds.

    Returns:
        The rows; None where none is broken, or there was no time.
    """
    up, down = pricing.gaining, pricing.losing
    if not len(down):
        return None
    program = _mixing_program(pricing, columns, values)
    answer = inner_solve(program, time_limit)
    if answer.status != "optimal":
        return None
    mixture = answer.values[: len(up) * len(down)].reshape(len(up), len(down))
    mixture = np.maximum(mixture, 0.0)
    mixture /= mixture.sum(axis=1, keepdims=True)
    change = up - mixture @ down
    paid = mixture @ values[columns.losing]
    paid += np.maximum(change, 0) @ values[columns.plus]
    paid += np.maximum(-change, 0) @ values[columns.minus]
    broken = np.flatnonzero(values[columns.gaining] - paid > _BROKEN)
    if not len(broken):
        return None
    return _rows(pricing, columns, broken, mixture[broken])


def _rows(
    pricing: Pricing,
    columns: Columns,
    which: np.ndarray,
    mixture: Float[np.ndarray, "B Q"],
) -> Rows:
    """ReLU(z_i) − Σ γ ReLU(z_j) − w⁺ · Δ⁺ − w⁻ · Δ⁻ ≤ 0."""
    change = pricing.gaining[which] - mixture @ pricing.losing
    return make_rows(
        [(columns.gaining[which], 1.0)],
        upper=0.0,
        sums=[
            along(columns.losing, -mixture),
            along(columns.plus, -np.maximum(change, 0)),
            along(columns.minus, -np.maximum(-change, 0)),
        ],
    )


def _mixing_program(
    pricing: Pricing, columns: Columns, values: Float[np.ndarray, " V"]
) -> MixedIntegerProgram:
    """Columns: γ [P, Q], Δ⁺ and Δ⁻ [P, F]."""
    up, down = pricing.gaining, pricing.losing
    number, features = up.shape
    every = scipy.sparse.identity(number)
    ones = scipy.sparse.identity(number * features)
    mixed = scipy.sparse.kron(every, down.T)
    matrix = scipy.sparse.vstack(
        [
            scipy.sparse.hstack([mixed, ones, -ones]),
            scipy.sparse.hstack(
                [
                    scipy.sparse.kron(every, np.ones((1, len(down)))),
                    scipy.sparse.csr_array((number, 2 * number * features)),
                ]
            ),
        ]
    )
    cost = np.concatenate(
        [
            np.tile(values[columns.losing], number),
            np.tile(values[columns.plus] + _LEAST, number),
            np.tile(values[columns.minus] + _LEAST, number),
        ]
    )
    sides = np.r_[up.reshape(-1), np.ones(number)]
    variables = len(cost)
    return MixedIntegerProgram(
        cost,
        matrix,
        sides,
        sides,
        np.zeros(variables),
        np.full(variables, np.inf),
        np.zeros(variables, bool),
    )
