"""A lower bound for networks of one hidden layer, from pairs of unlike instances.

The project's own; the relaxation of the whole program is next to worthless, as ReLUs
and products come free in it. Take instances of classes a and b. Their hinge losses add
up to at least 2 minus what the network tells them apart by,

    D = Σ_j u_j (h_j(x) − h_j(x')),   u_j = v_aj − v_bj,   Δ = x − x'.

A ReLU rises by no more than its argument where that rises, and else not at all. So
with P_k the sizes of the weights of feature k that, seen through the sign of u_j, point
from b to a, and Q_k of those that point back,

    D ≤ S · R,   S = Σ_j |v_aj| + |v_bj|,   R = Σ_k Δ_k⁺ P_k + Δ_k⁻ Q_k.

With r = 2 − ξ − ξ', which must not exceed D, √(S R) ≥ √r ≥ r / √2 for 0 ≤ r ≤ 2. That
is convex: γ S + R / γ ≥ √2 r for every γ > 0. In the binary code the same holds of
every bit in which two codes differ, with v_b for u. P_k + Q_k is the size of all
weights of feature k, whatever a and b, and the l1 term prices it: a small linear
program bounds the objective, rows added where they are broken. Rules are left out, and
so is that the neurons are few, which keeps it a bound.
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.inner_solve import inner_solve
from qpm_jax.networks.programs.rows import Rows, make_rows, stacked
from qpm_jax.solvers import MixedIntegerProgram

_ROUNDS = 100
_BROKEN = 1e-5
_TANGENTS = 33
# Pairs grow as the square of the instances; a part of them still gives a bound.
_MOST_INSTANCES = 600


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs that a comparison tells apart: two classes, or the two sides of a bit.

    Attributes:
        upper: int64 [P], the instance on the upper side.
        lower: int64 [P], the other.
        comparison: int64 [P].
        loss: int64 [P], which of an instance's losses it is about.
        rise: float64 [P, F], Δ⁺.
        fall: float64 [P, F], Δ⁻.
    """

    upper: Int[np.ndarray, " P"]
    lower: Int[np.ndarray, " P"]
    comparison: Int[np.ndarray, " P"]
    loss: Int[np.ndarray, " P"]
    rise: Float[np.ndarray, "P F"]
    fall: Float[np.ndarray, "P F"]


@dataclass(frozen=True, eq=False)
class _Columns:
    """Sizes T [F] and A [O], P [E, F], losses [N, K], squares [F + O]."""

    features: Int[np.ndarray, " F"]
    outputs: Int[np.ndarray, " O"]
    forward: Int[np.ndarray, "E F"]
    losses: Int[np.ndarray, "N K"]
    squares: Int[np.ndarray, " S"]
    number: int


def path_bound(problem: NetworkProblem, time_limit: float = 10.0) -> float:
    """What no network of the problem can be below.

    Args:
        problem: the problem.
        time_limit: seconds; less time gives a looser bound.

    Returns:
        A lower bound on the objective; 0, or the price of a layer, for more than one
        hidden layer or without an l1 price.
    """
    least = float(problem.layer_price)
    if len(problem.hidden) > 1 or not problem.l1:
        return least
    deadline = time.perf_counter() + time_limit
    members = _members(problem)
    pairs, columns = _unlike_pairs(problem, members), _columns(problem)
    rows, bound = _fixed_rows(problem, columns), 0.0
    for _ in range(_ROUNDS):
        left = deadline - time.perf_counter()
        if left <= 0:
            break
        program = _program(problem, columns, rows)
        answer = inner_solve(program, left)
        if answer.status != "optimal":
            break
        bound = max(bound, answer.bound)
        broken = _broken_rows(problem, columns, pairs, answer.values)
        if broken is None:
            break
        rows.append(broken)
    return least + bound


def _comparisons(problem: NetworkProblem) -> Bool[np.ndarray, "E O"]:
    """Which outputs a comparison reads: two classes', or one bit."""
    number = problem.widths[-1]
    if problem.label_encoding == "binary":
        return np.eye(number, dtype=bool)
    one, other = np.triu_indices(number, 1)
    eye = np.eye(number, dtype=bool)
    return eye[one] | eye[other]


def _columns(problem: NetworkProblem) -> _Columns:
    features, outputs = problem.features.shape[1], problem.widths[-1]
    parts = 1 if problem.label_encoding == "one_hot" else outputs
    shapes = (
        (features,),
        (outputs,),
        (len(_comparisons(problem)), features),
        (len(problem.labels), parts),
        (features + outputs,),
    )
    ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])
    made = [
        np.arange(start, end).reshape(shape)
        for start, end, shape in zip(ends[:-1], ends[1:], shapes, strict=True)
    ]
    return _Columns(*made, number=int(ends[-1]))


def _members(problem: NetworkProblem) -> Int[np.ndarray, " M"]:
    number = len(problem.labels)
    drawn = np.random.default_rng(0).permutation(number)
    return np.sort(drawn[:_MOST_INSTANCES])


