"""Rows that hold for every network: two unlike images cost weights or losses.

Ours. An image i of class a and j of class b with losses ξ have
Σ_k (w_ak − w_bk) (m_ik − m_jk) ≥ 2 − ξ_i − ξ_j. ReLU and pooling change no more than
their inputs do, and filters are in [−U, U], so |m_ik − m_jk| ≤ U d_k(i, j), d the
largest (or mean) ‖patch_i − patch_j‖₁ of the window. Hence, s ≥ |w|,

    Σ_k (s_ak + s_bk) U d_k(i, j) + ξ_i + ξ_j ≥ 2,

and for every bit in which two codes differ Σ_k s_ok U d_k(i, j) + ξ_io + ξ_jo ≥ 2.
"""

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.networks.conv_network import patches, windows
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.programs.rows import Rows, make_rows

PAIRS = 1000
# All pairs of all of MNIST's images would take 29 GB.
MOST_IMAGES = 2000


def pair_rows(
    problem: ConvProblem,
    sizes: Int[np.ndarray, "O hw S"],
    losses: Int[np.ndarray, "N K"],
    number: int = PAIRS,
) -> Rows:
    """The rows of the nearest pairs of different classes.

    Args:
        problem: the problem.
        sizes: columns whose sum over the last axis is Σ_c |w| or more, for every output
            and position of the pooled map.
        losses: columns of ξ; [N, 1] for "one_hot", [N, O] for "binary".
        number: of pairs, at most.

    Returns:
        One row a pair; with "binary" one for every bit that differs.
    """
    first, second = _nearest_pairs(problem, number)
    reach = problem.weight_limit * _distances(problem, first, second)
    labels = problem.labels
    if problem.label_encoding == "one_hot":
        pair, part = np.arange(len(first)), np.zeros(len(first), int)
        outputs = np.stack([labels[first], labels[second]], axis=1)
    else:
        codes = problem.codes
        pair, part = np.nonzero(codes[labels[first]] != codes[labels[second]])
        outputs = part[:, None]
    read = sizes[outputs]
    factors = np.broadcast_to(reach[pair][:, None, :, None], read.shape)
    each = (losses[first[pair], part], 1.0), (losses[second[pair], part], 1.0)
    flat = (len(pair), -1) if len(pair) else (0, 0)
    return make_rows(
        each, lower=2.0, sums=[(read.reshape(flat), factors.reshape(flat))]
    )


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
    entries = int(np.prod(problem.pooled_shape[:2]))
    return found.reshape(len(first), entries)
