"""Rows of a convolution and its ReLUs: values, sizes, channel switches, their order.

docs/networks.md, Convolution. Pixels are data, so z is linear in the filters. One row a
sample, channel and position; only channels are looped over, so that the arrays of one
step stay small.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.networks.bounds.conv_intervals import ConvBounds
from qpm_jax.networks.conv_network import patches
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.conv_rule_limits import channels_alike, filter_box
from qpm_jax.networks.programs.affine import Affine
from qpm_jax.networks.programs.conv_columns import ConvColumns
from qpm_jax.networks.programs.relu_rows import (
    ReLUColumns,
    above_rows,
    group_ranges,
    partition_rows,
    relu_rows,
)
from qpm_jax.networks.programs.rows import Rows, make_rows


def conv_rows(
    problem: ConvProblem,
    columns: ConvColumns,
    bounds: ConvBounds,
    relu: str,
) -> Iterator[Rows]:
    """Rows z = F·patch + b, and the ReLUs of "big_m" or "partitioned".

    Args:
        problem: the problem.
        columns: its variables; for "partitioned" with `share_columns` behind them.
        bounds: of z, −M⁻ and M⁺.
        relu: the encoding; of "indicator" only h ≥ z is here.
    """
    seen = patches(problem.images, problem.filter_size)
    seen = seen.reshape(-1, 1, problem.patch_size)
    for channel in range(problem.channels):
        triple = channel_relu(columns, channel)
        affine = _affine(columns, channel, seen)
        values = triple.values
        yield make_rows(
            [(values, -1.0)],
            0.0,
            0.0,
            sums=[(affine.columns, affine.coefficients)],
        )
        if relu == "indicator":
            yield above_rows(triple)
            continue
        least, most = (
            each[..., channel].reshape(-1, 1) for each in (bounds.lower, bounds.upper)
        )
        yield from relu_rows(triple, least, most)
        if relu == "partitioned":
            shares = share_columns(problem, columns)[:, channel : channel + 1]
            extent = group_ranges(affine, *_weight_ranges(problem))
            yield from partition_rows(triple, affine, shares, extent)


def channel_relu(columns: ConvColumns, channel: int) -> ReLUColumns:
    """The ReLUs of one channel, as [N·H·W, 1]."""
    return ReLUColumns(
        columns.values[..., channel].reshape(-1, 1),
        columns.active[..., channel].reshape(-1, 1),
        columns.on[..., channel].reshape(-1, 1),
    )


def share_columns(
    problem: ConvProblem, columns: ConvColumns, groups: int = 4
) -> Int[np.ndarray, "NHW C G"]:
    """The extra variables of "partitioned", behind all others."""
    number = min(groups, problem.patch_size + 1)
    shape = (columns.values[..., 0].size, problem.channels, number)
    return columns.number + np.arange(np.prod(shape)).reshape(shape)


def channel_rows(
    problem: ConvProblem, columns: ConvColumns, *, ordered: bool
) -> Iterator[Rows]:
    """Sizes, what follows from a channel that is off, and the channels' order.

    Args:
        problem: the problem.
        columns: its variables.
        ordered: whether symmetry is broken: used channels first, of falling sums of
            their filters. It is not where a rule may single channels out.
    """
    limit, alive = problem.weight_limit, columns.alive
    size = (columns.absolute, 1.0)
    yield make_rows([size, (columns.filters, -1.0)], lower=0.0)
    yield make_rows([size, (columns.filters, 1.0)], lower=0.0)
    yield make_rows([size, (alive[:, None], -limit)], upper=0.0)
    yield make_rows([(columns.biases, 1.0), (alive, -limit)], upper=0.0)
    yield make_rows([(columns.biases, 1.0), (alive, limit)], lower=0.0)
    yield make_rows([(columns.on, 1.0), (alive, -1.0)], upper=0.0)
    if not ordered or problem.channels < 2 or not channels_alike(problem):
        return
    first, second = columns.filters[:-1], columns.filters[1:]
    most = 2 * limit * problem.patch_size
    yield make_rows([(alive[:-1], 1.0), (alive[1:], -1.0)], lower=0.0)
    sums = [(first, 1.0), (second, -1.0)]
    yield make_rows([(alive[1:], -most)], lower=-most, sums=sums)


def _affine(
    columns: ConvColumns, channel: int, seen: Float[np.ndarray, "M 1 kkD"]
) -> Affine:
    weights = np.append(columns.filters[channel], columns.biases[channel])
    ones = np.ones((*seen.shape[:2], 1))
    shape = (*seen.shape[:2], len(weights))
    return Affine(
        np.broadcast_to(weights, shape), np.concatenate([seen, ones], axis=-1)
    )


def _weight_ranges(
    problem: ConvProblem,
) -> tuple[Float[np.ndarray, " V"], Float[np.ndarray, " V"]]:
    """Bounds of the filters and their biases, the first variables of all."""
    limit = np.full(problem.channels, problem.weight_limit)
    lower, upper = filter_box(problem)
    return np.append(lower, -limit), np.append(upper, limit)
