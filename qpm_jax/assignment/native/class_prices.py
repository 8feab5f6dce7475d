"""An upper bound on Z that prices pair penalties inside each class's choice.

Similar features are wanted by the same classes, so nearly every penalty an optimal
selection pays is for a pair that some class uses whole. Relaxing `x ≤ s` with prices
α[c, f] ≥ 0 and "class c uses pair p only if y[p] is paid" with prices π[c, p] ≥ 0,
Σ_c π[c, p] ≤ weight_p, leaves one small problem a class and a sort:

    L(α, π) = Σ_c max over |T| = k_c of Σ_{f in T} (values[c, f] − α[c, f])
                                        − Σ_{p in T} π[c, p]
              + max over |S| = n of Σ_{f in S} (bias_f + Σ_c α[c, f])

Every α and π gives a bound, and with π = 0 it is the one of `bound`. Subgradient steps
lower it; they find each class's T by local search (`class_search`), so the bound they
see is an estimate. `price_certificate` solves every class exactly, in float64.

Only each class's most valuable features, its candidates, have prices of their own; the
others keep α = max(values − λ, 0), and the best k of them close the candidates' list.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jaxtyping import Array, Bool, Float, Int

from qpm_jax.assignment.native import class_search
from qpm_jax.assignment.problem import AssignmentProblem

# Entries of the price table, classes x candidates x candidates: 8 bytes each.
_TABLE = 12_000_000
_FEWEST, _MOST = 24, 256
# Steps without a lower estimate after which steps get shorter.
_PATIENCE = 40
_SHORTER = 0.85
_SMALLEST_SHARE = 1e-15


class PriceTable(struct.PyTreeNode):
    """What the prices are about; M = candidates + K, the last K of a row the others.

    In float64 on the host for proofs, in float32 on the device for the steps.

    Attributes:
        values: [C, M], worth of a candidate; of the last K, worth less their fixed α.
        candidates: int32 [C, m].
        pair: int32 [C, M, M], number of the pair of two candidates; P for none.
        weights: [P + 1], pair penalties, the last 0.
        base: [F], bias and the fixed α of what is no candidate.
        fixed: bool [F], features that must be selected.
        barred: bool [F], features that must not be.
        class_sizes: int32 [C], k of every class; K is the largest.
    """

    values: Float[Any, "C M"]
    candidates: Int[Any, "C m"]
    pair: Int[Any, "C M M"]
    weights: Float[Any, " Q"]
    base: Float[Any, " F"]
    fixed: Bool[Any, " F"]
    barred: Bool[Any, " F"]
    class_sizes: Int[Any, " C"]


class Prices(struct.PyTreeNode):
    """Where the subgradient method stands.

    Attributes:
        features: float32 [C, m], α.
        pairs: float32 [C, M, M], symmetric; π = pairs · share[pair].
        share: float32 [P + 1].
        total: float32 [P + 1], Σ_c π of a pair.
        pool: int32 [C, B, K], choices a class remembers.
        best: float32, lowest estimate so far.
        step: float32, step length as a share of the distance to the target.
        stale: int32, steps since the estimate last fell.
    """

    features: Float[Array, "C m"]
    pairs: Float[Array, "C M M"]
    share: Float[Array, " Q"]
    total: Float[Array, " Q"]
    pool: Int[Array, "C B K"]
    best: Float[Array, ""]
    step: Float[Array, ""]
    stale: Int[Array, ""]


def is_affordable(problem: AssignmentProblem) -> bool:
    """Whether the table of this many classes leaves each some candidates."""
    classes = problem.similarity.shape[1]
    return classes * (_FEWEST + int(problem.class_sizes.max())) ** 2 <= _TABLE


def price_table(
    problem: AssignmentProblem, thresholds: Float[np.ndarray, " C"]
) -> PriceTable:
    """Chooses the candidates and numbers their pairs.

    Args:
        problem: the problem.
        thresholds: λ [C] of `bound`, at which the other features are priced.

    Returns:
        The table in float64 on the host.
    """
    worth, barred = problem.values, problem.barred
    # Far below any value, yet finite: differences of infinities are not numbers.
    worthless = worth.min() - 1e3 * (1.0 + np.ptp(worth))
    values = np.where(barred, worthless, worth)
    largest = int(problem.class_sizes.max())
    number = min(int((_TABLE / len(values)) ** 0.5) - largest, _MOST)
    number = min(max(number, _FEWEST), int((~barred).sum()))
    order = np.argsort(-values, axis=1, kind="stable")
    candidates, others = order[:, :number], order[:, number : number + largest]
    rest = np.take_along_axis(values, others, axis=1)
    missing = largest - rest.shape[1]
    rest = np.pad(rest, ((0, 0), (0, missing)), constant_values=worthless)
    alpha = np.maximum(worth - thresholds[:, None], 0.0)
    np.put_along_axis(alpha, candidates, 0.0, axis=1)
    own = np.take_along_axis(values, candidates, axis=1)
    return PriceTable(
        values=np.concatenate([own, np.minimum(rest, thresholds[:, None])], axis=1),
        candidates=candidates.astype(np.int32),
        pair=_pair_numbers(problem, candidates, largest),
        weights=np.append(problem.weights, 0.0),
        base=problem.feature_bias + alpha.sum(axis=0),
        fixed=problem.fixed,
        barred=barred,
        class_sizes=problem.class_sizes.astype(np.int32),
    )


def on_device(table: PriceTable) -> PriceTable:
    """The table in float32 on the device."""

    def move(array: Any) -> Array:
        array = np.asarray(array)
        single = array.dtype == np.float64
        return jnp.asarray(array.astype(np.float32) if single else array)

    return jax.tree.map(move, table)


def first_prices(table: PriceTable, thresholds: Float[np.ndarray, " C"]) -> Prices:
    """The prices of `bound`: α = max(values − λ, 0), π = 0.

    Args:
        table: from `price_table`.
        thresholds: λ [C].
    """
    classes, number = np.shape(table.candidates)
    largest = np.shape(table.values)[1] - number
    alpha = np.maximum(np.asarray(table.values)[:, :number] - thresholds[:, None], 0.0)
    pool = np.arange(largest, dtype=np.int32)
    ones = np.ones(len(table.weights), np.float32)
    # Made on the host, so that nothing has to be compiled for it.
    return Prices(
        features=jnp.asarray(alpha.astype(np.float32)),
        pairs=jnp.asarray(np.zeros(np.shape(table.pair), np.float32)),
        share=jnp.asarray(ones),
        total=jnp.asarray(np.zeros_like(ones)),
        pool=jnp.asarray(np.tile(pool, (classes, class_search.POOL, 1))),
        best=jnp.asarray(np.float32(np.inf)),
        step=jnp.asarray(np.float32(1.0)),
        stale=jnp.asarray(np.int32(0)),
    )


@functools.partial(jax.jit, static_argnames="num_features")
def improve(
    table: PriceTable,
    prices: Prices,
    target: Float[Array, ""],
    num_features: int,
    steps: Int[Array, ""],
) -> Prices:
    """Subgradient steps of Polyak's length towards a known Z.

    Args:
        table: `on_device` of the table.
        prices: where to go on from.
        target: float32, Z of the best solution known.
        num_features: n.
        steps: int32, how many; 0 only compiles.
    """
    step = functools.partial(_step, table, target, num_features)
    return jax.lax.fori_loop(0, steps, lambda _, state: step(state), prices)


def _step(
    table: PriceTable, target: Float[Array, ""], num_features: int, prices: Prices
) -> Prices:
    number = table.candidates.shape[1]
    gains = table.values.at[:, :number].add(-prices.features)
    choices, worth = class_search.search_all(
        gains, table.pair, prices.pairs, prices.share, table.class_sizes, prices.pool
    )
    scores = table.base.at[table.candidates].add(prices.features)
    ranked = jnp.where(table.fixed, jnp.inf, jnp.where(table.barred, -jnp.inf, scores))
    chosen = jax.lax.top_k(ranked, num_features)[1]
    estimate = worth.sum() + scores[chosen].sum()
    selected = jnp.zeros(len(scores)).at[chosen].set(1.0)

    taken = jnp.arange(choices.shape[1]) < table.class_sizes[:, None]
    rows = jnp.arange(len(choices))[:, None]
    used = jnp.zeros(table.values.shape).at[rows, choices].add(taken)[:, :number]
    slope = used - selected[table.candidates]
    first, second, pair = _pairs_of(table.pair, choices, taken)
    square = jnp.sum(slope**2) + jnp.sum(pair < len(table.weights) - 1)
    length = prices.step * jnp.maximum(estimate - target, 0.0) / jnp.maximum(square, 1)

    stale = jnp.where(estimate < prices.best, 0, prices.stale + 1)
    shorter = stale >= _PATIENCE
    prices = _pay(table, prices, length, first, second, pair)
    return prices.replace(
        features=jnp.maximum(prices.features + length * slope, 0.0),
        pool=class_search.remember(prices.pool, choices),
        best=jnp.minimum(prices.best, estimate),
        step=jnp.where(shorter, prices.step * _SHORTER, prices.step),
        stale=jnp.where(shorter, 0, stale),
    )


def _pay(
    table: PriceTable,
    prices: Prices,
    length: Float[Array, ""],
    first: Int[Array, "C J"],
    second: Int[Array, "C J"],
    pair: Int[Array, "C J"],
) -> Prices:
    """Raises the prices of pairs that are used, within what each pair may cost."""
    # No class ever has to pay more than the whole penalty; "no pair" costs nothing.
    paid = jnp.minimum(length, table.weights[pair])
    rows = jnp.arange(len(pair))[:, None]
    raised = paid / prices.share[pair]
    pairs = prices.pairs.at[rows, first, second].add(raised)
    pairs = pairs.at[rows, second, first].add(raised)
    total = prices.total.at[pair].add(paid)
    cut = jnp.where(total > table.weights, table.weights / total, 1.0)
    prices = prices.replace(
        pairs=pairs,
        share=prices.share * cut,
        total=jnp.minimum(total, table.weights),
    )
    # The products of many small factors would leave float32's range.
    return jax.lax.cond(
        prices.share.min() < _SMALLEST_SHARE,
        _spread,
        lambda _, state: state,
        table,
        prices,
    )


def _spread(table: PriceTable, prices: Prices) -> Prices:
    """The same prices with every share 1."""
    return prices.replace(
        pairs=prices.pairs * prices.share[table.pair],
        share=jnp.ones_like(prices.share),
    )


def _pairs_of(
    pair: Int[Array, "C M M"], choices: Int[Array, "C K"], taken: Array
) -> tuple[Array, Array, Array]:
    """Both members and the number of each pair inside the classes' choices."""
    one, other = np.triu_indices(choices.shape[1], 1)
    first, second = choices[:, one], choices[:, other]
    rows = jnp.arange(len(choices))[:, None]
    both = taken[:, one] & taken[:, other]
    none = pair.shape[1] - 1  # two of the last have no pair between them
    number = jnp.where(both, pair[rows, first, second], pair[0, none, none])
    return first, second, number


def with_choices(prices: Prices, choices: Int[np.ndarray, "C K"]) -> Prices:
    """Lets every class remember a choice that its local search had missed.

    The lowest estimate begins anew: those so far were too low.
    """
    pool = class_search.remember(prices.pool, jnp.asarray(choices))
    return prices.replace(pool=pool, best=jnp.full_like(prices.best, jnp.inf))


def _pair_numbers(
    problem: AssignmentProblem, candidates: Int[np.ndarray, "C m"], others: int
) -> Int[np.ndarray, "C M M"]:
    """The number of the pair of every two candidates, P where there is none."""
    features, none = problem.similarity.shape[0], len(problem.weights)
    numbers = np.full((features, features), none, np.int32)
    costly = np.flatnonzero(problem.weights > 0)
    first, second = problem.pairs[costly].T
    numbers[first, second] = numbers[second, first] = costly
    inside = numbers[candidates[:, :, None], candidates[:, None]]
    return np.pad(inside, ((0, 0), (0, others), (0, others)), constant_values=none)