def _unlike_pairs(problem: NetworkProblem, members: Int[np.ndarray, " M"]) -> _Pairs:
    labels = problem.labels[members]
    if problem.label_encoding == "one_hot":
        upper, lower = np.nonzero(labels[:, None] < labels[None, :])
        number = problem.widths[-1]
        place = np.zeros((number, number), np.int64)
        one, other = np.triu_indices(number, 1)
        place[one, other] = np.arange(len(one))
        comparison = place[labels[upper], labels[lower]]
        loss = np.zeros(len(upper), np.int64)
    else:
        codes = problem.codes[labels]
        above = (codes[:, None] > 0) & (codes[None] < 0)
        upper, lower, comparison = np.nonzero(above)
        loss = comparison
    upper, lower = members[upper], members[lower]
    change = problem.features[upper] - problem.features[lower]
    return _Pairs(
        upper, lower, comparison, loss, np.maximum(change, 0), np.maximum(-change, 0)
    )


def _broken_rows(
    problem: NetworkProblem,
    columns: _Columns,
    pairs: _Pairs,
    values: Float[np.ndarray, " V"],
) -> Rows | None:
    """For every instance and comparison, the row that is broken most."""
    total, forward = values[columns.features], values[columns.forward]
    reads = _comparisons(problem)
    size = (reads @ values[columns.outputs])[pairs.comparison]
    towards = np.einsum("pf,pf->p", pairs.rise, forward[pairs.comparison])
    back = np.einsum("pf,pf->p", pairs.fall, (total - forward)[pairs.comparison])
    reach = np.maximum(towards + back, 0.0)
    losses = values[columns.losses]
    left = 2.0 - losses[pairs.upper, pairs.loss] - losses[pairs.lower, pairs.loss]
    excess = left / np.sqrt(2) - np.sqrt(np.maximum(size, 0.0) * reach)
    groups = [pairs.upper * len(reads) + pairs.comparison]
    groups.append(pairs.lower * len(reads) + pairs.comparison)
    worst = np.unique(np.concatenate([_most(group, excess) for group in groups]))
    worst = worst[excess[worst] > _BROKEN]
    if not len(worst):
        return None
    slope = np.sqrt(np.maximum(reach[worst], 1e-3) / np.maximum(size[worst], 1e-3))
    rise, fall = pairs.rise[worst], pairs.fall[worst]
    which = pairs.comparison[worst]
    shape = (len(worst), len(columns.outputs))
    root = np.sqrt(2)
    return make_rows(
        [
            (columns.losses[pairs.upper[worst], pairs.loss[worst]], root),
            (columns.losses[pairs.lower[worst], pairs.loss[worst]], root),
        ],
        lower=2 * root,
        sums=[
            (np.broadcast_to(columns.outputs, shape), reads[which] * slope[:, None]),
            (np.broadcast_to(columns.features, rise.shape), fall / slope[:, None]),
            (columns.forward[which], (rise - fall) / slope[:, None]),
        ],
    )


def _most(
    group: Int[np.ndarray, " P"], excess: Float[np.ndarray, " P"]
) -> Int[np.ndarray, " G"]:
    """Where every group has its largest excess."""
    order = np.lexsort([-excess, group])
    return order[np.unique(group[order], return_index=True)[1]]


def _fixed_rows(problem: NetworkProblem, columns: _Columns) -> list[Rows]:
    """P ≤ T, and squares: H weights of total size T have squares of at least T²/H."""
    rows = [make_rows([(columns.forward, 1.0), (columns.features, -1.0)], upper=0.0)]
    if problem.l2:
        sizes = np.r_[columns.features, columns.outputs]
        at = np.linspace(0, 1, _TANGENTS) * _most_sizes(problem, columns)[:, None]
        terms = [(columns.squares[:, None], 1.0), (sizes[:, None], -2 * at)]
        rows.append(make_rows(terms, lower=-(at**2)))
    return rows


def _most_sizes(problem: NetworkProblem, columns: _Columns) -> Float[np.ndarray, " S"]:
    """The largest T and A within the weights' limits."""
    width = problem.hidden[0]
    return (
        width
        * np.r_[
            np.full(len(columns.features), problem.weight_limit),
            np.full(len(columns.outputs), problem.family.limit),
        ]
    )


def _program(
    problem: NetworkProblem, columns: _Columns, rows: list[Rows]
) -> MixedIntegerProgram:
    cost = np.zeros(columns.number)
    cost[columns.features], cost[columns.outputs] = problem.l1, problem.l1
    cost[columns.losses] = 1.0 / len(problem.labels)
    cost[columns.squares] = problem.l2 / problem.hidden[0]
    upper = np.full(columns.number, np.inf)
    upper[np.r_[columns.features, columns.outputs]] = _most_sizes(problem, columns)
    matrix, low, high = stacked(rows, columns.number)
    whole: Any = np.zeros(columns.number, bool)
    lower = np.zeros(columns.number)
    return MixedIntegerProgram(cost, matrix, low, high, lower, upper, whole)
