"""A first model for a solver to start from: descent on the relaxation, then rounding.

With weights anywhere in [−1, 1] the cost is convex. Its kinks are smoothed, ever less,
while a few hundred steps go down; near the least few weights are fractional. These are
rounded at several thresholds, each with its best intercepts (MNIST 20 to 1000: within
1 % of the best known, in 2 s).
"""

import time
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.regression.intercepts import best_intercepts
from qpm_jax.regression.merged_data import MergedData
from qpm_jax.regression.problem import RegressionProblem

_STEPS = 500
_FIRST_STEP = 0.1
_INTERCEPT_STEP = 4.0  # intercepts have further to go than weights
_SOFTNESS = 3.0, 0.2  # of the kinks, in units of the largest feature; first and last
_THRESHOLDS = (0.3, 0.5, 0.7)  # weights of at least this size round to ±1

Model = tuple[Int[np.ndarray, "C F"], Int[np.ndarray, " C"]]


def zero_model(problem: RegressionProblem) -> Model:
    """Weights and intercepts of zero, which are always feasible, at cost 0.

    Args:
        problem: the problem.

    Returns:
        int64 [C, F] and int64 [C].
    """
    classes, features = problem.num_classes, problem.features.shape[1]
    return np.zeros((classes, features), np.int64), np.zeros(classes, np.int64)


def rounded_starts(
    problem: RegressionProblem, data: MergedData, time_limit: float
) -> Iterator[Model]:
    """Weights and intercepts that are ever better, with nothing proven.

    Args:
        problem: the problem.
        data: its merged data.
        time_limit: seconds for all of it.

    Yields:
        int64 [C, F] in {−1, 0, 1} and int64 [C]: zero weights with their best
        intercepts, then the best model after each rounding there is time for.

    Raises:
        KeyboardInterrupt: on Ctrl-C.
    """
    deadline = time.perf_counter() + time_limit
    if time_limit <= 0:
        return
    relaxed = descend(problem, data, 0.5 * time_limit)
    best, least = zero_model(problem), 0.0
    zero, _ = best
    for threshold in (np.inf, *_THRESHOLDS):
        left = deadline - time.perf_counter()
        if left <= 0:
            return
        # Merged weights lie in −g … g: fractions beyond the whole part round.
        merged = np.sign(relaxed) * np.floor(np.abs(relaxed) + 1 - min(threshold, 1))
        weights = zero if threshold == np.inf else data.spread(merged.astype(np.int64))
        intercepts = best_intercepts(problem, weights, left)
        cost = problem.objective(weights, intercepts)
        if cost < least:
            best, least = (weights, intercepts), cost
        yield best


def descend(
    problem: RegressionProblem, data: MergedData, time_limit: float
) -> Float[np.ndarray, "C f"]:
    """Relaxed weights of merged columns after a few hundred steps of Adam.

    Args:
        problem: the problem.
        data: its merged data.
        time_limit: seconds.

    Returns:
        float64 [C, f], at most `sizes` in size.
    """
    deadline = time.perf_counter() + time_limit
    largest = max(1.0, float(np.abs(data.features).max()))
    features = np.pad(data.features / largest, ((0, 0), (0, 1)), constant_values=1.0)
    first, last = _SOFTNESS
    model = np.zeros((problem.num_classes, features.shape[1]))  # intercepts come last
    mean, square = np.zeros_like(model), np.zeros_like(model)
    for step in range(_STEPS):
        softness = first * (last / first) ** (step / _STEPS)
        gradient = _smooth_gradient(problem, data, features, model, softness)
        gradient[:, :-1] += np.tanh(model[:, :-1] / 0.05) / largest
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.99 * square + 0.01 * gradient**2
        unbiased = np.sqrt(square / (1 - 0.99 ** (step + 1))) + 1e-9
        move = (1 - step / _STEPS) * mean / (1 - 0.9 ** (step + 1)) / unbiased
        model[:, :-1] -= _FIRST_STEP * data.sizes * move[:, :-1]
        model[:, :-1] = np.clip(model[:, :-1], -data.sizes, data.sizes)
        model[:, -1] -= _FIRST_STEP * _INTERCEPT_STEP * move[:, -1]
        if time.perf_counter() > deadline:
            break
    return model[:, :-1]


def _smooth_gradient(
    problem: RegressionProblem,
    data: MergedData,
    features: Float[np.ndarray, "n f+1"],
    model: Float[np.ndarray, "C f+1"],
    softness: float,
) -> Float[np.ndarray, "C f+1"]:
    """Gradient of −Σ n_i φ(m_i), the maximum and φ's kink smoothed."""
    rows = np.arange(len(features))
    scores = features @ model.T
    own = scores[rows, data.labels].copy()
    scores[rows, data.labels] = -np.inf
    best = scores.max(axis=1, keepdims=True)
    shares = np.exp((scores - best) / softness)
    sums = shares.sum(axis=1, keepdims=True)
    margins = own - best[:, 0] - softness * np.log(sums[:, 0])
    lagging = 0.5 - 0.5 * np.tanh(margins / (2 * softness))
    slope = data.counts * (problem.alpha + (problem.beta - problem.alpha) * lagging)
    pull = shares / sums * slope[:, None]
    pull[rows, data.labels] = -slope
    return pull.T @ features
