"""An upper bound on Z by Lagrangian relaxation.

Stated in docs/formulas.md, Structure that makes it tractable.

With a multiplier λ_c for "k features for class c" and μ_p in [0, weight_p] for "a pair
costs at least s_i + s_j − 1", what is left is to pick the n features of largest score:

    L(λ, μ) = Σ_c k_c λ_c + Σ_p μ_p
              + max over S of Σ_{f in S} (Σ_c max(values[c, f] − λ_c, 0)
                                          + bias_f − Σ_{p with f} μ_p)

Every λ and μ gives a bound: a class's k values sum to at most k λ plus what exceeds λ,
and weight_p s_i s_j ≥ μ_p (s_i + s_j − 1). Uniqueness is relaxed. Subgradient steps
look for small L in float32; the bound reported is L in float64.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jaxtyping import Array, Bool, Float, Int

from qpm_jax.assignment.native.search import SearchArrays
from qpm_jax.assignment.problem import AssignmentProblem


@struct.dataclass
class Multipliers:
    """Where the subgradient method stands.

    Attributes:
        classes: float32 [C], λ.
        pairs: float32 [P], μ.
        best_classes: λ of the smallest L so far.
        best_pairs: μ of the smallest L so far.
        best: float32, the smallest L so far.
        step: float32, step length as a share of the distance to the target.
        stale: int32, steps since L last improved.
    """

    classes: Float[Array, " C"]
    pairs: Float[Array, " P"]
    best_classes: Float[Array, " C"]
    best_pairs: Float[Array, " P"]
    best: Float[Array, ""]
    step: Float[Array, ""]
    stale: Int[Array, ""]


def first_multipliers(
    problem: AssignmentProblem, selected: Int[np.ndarray, " n"]
) -> Multipliers:
    """λ at the worst value each class takes in a good selection, μ at 0.

    Args:
        problem: the problem.
        selected: int [n], a selection; the better it is the better the start.
    """
    ranked = -np.sort(-problem.values[:, selected], axis=1)
    worst = np.take_along_axis(ranked, problem.class_sizes[:, None] - 1, axis=1)[:, 0]
    # Made on the host, so that nothing has to be compiled for it.
    classes = jnp.asarray(worst.astype(np.float32))
    pairs = jnp.asarray(np.zeros(len(padded_pairs(problem)[1]), np.float32))
    return Multipliers(
        classes=classes,
        pairs=pairs,
        best_classes=classes,
        best_pairs=pairs,
        best=jnp.asarray(np.float32(np.inf)),
        step=jnp.asarray(np.float32(1.0)),
        stale=jnp.asarray(np.int32(0)),
    )


def padded_pairs(
    problem: AssignmentProblem,
) -> tuple[Int[np.ndarray, "Q 2"], Float[np.ndarray, " Q"]]:
    """Pairs (int32) and weights (float32) filled up with pairs of weight 0.

    Their number is a power of two, so that few programs have to be compiled; a pair of
    weight 0 has multiplier 0 and no effect.
    """
    number = len(problem.weights)
    rest = (1 << max(6, (number - 1).bit_length())) - number
    pairs = np.pad(problem.pairs.astype(np.int32), ((0, rest), (0, 0)))
    return pairs, np.pad(problem.weights.astype(np.float32), (0, rest))


@functools.partial(jax.jit, static_argnames=("num_features", "steps"))
def improve(
    arrays: SearchArrays,
    pairs: Int[Array, "P 2"],
    weights: Float[Array, " P"],
    state: Multipliers,
    target: Float[Array, ""],
    num_features: int,
    steps: int,
) -> Multipliers:
    """Projected subgradient steps of Polyak's length towards a known Z.

    Args:
        arrays: the problem.
        pairs: int32 [P, 2].
        weights: float32 [P].
        state: where to go on from.
        target: Z of the best solution known.
        num_features: n.
        steps: how many.
    """

    def once(_: Int[Array, ""], state: Multipliers) -> Multipliers:
        value, class_slope, pair_slope = _value_and_slopes(
            arrays, pairs, weights, state, num_features
        )
        square = jnp.sum(class_slope**2) + jnp.sum(pair_slope**2)
        length = state.step * jnp.maximum(value - target, 0.0) / jnp.maximum(square, 1)
        improved = value < state.best
        stale = jnp.where(improved, 0, state.stale + 1)
        halve = stale >= 20
        return Multipliers(
            classes=state.classes - length * class_slope,
            pairs=jnp.clip(state.pairs - length * pair_slope, 0.0, weights),
            best_classes=jnp.where(improved, state.classes, state.best_classes),
            best_pairs=jnp.where(improved, state.pairs, state.best_pairs),
            best=jnp.minimum(value, state.best),
            step=jnp.where(halve, state.step * 0.6, state.step),
            stale=jnp.where(halve, 0, stale),
        )

    return jax.lax.fori_loop(0, steps, once, state)


def _value_and_slopes(
    arrays: SearchArrays,
    pairs: Int[Array, "P 2"],
    weights: Float[Array, " P"],
    state: Multipliers,
    num_features: int,
) -> tuple[Float[Array, ""], Float[Array, " C"], Float[Array, " P"]]:
    """L at the multipliers, and its slopes in λ and μ."""
    excess = jnp.maximum(arrays.values - state.classes[:, None], 0.0)
    load = jnp.zeros_like(arrays.bias)
    load = load.at[pairs[:, 0]].add(state.pairs).at[pairs[:, 1]].add(state.pairs)
    score = excess.sum(axis=0) + arrays.bias - load
    score = jnp.where(arrays.barred, -jnp.inf, score)
    _, selected = jax.lax.top_k(jnp.where(arrays.fixed, jnp.inf, score), num_features)
    value = (
        arrays.class_sizes @ state.classes + state.pairs.sum() + score[selected].sum()
    )
    served = (excess[:, selected] > 0).sum(axis=1)
    chosen = jnp.zeros_like(arrays.bias).at[selected].set(1.0)
    pair_slope = 1.0 - chosen[pairs[:, 0]] - chosen[pairs[:, 1]]
    # A slope that pushes μ out of its range is no direction.
    outwards = ((state.pairs <= 0) & (pair_slope > 0)) | (
        (state.pairs >= weights) & (pair_slope < 0)
    )
    slope = arrays.class_sizes - served
    return value, slope, jnp.where(outwards, 0.0, pair_slope)


def lagrangian(
    problem: AssignmentProblem,
    classes: Float[np.ndarray, " C"],
    pairs: Float[np.ndarray, " P"],
) -> float:
    """L(λ, μ) in float64: an upper bound on Z for any λ and μ.

    Args:
        problem: the problem.
        classes: [C], λ.
        pairs: [P], μ; clipped into [0, weights].

    Returns:
        The bound.
    """
    classes = np.asarray(classes, np.float64)
    pairs = np.clip(np.asarray(pairs, np.float64), 0.0, problem.weights)
    features = problem.similarity.shape[0]
    load = np.bincount(problem.pairs[:, 0], pairs, features)
    load += np.bincount(problem.pairs[:, 1], pairs, features)
    excess = np.maximum(problem.values - classes[:, None], 0.0).sum(axis=0)
    score = excess + problem.feature_bias - load
    selection = best_sum(score, problem.fixed, problem.barred, problem.num_features)
    return float(problem.class_sizes @ classes + pairs.sum() + selection)


def best_sum(
    scores: Float[np.ndarray, " F"],
    fixed: Bool[np.ndarray, " F"],
    barred: Bool[np.ndarray, " F"],
    num_features: int,
) -> float:
    """The largest sum of scores over a selection of `num_features`.

    Args:
        scores: float64 [F].
        fixed: bool [F], features that must be selected.
        barred: bool [F], features that must not be.
        num_features: n.
    """
    rest = num_features - int(fixed.sum())
    largest = -np.sort(-scores[~fixed & ~barred])[:rest]
    return float(scores[fixed].sum() + largest.sum())
