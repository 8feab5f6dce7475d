"""Sizes of weights, switches of neurons and layers, and the identity past a layer.

docs/networks.md (a), (f), (g), (h). A neuron that is off has no weight in or out and no
bias, so its ReLU binaries are off as well. Squares are bounded from below by tangents,
so for a solver without quadratic objectives the program is a relaxation in the l2 term
alone: its bound holds, and objectives are evaluated exactly outside.
"""

import numpy as np
from jaxtyping import Float

from qpm_jax.networks.bounds.intervals import PreactivationBounds
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.affine import handed_bound
from qpm_jax.networks.programs.columns import LayerColumns, NetworkColumns
from qpm_jax.networks.programs.rows import Rows, make_rows

TANGENTS = 17


def weight_limit(problem: NetworkProblem, layer: int) -> float:
    """The largest size of a weight of a layer."""
    return problem.family.limit if layer else problem.weight_limit


def size_rows(
    problem: NetworkProblem, columns: NetworkColumns, layer: int, tangents: bool
) -> list[Rows]:
    """Rows t ≥ |w|, and squares above their tangents.

    Args:
        problem: the problem.
        columns: its variables.
        layer: 0 for the first.
        tangents: whether squares are needed.
    """
    ternary = bool(layer) and problem.family.name == "ternary"
    limit = weight_limit(problem, layer)
    return layer_size_rows(columns.layers[layer], limit, ternary, tangents)


def layer_size_rows(
    here: LayerColumns, limit: float, ternary: bool, tangents: bool
) -> list[Rows]:
    """The same for the variables of one layer.

    Args:
        here: the layer's variables.
        limit: the largest size of a weight.
        ternary: whether sizes are sums of bits.
        tangents: whether squares are needed.
    """
    pair = (here.absolute, 1.0)
    rows = [
        make_rows([pair, (here.weights, -1.0)], lower=0.0),
        make_rows([pair, (here.weights, 1.0)], lower=0.0),
    ]
    if ternary:
        rows.append(make_rows([pair], lower=0.0, sums=[(here.bits, -1.0)]))
    if tangents and here.squares.size:
        at = np.linspace(-limit, limit, TANGENTS)
        terms = [(here.squares[..., None], 1.0), (here.weights[..., None], -2 * at)]
        rows.append(make_rows(terms, lower=-(at**2)))
    return rows


def tangent_squares(
    weights: Float[np.ndarray, "..."], limit: float
) -> Float[np.ndarray, "..."]:
    """The least that the tangents allow for squares of weights.

    Args:
        weights: any shape.
        limit: the largest size of a weight.
    """
    at = np.linspace(-limit, limit, TANGENTS)
    return np.maximum(0.0, (2 * at * weights[..., None] - at**2).max(axis=-1))


def switch_rows(
    problem: NetworkProblem, columns: NetworkColumns, layer: int
) -> list[Rows]:
    """What follows from a hidden neuron or layer that is off.

    Args:
        problem: the problem.
        columns: its variables.
        layer: a hidden one.
    """
    here, after = columns.layers[layer], columns.layers[layer + 1]
    limit, biggest = problem.weight_limit, weight_limit(problem, layer)
    out = weight_limit(problem, layer + 1)
    alive = here.alive
    # Weights that leave a skipped layer belong to the neurons before it.
    free = out if here.passed.size else 0.0
    terms = [(after.absolute, 1.0), (alive, -out)]
    if free:
        terms.append((here.kept, free))
    return [
        make_rows([(here.absolute, 1.0), (alive[:, None], -biggest)], upper=0.0),
        make_rows([(here.biases, 1.0), (alive, -limit)], upper=0.0),
        make_rows([(here.biases, 1.0), (alive, limit)], lower=0.0),
        make_rows(terms, upper=free),
        make_rows([(here.on, 1.0), (alive, -1.0)], upper=0.0),
        make_rows([(alive, 1.0), (here.kept, -1.0)], upper=0.0),
    ]


def passing_rows(
    problem: NetworkProblem,
    columns: NetworkColumns,
    bounds: PreactivationBounds,
    layer: int,
) -> list[Rows]:
    """What a layer that may be skipped hands on: h = active + (1 − q) · h before.

    Args:
        problem: the problem.
        columns: its variables.
        bounds: of the pre-activations.
        layer: a hidden one that may be skipped.
    """
    here, before = columns.layers[layer], columns.layers[layer - 1].handed
    largest = handed_bound(problem, bounds, layer - 1)
    passed, kept = here.passed, here.kept
    return [
        make_rows([(passed, 1.0), (kept, largest)], upper=largest),
        make_rows([(passed, 1.0), (before, -1.0)], upper=0.0),
        make_rows([(passed, 1.0), (before, -1.0), (kept, largest)], lower=0.0),
        make_rows([(here.handed, 1.0), (here.active, -1.0), (passed, -1.0)], 0.0, 0.0),
    ]
