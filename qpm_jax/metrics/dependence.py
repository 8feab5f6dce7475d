"""Dependence: how much of a decision hangs on one feature; lower is better.

From Q-SENN (arXiv 2312.13839): a class score that is nearly one feature's alone is no
combination of features that a person could weigh.
"""

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from qpm_jax.metrics.shapes import check_logits, check_weights
from qpm_jax.statistics import inputs


@flax.struct.dataclass
class DependenceState:
    """Sums over the samples so far.

    Attributes:
        total: sum of the samples' largest shares.
        counted: number of samples with any contribution.
    """

    total: Float[Array, ""]
    counted: Int[Array, ""]


def dependence(
    features: Float[ArrayLike, "N F"],
    logits: Float[ArrayLike, "N C"],
    weights: Float[ArrayLike, "C F"],
) -> float:
    """Returns the mean share of the largest contribution to the predicted class.

        mean_i max_f |f_if w_cf| / sum_f |f_if w_cf|,   c = argmax logits_i

    As published, samples without any contribution do not count.

    Args:
        features: the values the weights multiply; for QPM the normalised z.
        logits: class scores that decide which class is predicted.
        weights: class weights over the same features.

    Returns:
        A value in [1/F, 1], or 0.0 where no sample counts.

    Raises:
        ValueError: shapes that do not fit, NaN or infinity.
    """
    features = inputs.table("features", features, "NF")
    logits = check_logits(logits, len(features))
    weights = check_weights(weights, logits.shape[1], features.shape[1])
    return dependence_finish(_update(dependence_init(), features, logits, weights))


def dependence_init() -> DependenceState:
    """Returns the state before any sample."""
    return DependenceState(
        total=jnp.zeros((), jnp.float32), counted=jnp.zeros((), jnp.int32)
    )


def dependence_update(
    state: DependenceState,
    features: Float[ArrayLike, "N F"],
    logits: Float[ArrayLike, "N C"],
    weights: Float[ArrayLike, "C F"],
    valid: Bool[ArrayLike, " N"] | None = None,
) -> DependenceState:
    """Returns the state after one more batch; pure and jittable.

    Args:
        state: what came before.
        features: computed in float32.
        logits: class scores of the same samples.
        weights: class weights, the same for every batch.
        valid: samples that count, all by default; the others may hold anything.
    """
    features = jnp.asarray(features, jnp.float32)
    predicted = jnp.argmax(jnp.asarray(logits), axis=-1)
    rows = jnp.take(jnp.asarray(weights, jnp.float32), predicted, axis=0)
    contributions = jnp.abs(features * rows)
    # By the largest first: a sum of tiny contributions would not fit into float32.
    largest = jnp.max(contributions, axis=-1)
    counts = largest > 0
    if valid is not None:
        counts &= jnp.asarray(valid)
    relative = contributions / jnp.where(counts, largest, 1.0)[:, None]
    shares = 1.0 / jnp.maximum(jnp.sum(relative, axis=-1), 1.0)
    return DependenceState(
        total=state.total + jnp.sum(jnp.where(counts, shares, 0.0)),
        counted=state.counted + jnp.sum(counts, dtype=jnp.int32),
    )


_update = jax.jit(dependence_update)


def dependence_finish(state: DependenceState) -> float:
    """Returns the metric of all samples given; 0.0 where none counts."""
    counted = int(state.counted)
    return float(np.asarray(state.total, np.float64)) / counted if counted else 0.0
