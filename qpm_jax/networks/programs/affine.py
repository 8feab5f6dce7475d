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

from qpm_jax.networks.bounds.intervals import PreactivationBounds
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.columns import LayerColumns, NetworkColumns
from qpm_jax.networks.programs.rows import Rows, make_rows
from qpm_jax.networks.weight_family import WeightFamily


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
    if layer:
        given = columns.layers[layer - 1].handed
        return weighted_sums(problem.family, here, given)
    instances, neurons = here.values.shape
    bias = np.broadcast_to(here.biases[:, None], (instances, neurons, 1))
    shape = (instances, neurons, problem.features.shape[1])
    terms = np.broadcast_to(here.weights, shape)
    factors = np.broadcast_to(problem.features[:, None], shape)
    return Affine(
        np.concatenate([terms, bias], axis=-1),
        np.concatenate([factors, np.ones(bias.shape)], axis=-1),
    )


def weighted_sums(
    family: WeightFamily, here: LayerColumns, given: Int[np.ndarray, "N m"]
) -> Affine:
    """Z of a layer whose weights are written in bits and whose inputs are variables.

    Args:
        family: of the weights.
        here: the layer's variables.
        given: [N, m], the inputs.

    Returns:
        The sums, the bias last.
    """
    instances, neurons = here.values.shape
    products = here.products.reshape(instances, neurons, here.bits[0].size)
    shape = (instances, neurons, given.shape[1])
    bias = np.broadcast_to(here.biases[:, None], (instances, neurons, 1))
    repeated = np.tile(family.coefficients, given.shape[1])
    parts = (
        (products, np.broadcast_to(repeated, products.shape)),
        (np.broadcast_to(given[:, None], shape), np.full(shape, family.offset)),
        (bias, np.ones(bias.shape)),
    )
    return Affine(
        np.concatenate([columns for columns, _ in parts], axis=-1),
        np.concatenate([factors for _, factors in parts], axis=-1),
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
    given = columns.layers[layer - 1].handed
    largest = handed_bound(problem, bounds, layer - 1)
    return bit_rows(problem.family, columns.layers[layer], given, largest)


def bit_rows(
    family: WeightFamily,
    here: LayerColumns,
    inputs: Int[np.ndarray, "N m"],
    most: Float[np.ndarray, "N m"],
) -> list[Rows]:
    """What the bits of a layer's weights, and their products with its inputs, are.

    Args:
        family: of the weights, one with bits.
        here: the layer's variables.
        inputs: [N, m], h ≥ 0.
        most: [N, m], H.
    """
    given, largest = inputs[:, None, :, None], most[:, None, :, None]
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
