"""The mixed-integer program that trains a dense ReLU network.

arXiv 2504.14356; docs/networks.md is a sound reconstruction, as the paper's text could
not be had. The parts are in files of their own: `affine` (b)–(d), `relu_rows` (e),
`pruning_rows` (f)–(h), `symmetry_rows` (i), `loss_rows` (j), `rule_rows`.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.networks.bounds.intervals import PreactivationBounds, interval_bounds
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.affine import (
    handed_bound,
    preactivation,
    product_rows,
    value_rows,
)
from qpm_jax.networks.programs.beyond_linear import (
    Readings,
    Switched,
    indicators,
    products,
    squares,
)
from qpm_jax.networks.programs.columns import NetworkColumns, network_columns
from qpm_jax.networks.programs.loss_rows import loss_rows
from qpm_jax.networks.programs.pruning_rows import passing_rows, size_rows, switch_rows
from qpm_jax.networks.programs.pruning_rows import weight_limit as largest_weight
from qpm_jax.networks.programs.relu_rows import (
    ENCODINGS,
    GROUPS,
    ReLUColumns,
    above_rows,
    group_ranges,
    indicator_rows,
    partition_rows,
    relu_rows,
)
from qpm_jax.networks.programs.rows import Rows, stacked
from qpm_jax.networks.programs.rule_rows import rule_rows
from qpm_jax.networks.programs.symmetry_rows import symmetry_rows
from qpm_jax.solvers import MixedIntegerProgram


@dataclass(frozen=True, eq=False)
class DenseProgram:
    """A program and what its variables mean.

    Attributes:
        problem: what is solved.
        columns: the variables' places.
        shares: [N, n, G] a hidden layer, the extra variables of "partitioned", with
            the terms they are shares of; empty otherwise.
        program: the `MixedIntegerProgram`; its objective is the problem's, or below it
            where squares are replaced by tangents.
    """

    problem: NetworkProblem
    columns: NetworkColumns
    shares: tuple[Int[np.ndarray, "N n G"], ...]
    program: MixedIntegerProgram


def build_dense(
    problem: NetworkProblem,
    relu: str = "big_m",
    bounds: PreactivationBounds | None = None,
    *,
    quadratic: bool = False,
    ordered: bool = True,
) -> DenseProgram:
    """Builds the program with array operations, layer by layer.

    Args:
        problem: what is to be solved.
        relu: "big_m", "indicator" or "partitioned"; the last is big-M in layers behind
            the first of the "bilinear" family.
        bounds: of pre-activations; None for `interval_bounds`.
        quadratic: whether squares are written as a quadratic objective, or by tangents.
        ordered: whether symmetry is broken; a search that changes one neuron at a time
            is better off without.

    Returns:
        The program.

    Raises:
        ValueError: for an unknown encoding.
    """
    if relu not in ENCODINGS:
        raise ValueError(f"relu is {relu!r}; choose one of {', '.join(ENCODINGS)}.")
    bounds = bounds or interval_bounds(problem)
    columns = network_columns(problem)
    shares = _share_columns(problem, columns, relu)
    lower, upper, integer = _ranges(problem, columns, bounds, shares)
    rows = _rows(problem, columns, bounds, not quadratic)
    if ordered:
        for layer in range(len(problem.hidden)):
            rows += symmetry_rows(problem, columns, layer)
    more, switched = _relus(problem, columns, bounds, shares, relu, (lower, upper))
    total = len(lower)
    matrix, row_lower, row_upper = stacked(rows + more, total)
    weights = [here.weights for here in columns.layers]
    program = MixedIntegerProgram(
        objective=_costs(problem, columns, total, not quadratic),
        rows=matrix,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=lower,
        upper=upper,
        integer=integer,
        quadratic=squares(weights, problem.l2, total) if quadratic else None,
        indicators=indicators(switched, total),
        bilinear=products(_readings(problem, columns), total),
    )
    return DenseProgram(problem, columns, shares, program)


def _rows(
    problem: NetworkProblem,
    columns: NetworkColumns,
    bounds: PreactivationBounds,
    tangents: bool,
) -> list[Rows]:
    codes = problem.codes if problem.label_encoding == "binary" else None
    outputs = columns.layers[-1].values
    rows = [loss_rows(outputs, columns.losses, problem.labels, codes)]
    rows += rule_rows(problem, columns)
    linear = problem.family.name != "bilinear"
    for layer, here in enumerate(columns.layers):
        rows += size_rows(problem, columns, layer, tangents)
        if layer == 0 or linear:
            rows.append(value_rows(preactivation(problem, columns, layer), here.values))
        if layer and linear:
            rows += product_rows(problem, columns, bounds, layer)
        if layer < len(problem.hidden):
            rows += switch_rows(problem, columns, layer)
        if here.passed.size:
            rows += passing_rows(problem, columns, bounds, layer)
    return rows


def _relus(
    problem: NetworkProblem,
    columns: NetworkColumns,
    bounds: PreactivationBounds,
    shares: tuple[Int[np.ndarray, "N n G"], ...],
    relu: str,
    ranges: tuple[np.ndarray, np.ndarray],
) -> tuple[list[Rows], list[Switched]]:
    """Rows of all ReLUs, and those that hold only where a binary has a value."""
    rows: list[Rows] = []
    switched: list[Switched] = []
    for layer in range(len(problem.hidden)):
        here = columns.layers[layer]
        triple = ReLUColumns(here.values, here.active, here.on)
        if relu == "indicator":
            rows.append(above_rows(triple))
            switched.append(indicator_rows(triple))
            continue
        rows += relu_rows(triple, bounds.lower[layer], bounds.upper[layer])
        if shares and shares[layer].size:
            affine = preactivation(problem, columns, layer)
            extent = group_ranges(affine, *ranges)
            rows += partition_rows(triple, affine, shares[layer], extent)
    return rows, switched


def _share_columns(
    problem: NetworkProblem, columns: NetworkColumns, relu: str
) -> tuple[Int[np.ndarray, "N n G"], ...]:
    if relu != "partitioned":
        return ()
    start, shares = columns.number, []
    for layer in range(len(problem.hidden)):
        here = columns.layers[layer]
        written = layer == 0 or problem.family.name != "bilinear"
        terms = problem.features.shape[1] + 1 if layer == 0 else GROUPS
        groups = min(terms, GROUPS) if written else 0
        shape = (*here.on.shape, groups)
        end = start + int(np.prod(shape))
        shares.append(np.arange(start, end).reshape(shape))
        start = end
    return tuple(shares)


def _ranges(
    problem: NetworkProblem,
    columns: NetworkColumns,
    bounds: PreactivationBounds,
    shares: tuple[Int[np.ndarray, "N n G"], ...],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What every variable can be, and whether it is whole."""
    total = columns.number + sum(each.size for each in shares)
    lower, upper = np.zeros(total), np.ones(total)
    integer = np.zeros(total, bool)
    for layer, here in enumerate(columns.layers):
        limit = largest_weight(problem, layer)
        lower[here.weights], upper[here.weights] = -limit, limit
        lower[here.biases], upper[here.biases] = (
            -problem.weight_limit,
            problem.weight_limit,
        )
        upper[here.absolute], upper[here.squares] = limit, limit**2
        lower[here.values], upper[here.values] = (
            bounds.lower[layer],
            bounds.upper[layer],
        )
        if layer < len(problem.hidden):
            largest = handed_bound(problem, bounds, layer)
            upper[here.handed] = largest
            upper[here.active] = bounds.largest_active(layer)
            if here.passed.size:
                upper[here.passed] = handed_bound(problem, bounds, layer - 1)
            lower[here.kept] = 0.0 if here.passed.size else 1.0
        if here.products.size:
            given = handed_bound(problem, bounds, layer - 1)
            upper[here.products] = given[:, None, :, None]
        for binary in (here.bits, here.on, here.alive, here.kept):
            integer[binary] = True
    upper[columns.losses] = np.inf
    for each in shares:
        lower[each], upper[each] = -np.inf, np.inf
    for extra in columns.rules:
        for binary in extra:
            integer[binary] = True
    return lower, upper, integer


def _costs(
    problem: NetworkProblem, columns: NetworkColumns, total: int, tangents: bool
) -> Float[np.ndarray, " V"]:
    costs = np.zeros(total)
    costs[columns.losses] = 1.0 / len(problem.labels)
    for here in columns.layers:
        costs[here.absolute] = problem.l1
        costs[here.squares] = problem.l2 if tangents else 0.0
        costs[here.alive] = problem.neuron_price
        costs[here.kept] = problem.layer_price
    return costs


def _readings(problem: NetworkProblem, columns: NetworkColumns) -> Iterator[Readings]:
    """Layers behind the first, where their products are written as such."""
    if problem.family.name == "bilinear":
        for before, here in itertools.pairwise(columns.layers):
            yield Readings(here.values, here.biases, here.weights, before.handed)
