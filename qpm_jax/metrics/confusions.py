"""Why images are taken for another class: the features that led there.

A class score is a sum of contributions f_i w_cf, so the lead of the predicted class
over the true one is a sum over features as well:

    score_predicted − score_true = sum_f f_i (w_predicted,f − w_true,f)

With QPM's binary weights what both classes use cancels, and at most 2k features are
left: those of the predicted class that are too high, and those of the true class that
are too low.
"""

from dataclasses import dataclass

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from qpm_jax.metrics.shapes import check_logits, check_weights
from qpm_jax.statistics import inputs


@flax.struct.dataclass
class ConfusionState:
    """Sums over the samples so far, by true (first) and predicted class.

    Attributes:
        counts: number of samples.
        sums: of the samples' features. C²·F numbers: meant for a QPM's few features.
    """

    counts: Int[Array, "C C"]
    sums: Float[Array, "C C F"]


@dataclass(frozen=True)
class Confusion:
    """Images of one class that were taken for another.

    Attributes:
        true: their class.
        predicted: what they were taken for.
        count: how many they are.
        share: of all images of the class.
        contributions: mean of what each feature adds to the lead of `predicted`.
        lead: the sum of the contributions.
    """

    true: int
    predicted: int
    count: int
    share: float
    contributions: Float[np.ndarray, " F"]

    @property
    def lead(self) -> float:
        """How far the wrong score is above the right one, on average."""
        return float(self.contributions.sum())


def mistake(
    features: Float[ArrayLike, " F"],
    weights: Float[ArrayLike, "C F"],
    true: int,
    predicted: int,
) -> Float[np.ndarray, " F"]:
    """Returns what each feature of one image adds to one class's lead over another.

    Args:
        features: the values the weights multiply; for QPM the normalised z.
        weights: class weights over the same features.
        true: the class that falls behind.
        predicted: the class that leads.

    Raises:
        ValueError: shapes that do not fit, NaN, or a class that does not exist.
    """
    weights = inputs.table("weights", weights, "CF")
    features = inputs.table("features", features, "F")
    check_weights(weights, len(weights), len(features))
    for name, label in (("true", true), ("predicted", predicted)):
        if not 0 <= label < len(weights):
            raise ValueError(f"{name} is {label}; classes are 0..{len(weights) - 1}")
    return features * (weights[predicted] - weights[true])


def confusions(
    features: Float[ArrayLike, "N F"],
    logits: Float[ArrayLike, "N C"],
    labels: Int[ArrayLike, " N"],
    weights: Float[ArrayLike, "C F"],
    limit: int | None = None,
) -> tuple[Confusion, ...]:
    """Returns the confusions of samples held whole, most frequent first.

    Args:
        features: the values the weights multiply; for QPM the normalised z.
        logits: class scores that decide which class is predicted.
        labels: true class of each sample, 0..C-1.
        weights: class weights over the same features.
        limit: how many to return; all where None.

    Raises:
        ValueError: shapes that do not fit, NaN, or labels out of range.
    """
    features = inputs.table("features", features, "NF")
    logits = check_logits(logits, len(features))
    labels = inputs.class_labels(labels, len(features), logits.shape[1])
    weights = check_weights(weights, logits.shape[1], features.shape[1])
    state = confusions_init(*weights.shape)
    return confusions_finish(_update(state, features, logits, labels), weights, limit)


def confusions_init(num_classes: int, num_features: int) -> ConfusionState:
    """Returns the state before any sample.

    Raises:
        ValueError: a number below 1.
    """
    num_classes = inputs.at_least_one("num_classes", num_classes)
    num_features = inputs.at_least_one("num_features", num_features)
    return ConfusionState(
        counts=jnp.zeros((num_classes, num_classes), jnp.int32),
        sums=jnp.zeros((num_classes, num_classes, num_features), jnp.float32),
    )


def confusions_update(
    state: ConfusionState,
    features: Float[ArrayLike, "N F"],
    logits: Float[ArrayLike, "N C"],
    labels: Int[ArrayLike, " N"],
    valid: Bool[ArrayLike, " N"] | None = None,
) -> ConfusionState:
    """Returns the state after one more batch; pure and jittable.

    Args:
        state: what came before.
        features: summed in float32.
        logits: class scores of the same samples.
        labels: their true classes.
        valid: samples that count, all by default; the others may hold anything.
    """
    labels = jnp.asarray(labels)
    if valid is not None:
        # Outside the arrays: dropped.
        labels = jnp.where(jnp.asarray(valid), labels, len(state.counts))
    predicted = jnp.argmax(jnp.asarray(logits), axis=-1)
    place = (labels, predicted)
    features = jnp.asarray(features, jnp.float32)
    return ConfusionState(
        counts=state.counts.at[place].add(1, mode="drop"),
        sums=state.sums.at[place].add(features, mode="drop"),
    )


_update = jax.jit(confusions_update)


def confusions_finish(
    state: ConfusionState,
    weights: Float[ArrayLike, "C F"],
    limit: int | None = None,
) -> tuple[Confusion, ...]:
    """Returns the confusions of all samples given, most frequent first.

    Args:
        state: after the last batch.
        weights: class weights over the features.
        limit: how many to return; all where None. Ties go by class number.
    """
    counts, sums = np.asarray(state.counts), np.asarray(state.sums)
    weights = np.asarray(weights, np.float64)
    sizes = counts.sum(axis=1)
    wrong = counts * (1 - np.eye(len(counts), dtype=counts.dtype))
    true, predicted = np.nonzero(wrong)
    order = np.lexsort((predicted, true, -wrong[true, predicted]))[:limit]
    return tuple(
        Confusion(
            true=t,
            predicted=p,
            count=int(wrong[t, p]),
            share=float(wrong[t, p] / sizes[t]),
            contributions=sums[t, p] / wrong[t, p] * (weights[p] - weights[t]),
        )
        for t, p in zip(true[order].tolist(), predicted[order].tolist(), strict=True)
    )
