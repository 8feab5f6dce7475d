"""A lower bound of the objective from pairs of images, whatever the filters are.

Ours. An image i of class a and j of class b with losses ξ have
Σ_k (w_ak − w_bk) (m_ik − m_jk) ≥ 2 − ξ_i − ξ_j. ReLU and pooling change no more than
their inputs do, and filters are in [−U, U], so |m_ik − m_jk| ≤ U d_k(i, j), d the
largest (or mean) ‖patch_i − patch_j‖₁ of the window. Hence the linear program

    min (1/N) Σ ξ + λ₁ Σ s,   Σ_k (s_ak + s_bk) U d_k(i, j) + ξ_i + ξ_j ≥ 2

over s ≥ |w| summed over channels. Any set of pairs gives a valid bound.
"""

import numpy as np
from jaxtyping import Float, Int

from qpm_jax import solvers
from qpm_jax.networks.conv_network import patches, windows
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.programs.rows import make_rows, stacked
from qpm_jax.solvers import MixedIntegerProgram

PAIRS = 1000
# All pairs of all of MNIST's images would take 29 GB.
MOST_IMAGES = 2000


def pair_bound(problem: ConvProblem, time_limit: float, pairs: int = PAIRS) -> float:
    """The bound, 0 where time is over first.

    Args:
        problem: the problem.
        time_limit: seconds for the linear program.
        pairs: at most so many, the nearest of different classes.
    """
    if time_limit <= 0 or not problem.l1:
        return 0.0
    first, second = _nearest_pairs(problem, pairs)
    if not len(first):
        return 0.0
    program = _pair_program(problem, first, second)
    answer = solvers.solve(program, "highs", time_limit=time_limit, threads=1)
    if answer.status == "interrupted":
        raise KeyboardInterrupt
    return max(0.0, answer.bound) if np.isfinite(answer.bound) else 0.0


def _nearest_pairs(
    problem: ConvProblem, number: int
) -> tuple[Int[np.ndarray, " Q"], Int[np.ndarray, " Q"]]:
    """For every image drawn the nearest of another class, the closest pairs first."""
    drawn = np.random.default_rng(0).permutation(len(problem.labels))
    members = np.sort(drawn[:MOST_IMAGES])
    labels = problem.labels[members]
    if (labels == labels[0]).all():
        return members[:0], members[:0]
    flat = problem.images[members].reshape(len(members), -1)
    squares = (flat**2).sum(axis=1)
    distance = squares[:, None] + squares - 2 * flat @ flat.T
    distance[labels[:, None] == labels] = np.inf
    nearest = distance.argmin(axis=1)
    closest = np.argsort(distance.min(axis=1), kind="stable")
    ends = np.sort(np.stack([closest, nearest[closest]], axis=1), axis=1)
    _, places = np.unique(ends, axis=0, return_index=True)
    ends = members[ends[np.sort(places)[:number]]]
    return ends[:, 0], ends[:, 1]


def _distances(
    problem: ConvProblem, first: np.ndarray, second: np.ndarray
) -> Float[np.ndarray, "Q hw"]:
    """d_k of every pair and entry of a channel's pooled map."""
    apart = problem.images[first] - problem.images[second]
    seen = np.abs(patches(apart, problem.filter_size)).sum(axis=-1, keepdims=True)
    inside = windows(seen, problem.window)
    found = inside.max(axis=-1) if problem.pooling == "max" else inside.mean(axis=-1)
    return found.reshape(len(first), -1)


def _pair_program(
    problem: ConvProblem, first: np.ndarray, second: np.ndarray
) -> MixedIntegerProgram:
    """One row a pair; with "binary" one for every bit that differs."""
    reach = problem.weight_limit * _distances(problem, first, second)
    entries, outputs = reach.shape[1], problem.codes.shape[1]
    sizes = np.arange(outputs * entries).reshape(outputs, entries)
    one_hot = problem.label_encoding == "one_hot"
    parts = 1 if one_hot else outputs
    losses = sizes.size + np.arange(len(problem.labels) * parts).reshape(-1, parts)
    total = sizes.size + losses.size
    labels = problem.labels
    if one_hot:
        pair, part = np.arange(len(first)), np.zeros(len(first), int)
        read = np.stack([sizes[labels[first]], sizes[labels[second]]], axis=1)
    else:
        codes = problem.codes
        pair, part = np.nonzero(codes[labels[first]] != codes[labels[second]])
        read = sizes[part][:, None]
    columns = read.reshape(len(pair), -1)
    factors = np.tile(reach[pair], (1, read.shape[1]))
    terms = [(losses[first[pair], part], 1.0), (losses[second[pair], part], 1.0)]
    rows = make_rows(terms, lower=2.0, sums=[(columns, factors)])
    matrix, row_lower, row_upper = stacked([rows], total)
    costs = np.full(total, problem.l1)
    costs[losses] = 1.0 / len(labels)
    return MixedIntegerProgram(
        objective=costs,
        rows=matrix,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=np.zeros(total),
        upper=np.full(total, np.inf),
        integer=np.zeros(total, bool),
    )
