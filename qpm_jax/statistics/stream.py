"""A, R, b and the features' moments from one pass over the training set.

    state = statistics.init(num_features, num_classes)
    for batch in batches:
        _, features, feature_maps = network(batch)
        state = update(state, features, feature_maps, labels)    # jit it
    result = statistics.finish(state)

The state is of the size C·F: maps are used and dropped, batch by batch.
"""

from dataclasses import dataclass

import flax.struct
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Float, Int

from qpm_jax.statistics.locality import (
    LocalityState,
    locality_finish,
    locality_init,
    locality_update,
)
from qpm_jax.statistics.moments import moments_finish
from qpm_jax.statistics.redundancy import feature_redundancy
from qpm_jax.statistics.similarity import (
    SimilarityState,
    similarity_finish,
    similarity_init,
    similarity_update,
)


@flax.struct.dataclass
class StatisticsState:
    """Everything known of the features after some batches.

    Attributes:
        similarity: behind A, and the features' moments.
        locality: behind b.
    """

    similarity: SimilarityState
    locality: LocalityState


@dataclass(frozen=True)
class Statistics:
    """What the assignment problem and the binary head are made from, all float64.

    Attributes:
        similarity: A, [F,C], correlation of features with classes, max|A| = 1.
        redundancy: R, [F,F], symmetric, in [0, 1], zero diagonal.
        bias: b, [F], within ±sqrt(10)/10.
        mean: [F], mean of each feature.
        std: [F], population standard deviation of each feature.
    """

    similarity: Float[np.ndarray, "F C"]
    redundancy: Float[np.ndarray, "F F"]
    bias: Float[np.ndarray, " F"]
    mean: Float[np.ndarray, " F"]
    std: Float[np.ndarray, " F"]


def init(num_features: int, num_classes: int) -> StatisticsState:
    """Returns the state before any sample.

    Raises:
        ValueError: a number below 1.
    """
    return StatisticsState(
        similarity=similarity_init(num_features, num_classes),
        locality=locality_init(num_features),
    )


def update(
    state: StatisticsState,
    features: Float[ArrayLike, "N F"],
    feature_maps: Float[ArrayLike, "N H W F"],
    labels: Int[ArrayLike, " N"],
    valid: Bool[ArrayLike, " N"] | None = None,
) -> StatisticsState:
    """Returns the state after one more batch; pure and jittable.

    Args:
        state: what came before.
        features: pooled features, in evaluation mode and without augmentation.
        feature_maps: the same before pooling.
        labels: class of each sample.
        valid: samples that count, all by default; the others may hold anything.
    """
    return StatisticsState(
        similarity=similarity_update(state.similarity, features, labels, valid),
        locality=locality_update(state.locality, feature_maps, valid),
    )


def finish(state: StatisticsState) -> Statistics:
    """Returns A, R, b, mean and std of all samples given.

    Raises:
        ValueError: no sample was given, or features that are not finite.
    """
    mean, std = moments_finish(state.similarity.moments)
    broken = ~(np.isfinite(mean) & np.isfinite(std))
    if broken.any():
        raise ValueError(
            f"features hold NaN or infinity in {broken.sum()} of {broken.size} "
            f"features; the network that made them has diverged, train it again"
        )
    similarity = similarity_finish(state.similarity)
    return Statistics(
        similarity=similarity,
        redundancy=feature_redundancy(similarity),
        bias=locality_finish(state.locality),
        mean=mean,
        std=std,
    )
