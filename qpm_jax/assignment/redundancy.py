"""Which pairs of features are redundant enough to be penalised.

The threshold ε is the smallest similarity at which n features with all pairwise
similarities below it are still found: with it a selection without penalty exists, and
every pair at or above it costs its similarity, rescaled (docs/formulas.md, Redundancy
threshold and Objective).
"""

from dataclasses import dataclass

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float, Int

from qpm_jax.assignment.independent_set import smallest_spread
from qpm_jax.assignment.published.threshold import published_threshold


@dataclass(frozen=True, eq=False)
class RedundantPairs:
    """The penalised pairs of features.

    Attributes:
        epsilon: ε; a pair is penalised when its redundancy is at least this.
        pairs: int64 [P, 2], i < j, in lexical order.
        weights: float64 [P], in [0, 1].
        clique: int64 [n], sorted, features whose pairs all lie below ε: a selection
            without penalty. None where ε was given.
    """

    epsilon: float
    pairs: Int[np.ndarray, "P 2"]
    weights: Float[np.ndarray, " P"]
    clique: Int[np.ndarray, " n"] | None


def redundant_pairs(
    redundancy: Float[ArrayLike, "F F"],
    num_features: int,
    epsilon: float | None = None,
    method: str = "native",
) -> RedundantPairs:
    """Finds ε and the pairs at or above it.

    Args:
        redundancy: [F, F], R of `statistics.feature_redundancy`: symmetric, or only its
            upper triangle. The diagonal is ignored and negative entries count as 0.
        num_features: n, how many features shall be selectable without penalty.
        epsilon: a threshold to use as it is; None searches for one.
        method: "native", dense array operations; "published", the search of the
            published code step by step (slow above some hundred features; where that
            search fails, as it does for few features, the native one steps in).

    Returns:
        The pairs, weights `(R − min R) / (max R − min R)` over all nonzero R (1 where
        that range is 0) and the penalty-free selection.

    Raises:
        ValueError: when an argument is malformed.
    """
    matrix = _symmetric(redundancy)
    features = len(matrix)
    if not 1 <= num_features <= features:
        raise ValueError(
            f"num_features is {num_features}; it must be from 1 to the number of"
            f" features, {features}."
        )
    if method not in ("native", "published"):
        raise ValueError(f"method is {method!r}; it must be 'native' or 'published'.")
    clique = None
    if epsilon is None:
        found = None
        if method == "published":
            found = published_threshold(matrix, num_features)
        if found is None:
            found = native_threshold(matrix, num_features)
        epsilon, clique = found
    elif not epsilon > 0:
        raise ValueError(
            f"epsilon is {epsilon}; it must be positive: pairs without any redundancy"
            " cannot be penalised. float('inf') penalises none."
        )
    pairs, weights = _pairs_from(matrix, float(epsilon))
    return RedundantPairs(float(epsilon), pairs, weights, clique)


def native_threshold(
    redundancy: Float[np.ndarray, "F F"], num_features: int
) -> tuple[float, Int[np.ndarray, " n"]]:
    """ε and a penalty-free selection, by `smallest_spread`.

    Args:
        redundancy: symmetric float64 [F, F], zero diagonal, no negative entries.
        num_features: n.

    Returns:
        The smallest entry above the largest redundancy inside the selection found (just
        above it where there is none, so that nothing is penalised), and the selection.
    """
    clique = smallest_spread(redundancy, num_features)
    inside = redundancy[np.ix_(clique, clique)].max()
    above = redundancy[redundancy > inside]
    epsilon = above.min() if above.size else np.nextafter(inside, np.inf)
    return float(epsilon), clique


def _symmetric(redundancy: ArrayLike) -> Float[np.ndarray, "F F"]:
    matrix = np.array(redundancy, np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(
            f"redundancy has shape {matrix.shape}; it must be [features, features]."
        )
    if not np.isfinite(matrix).all():
        raise ValueError("redundancy holds NaN or infinite entries.")
    np.fill_diagonal(matrix, 0.0)
    if not np.tril(matrix).any():
        matrix = matrix + matrix.T
    difference = np.abs(matrix - matrix.T).max()
    if difference > 1e-5 * max(1.0, np.abs(matrix).max()):
        raise ValueError(
            f"redundancy is not symmetric: entries differ by up to {difference:.3g}"
            " from their mirror images. Give R = Rᵀ, or its upper triangle alone."
        )
    # The upper triangle decides, so that both forms give the same threshold.
    upper = np.maximum(np.triu(matrix, 1), 0.0)
    return upper + upper.T


def _pairs_from(
    redundancy: Float[np.ndarray, "F F"], epsilon: float
) -> tuple[Int[np.ndarray, "P 2"], Float[np.ndarray, " P"]]:
    upper = np.triu(redundancy, 1)
    nonzero = upper[upper > 0]
    pairs = np.argwhere((upper >= epsilon) & (upper > 0)).astype(np.int64)
    if not nonzero.size:
        return pairs, np.zeros(0)
    low, span = nonzero.min(), np.ptp(nonzero)
    chosen = upper[pairs[:, 0], pairs[:, 1]]
    weights = (chosen - low) / span if span > 0 else np.ones(len(chosen))
    return pairs, weights
