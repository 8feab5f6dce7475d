"""Better filters while the readout and the ReLUs' patterns are held: a linear program.

docs/networks.md, Convolution, ours. With the patterns of ReLU and max-pooling held the
pooled map is linear in the filters, and so are the outputs. Rows that would keep the
patterns as they are number millions; a limit on how far the filters move takes their
place, and the exact forward evaluation decides whether the answer is better.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.networks.conv_network import ConvNetwork, convolved, patches, windows
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.conv_rule_limits import filter_box
from qpm_jax.networks.margins import hinge, margin_signs
from qpm_jax.networks.programs.conv_rule_rows import linear_rows
from qpm_jax.networks.programs.rows import Rows, make_rows, stacked
from qpm_jax.solvers import MixedIntegerProgram


def output_slopes(
    problem: ConvProblem, network: ConvNetwork
) -> Float[np.ndarray, "N O C K"]:
    """Outputs as linear functions of the filters where the patterns stay.

    Args:
        problem: the problem.
        network: where.

    Returns:
        [N, O, C, k·k·D + 1], the filter's bias last.
    """
    reached = convolved(network, problem.images)
    seen = patches(problem.images, problem.filter_size)
    seen = np.concatenate([seen, np.ones((*seen.shape[:3], 1))], axis=-1)
    inside = windows(seen, problem.window)  # [N, h, w, K, q]
    found = []
    for channel in range(problem.channels):
        here = windows(reached[..., channel : channel + 1], problem.window)
        share = (here > 0) / (1.0 if problem.pooling == "max" else here.shape[-1])
        if problem.pooling == "max":
            first = here.argmax(axis=-1)[..., None]
            share = share * (np.arange(here.shape[-1]) == first)
        slopes = (inside * share).sum(axis=-1).reshape(len(seen), -1, seen.shape[-1])
        readout = network.readout[..., channel].reshape(len(network.readout), -1)
        found.append(np.einsum("op,npk->nok", readout, slopes, optimize=True))
    return np.stack(found, axis=2)


def filter_program(
    problem: ConvProblem, network: ConvNetwork, radius: float
) -> tuple[MixedIntegerProgram, Float[np.ndarray, " V"]]:
    """The linear program over filters and all biases.

    Args:
        problem: the problem.
        network: where the patterns are held; it follows the rules.
        radius: the most a filter's entry or bias may move.

    Returns:
        The program, its first variables the filters with their biases,
        [C, k·k·D + 1], and the readout's biases, and the network as a solution.
    """
    slopes = output_slopes(problem, network)
    flat = network.filters.reshape(problem.channels, -1)
    here = np.hstack([flat, network.filter_biases[:, None]])
    columns = _columns(problem, here.shape)
    signs = margin_signs(problem)
    factors = np.einsum("nro,nock->nrck", signs, slopes, optimize=True)
    factors = factors.reshape(*signs.shape[:2], -1)
    sums = [
        (np.broadcast_to(columns.filters.reshape(-1), factors.shape), factors),
        (np.broadcast_to(columns.biases, signs.shape), signs),
    ]
    owners = np.broadcast_to(columns.losses, signs.shape[:2])
    weights = columns.filters[:, :-1]
    rows = [
        make_rows([(owners, 1.0)], lower=1.0, sums=sums),
        make_rows([(columns.sizes, 1.0), (weights, -1.0)], lower=0.0),
        make_rows([(columns.sizes, 1.0), (weights, 1.0)], lower=0.0),
        *linear_rows(problem, 0, weights.reshape(-1), np.arange(weights.size)),
    ]
    start = np.zeros(columns.number)
    start[columns.filters], start[columns.biases] = here, network.readout_biases
    start[columns.sizes] = np.abs(flat)
    reached = np.einsum("nock,ck->no", slopes, here) + network.readout_biases
    start[columns.losses] = hinge(problem, reached)
    return _program(problem, columns, rows, (here - radius, here + radius)), start


def with_filters(
    problem: ConvProblem, network: ConvNetwork, values: Float[np.ndarray, " V"]
) -> ConvNetwork:
    """The network with the filters and biases of a solution.

    Args:
        problem: the problem.
        network: the one that the program was built for.
        values: float64 [V], a solution.
    """
    columns = _columns(problem, (problem.channels, problem.patch_size + 1))
    limit = problem.weight_limit
    found = np.clip(values, -limit, limit)
    found = np.where(np.abs(found) > 1e-9, found, 0.0)
    filters = found[columns.filters]
    return problem.network(
        np.clip(filters[:, :-1], *filter_box(problem)),
        filters[:, -1],
        network.readout,
        found[columns.biases],
    )


@dataclass(frozen=True, eq=False)
class _Columns:
    """Filters with biases, the readout's biases, sizes |F| and losses."""

    filters: Int[np.ndarray, "C K"]
    biases: Int[np.ndarray, " O"]
    sizes: Int[np.ndarray, "C kkD"]
    losses: Int[np.ndarray, "N K"]
    number: int


def _columns(problem: ConvProblem, shape: tuple[int, int]) -> _Columns:
    outputs = problem.codes.shape[1]
    parts = 1 if problem.label_encoding == "one_hot" else outputs
    channels, entries = shape
    counts = [
        channels * entries,
        outputs,
        channels * (entries - 1),
        len(problem.labels) * parts,
    ]
    ends = np.cumsum(counts)
    filters, biases, sizes, losses = np.split(np.arange(ends[-1]), ends[:-1])
    return _Columns(
        filters.reshape(shape),
        biases,
        sizes.reshape(channels, -1),
        losses.reshape(-1, parts),
        int(ends[-1]),
    )


def _program(
    problem: ConvProblem,
    columns: _Columns,
    rows: list[Rows],
    near: tuple[Float[np.ndarray, "C K"], Float[np.ndarray, "C K"]],
) -> MixedIntegerProgram:
    matrix, row_lower, row_upper = stacked(rows, columns.number)
    limit = problem.weight_limit
    lower, upper = np.zeros(columns.number), np.full(columns.number, np.inf)
    least, most = filter_box(problem)
    column = np.full((problem.channels, 1), limit)  # of the biases
    lower[columns.filters] = np.maximum(np.hstack([least, -column]), near[0])
    upper[columns.filters] = np.minimum(np.hstack([most, column]), near[1])
    lower[columns.biases], upper[columns.biases] = -limit, limit
    costs = np.zeros(columns.number)
    costs[columns.losses] = 1.0 / len(problem.labels)
    costs[columns.sizes] = problem.l1
    return MixedIntegerProgram(
        objective=costs,
        rows=matrix,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=lower,
        upper=upper,
        integer=np.zeros(columns.number, bool),
    )
