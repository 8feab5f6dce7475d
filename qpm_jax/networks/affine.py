"""Pre-activations as sums over variables, and the products they are made of.

docs/networks.md (b), (c) and (i)–(iii): in the first layer inputs are data, so z is
linear in the weights. Behind it a weight is `offset + Σ_q c_q β_q`, and every bit times
an activation h is a variable v = β h,

    v ≤ H β,   v ≤ h,   v ≥ h − H (1 − β),   v ≥ 0,

exact for binary β, with H the largest h of that instance and neuron.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.networks.bounds import PreactivationBounds
from qpm_jax.networks.columns import NetworkColumns
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.rows import Rows, make_rows


@dataclass(frozen=True, eq=False)
class Affine:
    """`Σ_k coefficients · x[columns]` for every instance and neuron.

    Attributes:
        columns: int64 [N, n, K].
        coefficients: float64 [N, n, K].
    """

    columns: Int[np.ndarray, "N n K"]
    coefficients: Float[np.ndarray, "N n K"]


def preactivation(
    problem: NetworkProblem, columns: NetworkColumns, layer: int
) -> Affine:
    """Z of one layer; behind the first, of weights written in bits.

    Args:
        problem: the problem.
        columns: its variables.
        layer: 0 for the first.

    Returns:
        The sums, the bias last.
    """
    here = columns.layers[layer]
    instances, neurons = here.values.shape
    bias = np.broadcast_to(here.biases[:, None], (instances, neurons, 1))
    if layer == 0:
        inputs = problem.features.shape[1]
        shape = (instances, neurons, inputs)
        terms = np.broadcast_to(here.weights, shape)
        factors = np.broadcast_to(problem.features[:, None], shape)
    else:
        given = columns.layers[layer - 1].handed
        width = here.products[0, 0].size
        products = here.products.reshape(instances, neurons, width)
        repeated = np.tile(problem.family.coefficients, given.shape[1])
        shape = (instances, neurons, given.shape[1])
        terms = np.concatenate([products, np.broadcast_to(given[:, None], shape)], -1)
        factors = np.concatenate(
            [
                np.broadcast_to(repeated, products.shape),
                np.full(shape, problem.family.offset),
            ],
            axis=-1,
        )
    return Affine(
        np.concatenate([terms, bias], axis=-1),
        np.concatenate([factors, np.ones(bias.shape)], axis=-1),
    )


def value_rows(affine: Affine, values: Int[np.ndarray, "N n"]) -> Rows:
    """Rows that say z = the sum.

    Args:
        affine: the sum.
        values: [N, n], z.
    """
    sums = [(affine.columns, affine.coefficients)]
    return make_rows([(values, -1.0)], 0.0, 0.0, sums=sums)


def product_rows(
    problem: NetworkProblem,
    columns: NetworkColumns,
    bounds: PreactivationBounds,
    layer: int,
) -> list[Rows]:
    """What bits and their products are, for a layer behind the first.

    Args:
        problem: the problem, of a family with bits.
        columns: its variables.
        bounds: of the pre-activations.
        layer: 1 or more.
    """
    here, family = columns.layers[layer], problem.family
    given = columns.layers[layer - 1].handed[:, None, :, None]
    largest = handed_bound(problem, bounds, layer - 1)[:, None, :, None]
    products, bits = here.products, here.bits[None]
    rows = [
        make_rows(
            [(here.weights, 1.0)],
            family.offset,
            family.offset,
            sums=[(here.bits, -family.coefficients)],
        ),
        make_rows([(products, 1.0), (bits, -largest)], upper=0.0),
        make_rows([(products, 1.0), (given, -1.0)], upper=0.0),
        make_rows([(products, -1.0), (given, 1.0), (bits, largest)], upper=largest),
    ]
    if family.name == "ternary":  # never both bits
        rows.append(make_rows([], upper=1.0, sums=[(here.bits, 1.0)]))
        rows.append(
            make_rows([(given[..., 0], -1.0)], upper=0.0, sums=[(products, 1.0)])
        )
    return rows


def handed_bound(
    problem: NetworkProblem, bounds: PreactivationBounds, layer: int
) -> Float[np.ndarray, "N n"]:
    """The most that a hidden layer hands on, [N, n].

    Args:
        problem: the problem.
        bounds: of the pre-activations.
        layer: a hidden one.
    """
    largest = bounds.largest_active(layer)
    if problem.layer_price and layer > 0:
        before = handed_bound(problem, bounds, layer - 1)
        if before.shape == largest.shape:
            return np.maximum(largest, before)
    return largest
