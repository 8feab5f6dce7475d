"""Top-1 accuracy."""

import flax.struct
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from qpm_jax.statistics import inputs


@flax.struct.dataclass
class AccuracyState:
    """Counts over the samples so far.

    Attributes:
        correct: number of samples given their true class.
        counted: number of samples.
    """

    correct: Int[Array, ""]
    counted: Int[Array, ""]


def accuracy(logits: Float[ArrayLike, "N C"], labels: Int[ArrayLike, " N"]) -> float:
    """Returns the share of samples whose largest logit is their class's.

    Args:
        logits: class scores; of equal largest ones the first is the prediction.
        labels: class of each sample, 0..C-1.

    Raises:
        ValueError: shapes that do not fit, NaN, or labels out of range.
    """
    logits = inputs.table("logits", logits, "NC")
    labels = inputs.class_labels(labels, len(logits), logits.shape[1])
    return float(np.mean(logits.argmax(axis=1) == labels))


def accuracy_init() -> AccuracyState:
    """Returns the state before any sample."""
    return AccuracyState(
        correct=jnp.zeros((), jnp.int32), counted=jnp.zeros((), jnp.int32)
    )


def accuracy_update(
    state: AccuracyState,
    logits: Float[ArrayLike, "N C"],
    labels: Int[ArrayLike, " N"],
    valid: Bool[ArrayLike, " N"] | None = None,
) -> AccuracyState:
    """Returns the state after one more batch; pure and jittable.

    Args:
        state: what came before.
        logits: class scores.
        labels: classes of the same samples.
        valid: samples that count, all by default; the others may hold anything.
    """
    labels = jnp.asarray(labels)
    valid = jnp.ones(labels.shape, bool) if valid is None else jnp.asarray(valid)
    right = jnp.argmax(jnp.asarray(logits), axis=-1) == labels
    return AccuracyState(
        correct=state.correct + jnp.sum(right & valid, dtype=jnp.int32),
        counted=state.counted + jnp.sum(valid, dtype=jnp.int32),
    )


def accuracy_finish(state: AccuracyState) -> float:
    """Returns the accuracy over all samples given; 0.0 without any."""
    return int(state.correct) / max(int(state.counted), 1)
