"""A: how much each feature goes with each class (QPM, arXiv 2502.20130).

A_fc is the Pearson correlation, over the training set and with population moments, of
feature f with the indicator of class c; the whole matrix is divided by max|A|. What the
published code leaves undefined is defined here: a constant feature (std ≤ 1e-6·max(1,
|mean|)) and a class without samples have similarity 0, where it gets NaN in all of A.
"""

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from qpm_jax.statistics import inputs
from qpm_jax.statistics.class_sums import sum_by_class
from qpm_jax.statistics.moments import (
    MomentsState,
    centre_batch,
    feature_moments,
    merge_batch,
    moments_finish,
    moments_init,
    row_chunks,
)


@flax.struct.dataclass
class SimilarityState:
    """What is known of features and classes after some batches.

    Attributes:
        moments: of the features, whatever their class.
        class_counts: samples of each class.
        class_sums: sum over each class of (feature - mean of all samples so far).
    """

    moments: MomentsState
    class_counts: Int[Array, " C"]
    class_sums: Float[Array, "C F"]


def class_similarity(
    features: Float[ArrayLike, "N F"], labels: Int[ArrayLike, " N"], num_classes: int
) -> Float[np.ndarray, "F C"]:
    """Returns A of features held whole, computed in float64.

    Args:
        features: pooled features, one row a sample, without augmentation.
        labels: class of each sample, 0..num_classes-1.
        num_classes: C; classes without samples are allowed.

    Returns:
        float64 in [-1, 1] with max|A| = 1, or all 0 where nothing correlates.

    Raises:
        ValueError: shapes that do not fit, NaN, or labels out of range.
    """
    features = inputs.table("features", features, "NF")
    labels = inputs.class_labels(labels, len(features), num_classes)
    mean, std = feature_moments(features)
    sums = np.zeros((num_classes, features.shape[1]))
    chunks, label_chunks = row_chunks(features), row_chunks(labels)
    for chunk, chunk_labels in zip(chunks, label_chunks, strict=True):
        sums += sum_by_class(chunk - mean, chunk_labels, num_classes)
    counts = np.bincount(labels, minlength=num_classes)
    return _scaled_correlation(sums, counts, mean, std)


def similarity_init(num_features: int, num_classes: int) -> SimilarityState:
    """Returns the state before any sample."""
    inputs.at_least_one("num_classes", num_classes)
    return SimilarityState(
        moments=moments_init(num_features),
        class_counts=jnp.zeros(num_classes, jnp.int32),
        class_sums=jnp.zeros((num_classes, num_features), jnp.float32),
    )


def similarity_update(
    state: SimilarityState,
    features: Float[ArrayLike, "N F"],
    labels: Int[ArrayLike, " N"],
    valid: Bool[ArrayLike, " N"] | None = None,
) -> SimilarityState:
    """Returns the state after one more batch; pure and jittable.

    Args:
        state: what came before.
        features: one row a sample; computed in float32.
        labels: class of each sample; a label out of range counts for no class.
        valid: samples that count, all by default; the others may hold anything.
    """
    before, batch = centre_batch(state.moments, features, valid)
    moments = merge_batch(before, batch)
    num_classes = state.class_counts.shape[0]
    member = jax.nn.one_hot(labels, num_classes, dtype=jnp.float32)
    if valid is not None:
        member = jnp.where(jnp.asarray(valid)[:, None], member, 0.0)
    counts = jnp.sum(member, axis=0)
    # Full precision: accelerators would otherwise round the products to 8-11 bits.
    sums = jnp.matmul(member.T, batch.values, precision=jax.lax.Precision.HIGHEST)
    # Old sums and new ones both move to the mean of all samples so far.
    old_move = jnp.outer(state.class_counts, before.offset - moments.offset)
    new_move = jnp.outer(counts, batch.offset - moments.offset)
    return SimilarityState(
        moments=moments,
        class_counts=state.class_counts + counts.astype(jnp.int32),
        class_sums=state.class_sums + old_move + (sums + new_move),
    )


def similarity_finish(state: SimilarityState) -> Float[np.ndarray, "F C"]:
    """Returns A as `class_similarity` of all samples would.

    Raises:
        ValueError: no sample was given.
    """
    mean, std = moments_finish(state.moments)
    sums = np.asarray(state.class_sums, np.float64)
    return _scaled_correlation(sums, np.asarray(state.class_counts), mean, std)


def _scaled_correlation(
    sums: Float[np.ndarray, "C F"],
    counts: Int[np.ndarray, " C"],
    mean: Float[np.ndarray, " F"],
    std: Float[np.ndarray, " F"],
) -> Float[np.ndarray, "F C"]:
    """Returns correlations divided by the largest, from sums of centred features.

    Because the features are centred, their covariance with an indicator is sum / N.
    """
    total = counts.sum()
    frequency = counts / total
    indicator_std = np.sqrt(frequency * (1 - frequency))
    product = np.where(inputs.is_constant(mean, std), 0.0, std)[:, None] * indicator_std
    covariance = sums.T / total
    correlation = np.divide(
        covariance, product, out=np.zeros_like(covariance), where=product > 0
    )
    largest = np.abs(correlation).max()
    return correlation / largest if largest > 0 else correlation
