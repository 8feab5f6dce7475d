"""Two-component Gaussian mixtures of many features at once.

The procedure, its guards and its stopping rules are those of scikit-learn's
`KMeans(2, n_init=1)` and `GaussianMixture(2)`, which the published metric runs feature
by feature; in one dimension both become array operations over features. So a dense
model's 1,280 features take a second or two instead of minutes.
"""

from collections.abc import Callable

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

# scikit-learn's defaults.
_VARIANCE_FLOOR = 1e-6
_EM_TOLERANCE = 1e-3
_EM_STEPS = 100
_KMEANS_TOLERANCE = 1e-4
_KMEANS_STEPS = 300
_CANDIDATES = 2
# Numbers an array may hold at a time: features are fitted in groups of this size.
_GROUP_NUMBERS = 2**20


@flax.struct.dataclass
class Mixture:
    """Two normal distributions a feature.

    Attributes:
        weight: share of each component.
        mean: mean of each component.
        variance: variance of each component.
    """

    weight: Float[Array, "F 2"]
    mean: Float[Array, "F 2"]
    variance: Float[Array, "F 2"]


def fit_mixtures(
    features: Float[np.ndarray, "N F"],
    seed: int,
    before_group: Callable[[], None] = lambda: None,
) -> Mixture:
    """Returns the mixture of every feature; none may be constant.

    Args:
        features: one row a sample, at least two.
        seed: of the k-means starts.
        before_group: called before every group of features.

    Returns:
        NumPy float64 arrays. The order of two components is arbitrary.
    """
    num, num_features = features.shape
    size = max(1, min(num_features, _GROUP_NUMBERS // num))
    random = np.random.default_rng(seed)
    groups = []
    for start in range(0, num_features, size):
        before_group()
        # The last group is filled with copies: one shape, one compilation.
        index = np.minimum(np.arange(start, start + size), num_features - 1)
        values = features[:, index].T.astype(np.float64)
        centre = values.mean(axis=1, keepdims=True)
        values -= centre  # float32 keeps its digits around 0
        second = _split(values, random)
        mixture = jax.device_get(_fit(values.astype(np.float32), second))
        groups.append(
            Mixture(
                weight=mixture.weight.astype(np.float64),
                mean=mixture.mean + centre,
                variance=mixture.variance.astype(np.float64),
            )
        )
    return jax.tree.map(lambda *parts: np.concatenate(parts)[:num_features], *groups)


def _split(
    values: Float[np.ndarray, "F N"], random: np.random.Generator
) -> Bool[np.ndarray, "F N"]:
    """Returns which values fall into the upper of two k-means clusters."""
    low, high = np.sort(_starts(values, random), axis=1).T
    total, num = values.sum(axis=1), values.shape[1]
    tolerance = _KMEANS_TOLERANCE * values.var(axis=1)
    active = np.ones(len(values), bool)
    for _ in range(_KMEANS_STEPS):
        upper = values > ((low + high) / 2)[:, None]
        count = upper.sum(axis=1)
        upper_sum = np.sum(values, axis=1, where=upper)
        new_low, new_high = (total - upper_sum) / (num - count), upper_sum / count
        moved = (new_low - low) ** 2 + (new_high - high) ** 2
        low, high = np.where(active, new_low, low), np.where(active, new_high, high)
        active &= moved > tolerance
        if not active.any():
            break
    return values > ((low + high) / 2)[:, None]


def _starts(
    values: Float[np.ndarray, "F N"], random: np.random.Generator
) -> Float[np.ndarray, "F 2"]:
    """Returns k-means++ starts: far apart with high probability, never equal."""
    num_features, num = values.shape
    rows = np.arange(num_features)
    first = values[rows, random.integers(num, size=num_features)]
    distance = (values - first[:, None]) ** 2
    cumulated = np.cumsum(distance, axis=1)
    best, best_potential = first, np.full(num_features, np.inf)
    for _ in range(_CANDIDATES):
        # 1 − [0, 1) lies in (0, 1]: the first index that reaches it has a distance.
        drawn = (1.0 - random.random(num_features)) * cumulated[:, -1]
        index = np.minimum((cumulated < drawn[:, None]).sum(axis=1), num - 1)
        candidate = values[rows, index]
        potential = np.minimum(distance, (values - candidate[:, None]) ** 2).sum(axis=1)
        better = potential < best_potential
        best = np.where(better, candidate, best)
        best_potential = np.where(better, potential, best_potential)
    return np.stack([first, best], axis=1)


@jax.jit
def _fit(values: Float[Array, "F N"], second: Bool[Array, "F N"]) -> Mixture:
    """Returns the mixtures after expectation-maximisation from a hard split."""
    start = _maximise(values, second.astype(values.dtype))
    num_features = values.shape[0]
    bound = jnp.full(num_features, -jnp.inf, values.dtype)
    active = jnp.ones(num_features, bool)

    def unfinished(carry: tuple) -> Bool[Array, ""]:
        step, _, _, active = carry
        return (step < _EM_STEPS) & jnp.any(active)

    def improve(carry: tuple) -> tuple[Int[Array, ""], Mixture, Array, Array]:
        step, mixture, bound, active = carry
        new_bound, responsibility = _expect(values, mixture)
        better = _maximise(values, responsibility)
        # A feature that has converged keeps its parameters while others go on.
        mixture = jax.tree.map(
            lambda new, old: jnp.where(active[:, None], new, old), better, mixture
        )
        active &= ~(jnp.abs(new_bound - bound) < _EM_TOLERANCE)
        return step + 1, mixture, new_bound, active

    carry = (jnp.zeros((), jnp.int32), start, bound, active)
    return jax.lax.while_loop(unfinished, improve, carry)[1]


def _expect(
    values: Float[Array, "F N"], mixture: Mixture
) -> tuple[Float[Array, " F"], Float[Array, "F N"]]:
    """Returns the mean log-likelihood and how much each value is the second's."""

    def log_density(component: int) -> Float[Array, "F N"]:
        variance = mixture.variance[:, component, None]
        deviation = values - mixture.mean[:, component, None]
        constant = jnp.log(mixture.weight[:, component, None]) - 0.5 * jnp.log(
            2 * jnp.pi * variance
        )
        return constant - 0.5 * deviation**2 / variance

    first, second = log_density(0), log_density(1)
    likelihood = jnp.mean(jnp.logaddexp(first, second), axis=1)
    return likelihood, jax.nn.sigmoid(second - first)


def _maximise(values: Float[Array, "F N"], second: Float[Array, "F N"]) -> Mixture:
    """Returns the parameters that fit the responsibilities best."""
    guard = 10 * jnp.finfo(values.dtype).eps

    def component(responsibility: Float[Array, "F N"]) -> tuple[Array, Array, Array]:
        count = jnp.sum(responsibility, axis=1) + guard
        mean = jnp.sum(responsibility * values, axis=1) / count
        deviation = (values - mean[:, None]) ** 2
        variance = jnp.sum(responsibility * deviation, axis=1) / count
        return count, mean, variance + _VARIANCE_FLOOR

    parts = zip(component(1 - second), component(second), strict=True)
    count, mean, variance = (jnp.stack(part, axis=1) for part in parts)
    return Mixture(count / jnp.sum(count, axis=1, keepdims=True), mean, variance)
