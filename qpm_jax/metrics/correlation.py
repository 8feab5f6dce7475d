"""Correlation: how alike the features are to each other; lower is better."""

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float

from qpm_jax.statistics import inputs

_NORM_GUARD = 1e-8


@flax.struct.dataclass
class CorrelationState:
    """Sums over the samples so far.

    Attributes:
        products: of every two features, Fᵀ F.
    """

    products: Float[Array, "F F"]


def correlation(features: Float[ArrayLike, "N F"]) -> float:
    """Returns the mean over features of the cosine to the most alike other feature.

    As published (docs/formulas.md, Correlation), the cosine is of the columns as they
    are: not centred and not absolute, and since the diagonal is set to 0 it is never
    below 0. A single feature, or a column of zeros, is alike to none.

    Args:
        features: training features, one row a sample.

    Returns:
        A value in [0, 1].

    Raises:
        ValueError: features that are not [N,F], are empty, or hold NaN or infinity.
    """
    features = inputs.table("features", features, "NF").astype(np.float64)
    # Scaled by the largest entry first: squares of tiny or huge values would not fit.
    largest = np.abs(features).max(axis=0)
    features = features / np.where(largest > _NORM_GUARD, largest, 1.0)
    return _from_products(features.T @ features)


def correlation_init(num_features: int) -> CorrelationState:
    """Returns the state before any sample.

    Raises:
        ValueError: a number below 1.
    """
    size = inputs.at_least_one("num_features", num_features)
    return CorrelationState(products=jnp.zeros((size, size), jnp.float32))


def correlation_update(
    state: CorrelationState,
    features: Float[ArrayLike, "N F"],
    valid: Bool[ArrayLike, " N"] | None = None,
) -> CorrelationState:
    """Returns the state after one more batch; pure and jittable.

    Args:
        state: what came before.
        features: one row a sample; multiplied and summed in float32.
        valid: samples that count, all by default; the others may hold anything.
    """
    features = jnp.asarray(features, jnp.float32)
    if valid is not None:
        features = jnp.where(jnp.asarray(valid)[:, None], features, 0.0)
    products = jnp.matmul(features.T, features, precision=jax.lax.Precision.HIGHEST)
    return CorrelationState(products=state.products + products)


def correlation_finish(state: CorrelationState) -> float:
    """Returns the metric of all samples given, to float32's digits."""
    return _from_products(np.array(state.products, np.float64))


def _from_products(products: Float[np.ndarray, "F F"]) -> float:
    norms = np.sqrt(np.diag(products))
    cosine = products / np.maximum(np.outer(norms, norms), _NORM_GUARD**2)
    np.fill_diagonal(cosine, 0.0)
    return float(np.minimum(cosine.max(axis=0), 1.0).mean())
