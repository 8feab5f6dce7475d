"""The mixed-integer program that trains a convolutional network.

arXiv 2504.14356; docs/networks.md, Convolution, is a sound reconstruction. The parts
are in files of their own: `conv_rows` and `relu_rows` the convolution, `pool_rows`
pooling and gates, `affine` the products of readout weights and pooled activations,
`loss_rows` the losses.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.networks.bounds.conv_intervals import (
    ConvBounds,
    conv_interval_bounds,
    pooled_reach,
)
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.conv_rule_limits import filter_box, readout_box
from qpm_jax.networks.programs.affine import bit_rows, value_rows, weighted_sums
from qpm_jax.networks.programs.beyond_linear import (
    Readings,
    Switched,
    indicators,
    products,
    squares,
)
from qpm_jax.networks.programs.charge_rows import charge_rows
from qpm_jax.networks.programs.conv_columns import ConvColumns, conv_columns
from qpm_jax.networks.programs.conv_rows import (
    channel_relu,
    channel_rows,
    conv_rows,
    share_columns,
)
from qpm_jax.networks.programs.conv_rule_rows import linear_rows, position_rows
from qpm_jax.networks.programs.loss_rows import loss_rows
from qpm_jax.networks.programs.pair_rows import pair_rows
from qpm_jax.networks.programs.pool_rows import pool_rows, reading_rows
from qpm_jax.networks.programs.pruning_rows import layer_size_rows
from qpm_jax.networks.programs.relu_rows import ENCODINGS, indicator_rows
from qpm_jax.networks.programs.rows import Rows, stacked
from qpm_jax.solvers import MixedIntegerProgram


@dataclass(frozen=True, eq=False)
class ConvProgram:
    """A program and what its variables mean.

    Attributes:
        problem: what is solved.
        columns: the variables' places.
        relu: the encoding of the ReLUs.
        program: the `MixedIntegerProgram`; its objective is the problem's, or below it
            where squares are replaced by tangents.
    """

    problem: ConvProblem
    columns: ConvColumns
    relu: str
    program: MixedIntegerProgram


def build_conv(
    problem: ConvProblem,
    relu: str = "big_m",
    bounds: ConvBounds | None = None,
    *,
    quadratic: bool = False,
    ordered: bool = True,
    signs: bool = False,
) -> ConvProgram:
    """Builds the whole program with array operations.

    The readout of the source's size has millions of products (`conv_program_size`), so
    this is for smaller networks.

    Args:
        problem: what is to be solved.
        relu: "big_m", "indicator" or "partitioned".
        bounds: of z, which the big-M values are; None for those of all networks.
        quadratic: whether squares are written as a quadratic objective, or by tangents.
        ordered: whether the channels' symmetry is broken.
        signs: whether weights have binaries for their signs, by which activations are
            charged (`charge_rows`) and which, after the readout's, are branched on
            first.

    Raises:
        ValueError: for an unknown encoding.
    """
    _check_encoding(relu)
    columns = conv_columns(problem, problem.codes.shape[1], signs=signs)
    bounds = bounds or conv_interval_bounds(problem)
    rows = _layer_rows(problem, columns, bounds, relu, ordered)
    more = _readout_rows(problem, columns, bounds, tangents=not quadratic)
    return _program(problem, columns, bounds, relu, [rows, more], quadratic)


def build_conv_layer(
    problem: ConvProblem, relu: str = "big_m", bounds: ConvBounds | None = None
) -> ConvProgram:
    """The convolution alone: filters, ReLUs and pooling, without readout and losses.

    Args:
        problem: the problem.
        relu: as for `build_conv`.
        bounds: as for `build_conv`.

    Raises:
        ValueError: for an unknown encoding.
    """
    _check_encoding(relu)
    columns = conv_columns(problem, 0)
    bounds = bounds or conv_interval_bounds(problem)
    rows = _layer_rows(problem, columns, bounds, relu, True)
    return _program(problem, columns, bounds, relu, [rows], False)


def conv_program_size(problem: ConvProblem) -> dict[str, int]:
    """Counts what `build_conv` would make with big-M ReLUs, without making it.

    Args:
        problem: the problem.

    Returns:
        "relu_binaries", "binaries", "variables" and "products".
    """
    columns = conv_columns(problem, problem.codes.shape[1], only_shapes=True)
    parts = (
        columns.alive,
        columns.gates,
        columns.on,
        columns.chosen,
        columns.used,
    )
    return {
        "relu_binaries": columns.on.size,
        "binaries": sum(each.size for each in parts) + columns.readout.bits.size,
        "variables": columns.number,
        "products": columns.readout.products.size,
    }


def _layer_rows(
    problem: ConvProblem,
    columns: ConvColumns,
    bounds: ConvBounds,
    relu: str,
    ordered: bool,
) -> Iterator[Rows]:
    yield from channel_rows(problem, columns, ordered=ordered)
    yield from conv_rows(problem, columns, bounds, relu)
    yield from pool_rows(problem, columns, bounds)
    filters = columns.filters.reshape(-1)
    yield from linear_rows(problem, 0, filters, np.arange(filters.size))
    if columns.positive.size:
        yield from charge_rows(problem, columns)


def _readout_rows(
    problem: ConvProblem,
    columns: ConvColumns,
    bounds: ConvBounds,
    *,
    tangents: bool,
) -> Iterator[Rows]:
    here, family = columns.readout, problem.family
    inputs, most = _inputs(problem, columns, bounds)
    ternary = family.name == "ternary"
    yield from layer_size_rows(here, family.limit, ternary, tangents)
    yield from reading_rows(problem, columns)
    yield from _rule_rows(problem, columns)
    if family.name != "bilinear":
        yield from bit_rows(family, here, inputs, most)
        yield value_rows(weighted_sums(family, here, inputs), here.values)
    codes = problem.codes if problem.label_encoding == "binary" else None
    yield loss_rows(here.values, columns.losses, problem.labels, codes)
    # They follow from the others, but not in the relaxation, which without them is 0.
    sizes = here.absolute.reshape(len(here.absolute), -1, problem.channels)
    yield pair_rows(problem, sizes, columns.losses)


def _rule_rows(problem: ConvProblem, columns: ConvColumns) -> Iterator[Rows]:
    """The rules of the readout."""
    weights = columns.readout.weights.reshape(-1)
    yield from linear_rows(problem, 1, weights, np.arange(weights.size))
    owners = np.repeat(columns.used, problem.channels)
    sizes = columns.readout.absolute
    yield from position_rows(problem, sizes, owners, columns.used, (1,))


def _inputs(
    problem: ConvProblem, columns: ConvColumns, bounds: ConvBounds
) -> tuple[np.ndarray, np.ndarray]:
    """The readout's inputs and the most they can be, [N, h·w·C]."""
    most = pooled_reach(problem, bounds)
    return columns.pooled.reshape(len(most), -1), most.reshape(len(most), -1)


