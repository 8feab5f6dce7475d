"""Better models, a few classes at a time.

With the scores of all other classes given, the weights of one class are a program of N
rows whose relaxation is nearly whole; HiGHS solves it in moments where it fails on all
classes together. Classes meet only in the best rivals' scores r_i, which are not known.
So a group of classes is opened at once, as fractions, and made whole one after another,
while those that follow adapt: by their cheapest weights in the same program where that
is small, and by all in a linear program solved after each class. Weights that no good
model would give another value (`allowed_weights`) stay out, and so do rows of rivals
that are far behind.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from qpm_jax.regression.merged_data import MergedData
from qpm_jax.regression.native.block import Block
from qpm_jax.regression.native.block_building import build_block, close_rivals
from qpm_jax.regression.native.bound import PriceBound, allowed_weights
from qpm_jax.regression.native.model import NativeModel, make_model
from qpm_jax.regression.native.program import BlockAnswer, solve_block
from qpm_jax.regression.native.relaxation import Relaxed
from qpm_jax.regression.problem import RegressionProblem

# Rows times entries of a program that is still solved with the classes that follow.
_JOINT_WORK = 16_000_000
# Rivals this far behind the best are left out, of a relaxation and of a class's tree.
_CLOSE = 12.0
_CLOSE_IN_TREE = 3.0
# While a class is made whole, others adapt by weights of at most this reduced cost.
_ADAPTING = 0.1


@dataclass(frozen=True, eq=False)
class Search:
    """What a search works on, and how hard it tries.

    Attributes:
        problem: the problem.
        data: its merged data.
        prices: of the relaxation of the whole.
        relaxed: that relaxation.
        allowance: reduced cost up to which a weight may move.
        slack: cost that a class may lose by ending early.
        nodes: nodes of one class's search tree.
        deadline: `time.perf_counter()` at which to end.
    """

    problem: RegressionProblem
    data: MergedData
    prices: PriceBound
    relaxed: Relaxed
    allowance: float
    slack: float
    nodes: int
    deadline: float


def open_classes(
    search: Search,
    known: Relaxed,
    order: Int[np.ndarray, " K"],
    cutoff: float = np.inf,
    seed: int = 0,
) -> NativeModel | None:
    """Makes some classes whole, in the order given, from fractions of best cost.

    Args:
        search: what to search.
        known: weights of classes not in `order` are kept, and must be whole.
        order: classes, all different.
        cutoff: models that cost more are of no use, and are given up early.
        seed: of HiGHS.

    Returns:
        The new model, which may cost more than the cutoff; None when there is none.
    """
    rest = np.zeros(len(known.weights), bool)
    rest[order] = True
    free = rest.copy()
    now: Relaxed | None = known
    if len(order) > 1:
        now = _relax(search, known, rest, free, cutoff)
    for chosen in order:
        if now is None:
            return None
        now = _make_whole(search, now, chosen, rest, free, cutoff, seed)
        rest[chosen] = False
        if now is not None and rest.any():
            now = _relax(search, now, rest, free, cutoff)
    if now is None:
        return None
    weights = np.round(now.weights).astype(np.int64)
    return make_model(search.problem, search.data, weights, now.intercepts)


def open_block(search: Search, known: Relaxed, order: Int[np.ndarray, " K"]) -> Block:
    """The relaxation in which some classes are open and the others are held.

    Args:
        search: what to search.
        known: see `open_classes`.
        order: the classes that are open.
    """
    rest = np.zeros(len(known.weights), bool)
    rest[order] = True
    return _block(search, known, rest, rest, np.zeros(len(rest), bool))


def _make_whole(
    search: Search,
    now: Relaxed,
    chosen: int,
    rest: Bool[np.ndarray, " C"],
    free: Bool[np.ndarray, " C"],
    cutoff: float,
    seed: int,
) -> Relaxed | None:
    """One class made whole, while the rest adapts if that is little work."""
    only = np.arange(len(rest)) == chosen
    block = _block(search, now, rest, free, only)
    work = block.program.num_rows * block.program.rows.nnz
    joint = work <= _JOINT_WORK or bool((rest == only).all())
    if not joint:
        block = _block(search, now, only, only, only)
    # What costs too much with little room to adapt may do with more.
    limit = cutoff if bool((rest == only).all()) else np.inf
    answer = solve_block(
        block, search.deadline, seed, search.slack, search.nodes, limit
    )
    after = _after(block, answer, now)
    if after is not None:
        after.weights[chosen] = np.round(after.weights[chosen])
    return after


def _relax(
    search: Search,
    now: Relaxed,
    rest: Bool[np.ndarray, " C"],
    free: Bool[np.ndarray, " C"],
    cutoff: float,
) -> Relaxed | None:
    """The best fractions for the classes left, None where they cost too much."""
    block = _block(search, now, rest, free, np.zeros(len(rest), bool))
    answer = solve_block(block, search.deadline)
    if not answer.ended or answer.bound > cutoff:
        return None
    return _after(block, answer, now)


def _block(
    search: Search,
    now: Relaxed,
    rest: Bool[np.ndarray, " C"],
    free: Bool[np.ndarray, " C"],
    whole: Bool[np.ndarray, " C"],
) -> Block:
    lower, upper = allowed_weights(search.data, search.prices.slopes, search.allowance)
    lower = np.minimum(lower, np.floor(now.weights + 1e-6))
    upper = np.maximum(upper, np.ceil(now.weights - 1e-6))
    if whole.any() and now.reduced_costs is not None:
        held = ~whole[:, None] & (now.reduced_costs > _ADAPTING)
        lower = np.where(held, np.floor(now.weights + 1e-6), lower)
        upper = np.where(held, np.ceil(now.weights - 1e-6), upper)
    behind = _CLOSE_IN_TREE if whole.any() else _CLOSE
    held = ~rest[:, None]
    scores = search.data.features @ now.weights.T + now.intercepts
    return build_block(
        search.problem,
        search.data,
        np.where(held, now.weights, lower),
        np.where(held, now.weights, upper),
        now.intercepts,
        free,
        whole,
        close_rivals(search.data, scores, behind),
    )


def _after(block: Block, answer: BlockAnswer, now: Relaxed) -> Relaxed | None:
    if answer.values is None:
        return None
    costs = block.reduced_costs(answer.prices) if len(answer.prices) else None
    return Relaxed(*block.read(answer.values), costs)
