"""The readout's best weights while the filters are held: an exact program.

docs/networks.md, Convolution. With held filters the pooled map is data, so outputs are
linear in the readout and need no products, whatever the family. A weight of a grid is
its step times a whole number; its price λ₁|w| + λ₂w² is written by the chords between
neighbouring values, exact on the grid, else by tangents. Weights that are held too are
constants, and a row without anything free is a bound of its loss.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from qpm_jax.networks.conv_network import ConvNetwork, pooled
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.conv_rule_limits import position_limit, readout_box
from qpm_jax.networks.margins import hinge, margin_signs
from qpm_jax.networks.programs.conv_rule_rows import linear_rows, position_rows
from qpm_jax.networks.programs.program_values import DUST
from qpm_jax.networks.programs.pruning_rows import TANGENTS
from qpm_jax.networks.programs.rows import Rows, make_rows, stacked
from qpm_jax.solvers import MixedIntegerProgram


@dataclass(frozen=True, eq=False)
class ReadoutProgram:
    """A program over part of the readout.

    Attributes:
        program: the `MixedIntegerProgram`.
        columns: the variables' places.
        step: of the grid, 1 where weights are continuous.
        start: float64 [V], the network as a solution.
    """

    program: MixedIntegerProgram
    columns: "ReadoutColumns"
    step: float
    start: Float[np.ndarray, " V"]


@dataclass(frozen=True, eq=False)
class ReadoutColumns:
    """The variables, and which weights and biases of the readout they are.

    Attributes:
        output: [J], output of every free weight.
        input: [J], its input.
        outputs: [B], outputs whose biases are free.
        weights: [J], in units of the step.
        biases: [B].
        prices: [J], λ₁|w| + λ₂w².
        losses: [N, 1] or [N, O].
        used: [S], whether a position is read, where a rule limits their number.
        positions: [S], those positions: free weights read them, held ones do not.
        number: V.
    """

    output: Int[np.ndarray, " J"]
    input: Int[np.ndarray, " J"]
    outputs: Int[np.ndarray, " B"]
    weights: Int[np.ndarray, " J"]
    biases: Int[np.ndarray, " B"]
    prices: Int[np.ndarray, " J"]
    losses: Int[np.ndarray, "N K"]
    used: Int[np.ndarray, " S"]
    positions: Int[np.ndarray, " S"]
    number: int


def readout_program(
    problem: ConvProblem, network: ConvNetwork, free: Bool[np.ndarray, "O P"]
) -> ReadoutProgram:
    """Builds the program; gates and channels are not priced in it.

    Args:
        problem: the problem.
        network: readout weights in the family, following the rules.
        free: the weights that are not held; the biases of their outputs are free too.
    """
    inputs = pooled(network, problem.images).reshape(len(problem.labels), -1)
    weights = network.readout.reshape(free.shape)
    columns = _columns(problem, free, weights)
    step = problem.family.step or 1.0
    held = inputs @ np.where(free, 0.0, weights).T
    held[:, ~free.any(axis=1)] += network.readout_biases[~free.any(axis=1)]
    rows, least = _margin_rows(problem, columns, inputs, held, step)
    prices = _price_rows(problem, columns, step)
    rules = _rule_rows(problem, columns, np.where(free, 0.0, weights), step)
    program = _program(problem, columns, [rows, prices, *rules], least)
    start = np.zeros(columns.number)
    found = weights[columns.output, columns.input]
    start[columns.weights] = found / step
    start[columns.biases] = network.readout_biases[columns.outputs]
    start[columns.prices] = _price(problem, found)
    start[columns.used] = _read(problem, weights)[columns.positions]
    reached = inputs @ weights.T + network.readout_biases
    start[columns.losses] = hinge(problem, reached)
    return ReadoutProgram(program, columns, step, start)


def with_readout(
    problem: ConvProblem,
    network: ConvNetwork,
    part: ReadoutProgram,
    values: Float[np.ndarray, " V"],
) -> ConvNetwork:
    """The network with the free weights of a solution.

    Args:
        problem: the problem.
        network: the one that the program was built for.
        part: the program.
        values: float64 [V], a solution.
    """
    columns = part.columns
    readout = network.readout.reshape(len(network.readout), -1).copy()
    biases = network.readout_biases.copy()
    found = values[columns.weights] * part.step
    lower, upper = _box(problem, columns)
    inside = np.clip(np.where(np.abs(found) > DUST, found, 0.0), lower, upper)
    readout[columns.output, columns.input] = problem.family.rounded(inside)
    most = problem.weight_limit
    biases[columns.outputs] = np.clip(values[columns.biases], -most, most)
    return problem.network(network.filters, network.filter_biases, readout, biases)


def _columns(
    problem: ConvProblem,
    free: Bool[np.ndarray, "O P"],
    weights: Float[np.ndarray, "O P"],
) -> ReadoutColumns:
    output, place = np.nonzero(free)
    outputs = np.flatnonzero(free.any(axis=1))
    parts = 1 if problem.label_encoding == "one_hot" else len(free)
    count, biases = len(output), len(outputs)
    losses = len(problem.labels) * parts
    positions = np.zeros(0, int)
    if position_limit(problem) is not None:
        held = _read(problem, np.where(free, 0.0, weights))
        positions = np.flatnonzero(_read(problem, free) & ~held)
    ahead = 2 * count + biases
    total = ahead + losses + len(positions)
    return ReadoutColumns(
        output=output,
        input=place,
        outputs=outputs,
        weights=np.arange(count),
        biases=count + np.arange(biases),
        prices=count + biases + np.arange(count),
        losses=ahead + np.arange(losses).reshape(-1, parts),
        used=np.arange(ahead + losses, total),
        positions=positions,
        number=total,
    )


def _read(
    problem: ConvProblem, weights: Float[np.ndarray, "O P"] | Bool[np.ndarray, "O P"]
) -> Bool[np.ndarray, " S"]:
    """Which positions of the pooled map weights read."""
    found: Any = weights.reshape(len(weights), -1, problem.channels)
    return found.any(axis=(0, 2))


def _box(
    problem: ConvProblem, columns: ReadoutColumns
) -> tuple[Float[np.ndarray, " J"], Float[np.ndarray, " J"]]:
    lower, upper = readout_box(problem)
    place = columns.output, columns.input
    return lower[place], upper[place]


def _rule_rows(
    problem: ConvProblem,
    columns: ReadoutColumns,
    held: Float[np.ndarray, "O P"],
    step: float,
) -> Iterator[Rows]:
    """The rules that are rows; signs are bounds."""
    places = columns.output * held.shape[1] + columns.input
    yield from linear_rows(problem, 1, columns.weights, places, step, held.reshape(-1))
    position = columns.input // problem.channels
    counted = np.isin(position, columns.positions)
    owners = columns.used[np.searchsorted(columns.positions, position[counted])]
    yield from position_rows(
        problem,
        columns.weights[counted],
        owners,
        columns.used,
        (1, -1),
        step,
        int(_read(problem, held).sum()),
    )


def _margin_rows(
    problem: ConvProblem,
    columns: ReadoutColumns,
    inputs: Float[np.ndarray, "N P"],
    held: Float[np.ndarray, "N O"],
    step: float,
) -> tuple[Rows, Float[np.ndarray, "N K"]]:
    """Rows ξ + margin ≥ 1 with something free, and what the others make of ξ."""
    signs = margin_signs(problem)
    constant = np.einsum("nro,no->nr", signs, held)
    touched = signs[:, :, columns.outputs].any(axis=-1)
    least = np.where(touched, 0.0, np.maximum(0.0, 1.0 - constant))
    if columns.losses.shape[1] == 1:
        least = least.max(axis=1, keepdims=True)
    owners = np.broadcast_to(columns.losses, touched.shape)[touched]
    chosen, samples = signs[touched], np.nonzero(touched)[0]
    factors = chosen[:, columns.output] * inputs[samples][:, columns.input] * step
    last = np.broadcast_to(columns.biases, (len(owners), len(columns.biases)))
    sums = [
        (np.broadcast_to(columns.weights, factors.shape), factors),
        (last, chosen[:, columns.outputs]),
    ]
    return make_rows([(owners, 1.0)], lower=1.0 - constant[touched], sums=sums), least


def _price(
    problem: ConvProblem, weights: Float[np.ndarray, "..."]
) -> Float[np.ndarray, "..."]:
    return problem.l1 * np.abs(weights) + problem.l2 * weights**2


def _price_rows(problem: ConvProblem, columns: ReadoutColumns, step: float) -> Rows:
    """Prices above chords between neighbouring values, or above tangents."""
    limit, grid = problem.family.limit, bool(problem.family.step)
    number = round(limit / step) if grid else TANGENTS // 2
    at = np.linspace(-limit, limit, 2 * number + 1)
    if grid:
        slopes = np.diff(_price(problem, at)) / np.diff(at)
        at = at[:-1]
    else:
        at = (at[1:] + at[:-1]) / 2
        slopes = problem.l1 * np.sign(at) + 2 * problem.l2 * at
    differs = np.append(True, np.diff(slopes) > 1e-12)
    slopes, at = slopes[differs], at[differs]
    terms = [
        (columns.prices[:, None], 1.0),
        (columns.weights[:, None], -slopes * step),
    ]
    return make_rows(terms, lower=_price(problem, at) - slopes * at)


def _program(
    problem: ConvProblem,
    columns: ReadoutColumns,
    rows: list[Rows],
    least: Float[np.ndarray, "N K"],
) -> MixedIntegerProgram:
    total = columns.number
    matrix, row_lower, row_upper = stacked(rows, total)
    lower, upper = np.zeros(total), np.full(total, np.inf)
    step = problem.family.step
    for side, box in zip((lower, upper), _box(problem, columns), strict=True):
        side[columns.weights] = np.round(box / step) if step else box
    upper[columns.biases] = problem.weight_limit
    lower[columns.biases] = -problem.weight_limit
    upper[columns.used] = 1.0
    lower[columns.losses] = least
    costs, integer = np.zeros(total), np.zeros(total, bool)
    costs[columns.losses] = 1.0 / len(problem.labels)
    costs[columns.prices] = 1.0
    integer[columns.weights] = bool(problem.family.step)
    integer[columns.used] = True
    return MixedIntegerProgram(
        objective=costs,
        rows=matrix,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=lower,
        upper=upper,
        integer=integer,
    )
