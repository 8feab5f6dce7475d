"""What each class activates of each feature, summed over batches.

One small state serves two metrics: class-independence reads the classes' shares of a
feature, monosemanticity their means.
"""

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from qpm_jax.statistics import inputs


@flax.struct.dataclass
class ClassActivation:
    """Sums over the samples so far.

    Attributes:
        sums: of the features' values by class.
        counts: number of samples of each class.
        lowest: smallest value of each feature; inf before any sample.
    """

    sums: Float[Array, "C F"]
    counts: Int[Array, " C"]
    lowest: Float[Array, " F"]


def class_activation_init(num_classes: int, num_features: int) -> ClassActivation:
    """Returns the state before any sample.

    Raises:
        ValueError: a number below 1.
    """
    num_classes = inputs.at_least_one("num_classes", num_classes)
    num_features = inputs.at_least_one("num_features", num_features)
    return ClassActivation(
        sums=jnp.zeros((num_classes, num_features), jnp.float32),
        counts=jnp.zeros(num_classes, jnp.int32),
        lowest=jnp.full(num_features, jnp.inf, jnp.float32),
    )


def class_activation_update(
    state: ClassActivation,
    features: Float[ArrayLike, "N F"],
    labels: Int[ArrayLike, " N"],
    valid: Bool[ArrayLike, " N"] | None = None,
) -> ClassActivation:
    """Returns the state after one more batch; pure and jittable.

    Args:
        state: what came before.
        features: one row a sample; summed in float32.
        labels: classes of the same samples.
        valid: samples that count, all by default; the others may hold anything.
    """
    features, labels = jnp.asarray(features, jnp.float32), jnp.asarray(labels)
    valid = jnp.ones(labels.shape, bool) if valid is None else jnp.asarray(valid)
    num_classes = len(state.counts)
    # A sample that does not count goes to a class that does not exist.
    labels = jnp.where(valid, labels, num_classes)
    seen = jnp.where(valid[:, None], features, jnp.inf)
    return ClassActivation(
        sums=state.sums + jax.ops.segment_sum(features, labels, num_classes),
        counts=state.counts
        + jax.ops.segment_sum(valid.astype(jnp.int32), labels, num_classes),
        lowest=jnp.minimum(state.lowest, seen.min(axis=0)),
    )


def class_means(state: ClassActivation) -> Float[np.ndarray, "C F"]:
    """Returns the mean of every feature over each class; NaN for absent classes."""
    counts = np.asarray(state.counts, np.float64)[:, None]
    sums = np.asarray(state.sums, np.float64)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