def _program(
    problem: ConvProblem,
    columns: ConvColumns,
    bounds: ConvBounds,
    relu: str,
    parts: list[Iterator[Rows]],
    quadratic: bool,
) -> ConvProgram:
    lower, upper, integer = _ranges(problem, columns, bounds, relu)
    total = len(lower)
    matrix, row_lower, row_upper = stacked(
        (rows for part in parts for rows in part), total
    )
    weights = [columns.readout.weights]
    program = MixedIntegerProgram(
        objective=_costs(problem, columns, total, not quadratic),
        rows=matrix,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=lower,
        upper=upper,
        integer=integer,
        quadratic=squares(weights, problem.l2, total) if quadratic else None,
        indicators=indicators(_switched(columns, relu), total),
        bilinear=products(_readings(problem, columns, bounds), total),
        branch_priority=_priorities(columns, total) if columns.positive.size else None,
    )
    return ConvProgram(problem, columns, relu, program)


def _ranges(
    problem: ConvProblem,
    columns: ConvColumns,
    bounds: ConvBounds,
    relu: str,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What every variable can be, and whether it is whole."""
    shares = share_columns(problem, columns).size if relu == "partitioned" else 0
    total = columns.number + shares
    lower, upper = np.zeros(total), np.ones(total)
    integer = np.zeros(total, bool)
    here, limit = columns.readout, problem.weight_limit
    for place, low, high in (
        (columns.filters, *filter_box(problem)),
        (columns.biases, -limit, limit),
        (columns.absolute, 0.0, limit),
        (columns.values, bounds.lower, bounds.upper),
        (columns.active, 0.0, bounds.largest_active),
        (columns.pooled, 0.0, pooled_reach(problem, bounds)),
        (here.biases, -limit, limit),
        (here.absolute, 0.0, problem.family.limit),
        (here.squares, 0.0, problem.family.limit**2),
        (here.values, -np.inf, np.inf),
        (columns.losses, 0.0, np.inf),
        (columns.bias_size, 0.0, limit),
        (np.arange(columns.number, total), -np.inf, np.inf),
    ):
        lower[place], upper[place] = low, high
    if here.weights.size:
        lower[here.weights], upper[here.weights] = readout_box(problem)
    if here.products.size:
        given = _inputs(problem, columns, bounds)[1]
        upper[here.products] = given[:, None, :, None]
    for binary in (
        columns.on,
        columns.chosen,
        columns.alive,
        columns.gates,
        columns.used,
        columns.positive,
        columns.bias_positive,
        here.bits,
    ):
        integer[binary] = True
    return lower, upper, integer


def _costs(
    problem: ConvProblem, columns: ConvColumns, total: int, tangents: bool
) -> Float[np.ndarray, " V"]:
    costs = np.zeros(total)
    costs[columns.losses] = 1.0 / len(problem.labels)
    costs[columns.absolute] = costs[columns.readout.absolute] = problem.l1
    costs[columns.readout.squares] = problem.l2 if tangents else 0.0
    costs[columns.alive] = problem.channel_price
    costs[columns.gates] = problem.gate_price
    return costs


def _priorities(columns: ConvColumns, total: int) -> Int[np.ndarray, " V"]:
    """The few binaries that decide what all samples' variables can be, first."""
    priorities = np.zeros(total, int)
    priorities[columns.positive] = priorities[columns.bias_positive] = 1
    priorities[columns.readout.bits] = 2
    return priorities


def _switched(columns: ConvColumns, relu: str) -> list[Switched]:
    if relu != "indicator":
        return []
    channels = range(len(columns.alive))
    return [indicator_rows(channel_relu(columns, channel)) for channel in channels]


def _readings(
    problem: ConvProblem, columns: ConvColumns, bounds: ConvBounds
) -> Iterator[Readings]:
    """The readout, where its products are written as such."""
    here = columns.readout
    if problem.family.name == "bilinear" and here.values.size:
        inputs, _ = _inputs(problem, columns, bounds)
        yield Readings(here.values, here.biases, here.weights, inputs)


def _check_encoding(relu: str) -> None:
    if relu not in ENCODINGS:
        raise ValueError(f"relu is {relu!r}; choose one of {', '.join(ENCODINGS)}.")
