"""Monosemanticity: do the classes that share a feature share a truth?

After the monosemanticity score of Pach et al. (2025, arXiv 2504.02821): a feature has
one meaning as far as the things that activate it are alike. There, pairs of images are
weighted by both activations and compared by another network's embedding. Here pairs of
*different classes* are, by their true similarity, so that a detector of one class does
not pass for a concept. And a pair's similarity enters as its percentile among all pairs
(mid-rank over their number), so that chance is 0.5 everywhere and the values of all
classes and of a few look-alikes can be compared:

    sum_{c≠c'} a_cf a_c'f rank(c,c') / sum_{c≠c'} a_cf a_c'f

with a the class's mean activation above that of the class with the lowest.

Globally all classes are compared. Inside a class neighbourhood (the class and the
classes most alike to it in truth) only those are: a feature that means one thing among
these birds and another among those is locally monosemantic, globally not.
"""

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Float, Int

from qpm_jax.metrics.shapes import check_similarity, check_weights
from qpm_jax.statistics import inputs
from qpm_jax.statistics.class_sums import sum_by_class

NEIGHBOURS = 5
# Activation above the lowest class counts as none below this share of the largest.
_SMALLEST_SHARE = 1e-6


def monosemanticity(
    features: Float[ArrayLike, "N F"],
    labels: Int[ArrayLike, " N"],
    class_similarity: Float[ArrayLike, "C C"],
) -> Float[np.ndarray, " F"]:
    """Returns each feature's value over all classes.

    Args:
        features: training features, one row a sample.
        labels: true class of each sample, 0..C-1.
        class_similarity: true similarities, symmetric; the diagonal is ignored.

    Returns:
        Values in (0, 1), 0.5 by chance; NaN where at most one class activates the
        feature.

    Raises:
        ValueError: shapes that do not fit, NaN, or labels out of range.
    """
    similarity = check_similarity(class_similarity, len(np.asarray(class_similarity)))
    return global_values(_class_means(features, labels, len(similarity)), similarity)


def local_monosemanticity(
    features: Float[ArrayLike, "N F"],
    labels: Int[ArrayLike, " N"],
    class_similarity: Float[ArrayLike, "C C"],
    explained: Bool[ArrayLike, "C F"],
    neighbours: int = NEIGHBOURS,
) -> Float[np.ndarray, " F"]:
    """Returns each feature's mean value over the neighbourhoods it tells apart.

    Args:
        features: training features, one row a sample.
        labels: true class of each sample, 0..C-1.
        class_similarity: true similarities, symmetric; the diagonal is ignored.
        explained: which classes are explained by which features: QPM's W, or
            `top_features` of other weights. The neighbourhoods that count are those,
            of any class, in which two classes share the feature and one is without.
        neighbours: how many classes besides the class itself.

    Returns:
        Values in (0, 1), 0.5 by chance; NaN where no neighbourhood counts.

    Raises:
        ValueError: shapes that do not fit, NaN, labels out of range, or neighbours
            outside 2..C-1.
    """
    similarity = check_similarity(class_similarity, len(np.asarray(class_similarity)))
    means = _class_means(features, labels, len(similarity))
    uses = check_weights(explained, *means.shape) != 0
    return local_values(means, similarity, np.asarray(uses), neighbours)


def top_features(weights: Float[ArrayLike, "C F"], k: int = 5) -> np.ndarray:
    """Returns which features explain each class: the k largest weights, if positive.

    Ties go to the lower index. QPM's rows have k ones, which are all of them.
    """
    weights = inputs.table("weights", weights, "CF")
    k = min(inputs.at_least_one("k", k), weights.shape[1])
    top = np.argsort(-weights, axis=1, kind="stable")[:, :k]
    chosen = np.zeros(weights.shape, bool)
    np.put_along_axis(chosen, top, values=True, axis=1)
    return chosen & (weights > 0)


def global_values(
    means: Float[np.ndarray, "C F"], similarity: Float[np.ndarray, "C C"]
) -> Float[np.ndarray, " F"]:
    """Returns `monosemanticity` from the classes' mean features (NaN where absent)."""
    return _values(means[None], similarity[None])[0]


def local_values(
    means: Float[np.ndarray, "C F"],
    similarity: Float[np.ndarray, "C C"],
    explained: Bool[np.ndarray, "C F"],
    neighbours: int = NEIGHBOURS,
) -> Float[np.ndarray, " F"]:
    """Returns `local_monosemanticity` from the classes' mean features."""
    num_classes = len(means)
    if not 2 <= neighbours < num_classes:
        raise ValueError(
            f"neighbours must be 2 to {num_classes - 1}, as there are {num_classes} "
            f"classes, got {neighbours}"
        )
    others = np.where(np.eye(num_classes, dtype=bool), np.inf, similarity)
    group = np.argsort(-others, axis=1, kind="stable")[:, : neighbours + 1]
    inside = similarity[group[:, :, None], group[:, None, :]]
    values = _values(means[group], inside)
    # Not only around classes with the feature: a class is most alike to its own
    # neighbours, so that choice would lift the value of chance above 0.5.
    shared = explained[group].sum(axis=1)
    counted = (shared >= 2) & (shared <= neighbours) & ~np.isnan(values)
    total = np.sum(values, axis=0, where=counted)
    times = counted.sum(axis=0)
    return np.where(times > 0, total / np.maximum(times, 1), np.nan)


def mean_value(values: Float[np.ndarray, " F"]) -> float | None:
    """Returns the mean over the features that have a value; None where none has."""
    return None if np.isnan(values).all() else float(np.nanmean(values))


def _class_means(
    features: ArrayLike, labels: ArrayLike, num_classes: int
) -> Float[np.ndarray, "C F"]:
    features = inputs.table("features", features, "NF")
    labels = inputs.class_labels(labels, len(features), num_classes)
    counts = np.bincount(labels, minlength=num_classes)[:, None]
    sums = sum_by_class(features, labels, num_classes)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _values(
    means: Float[np.ndarray, "G D F"], similarity: Float[np.ndarray, "G D D"]
) -> Float[np.ndarray, "G F"]:
    """Returns the value of every feature in each of G groups of D classes."""
    known = ~np.isnan(means)
    lowest = np.min(means, axis=1, keepdims=True, initial=np.inf, where=known)
    lowest = np.where(np.isinf(lowest), 0.0, lowest)  # no class has samples
    above = np.where(known, means - lowest, 0.0)
    largest = above.max(axis=1, keepdims=True)
    constant = largest <= _SMALLEST_SHARE * np.maximum(1.0, np.abs(lowest))
    above = np.where(constant, 0.0, above / np.where(constant, 1.0, largest))
    above[above < _SMALLEST_SHARE] = 0.0
    alike = np.sum(above * (_percentiles(similarity) @ above), axis=1)
    pairs = above.sum(axis=1) ** 2 - np.sum(above**2, axis=1)
    some = pairs > _SMALLEST_SHARE
    return np.where(some, alike / np.where(some, pairs, 1.0), np.nan)


def _percentiles(
    similarity: Float[np.ndarray, "G D D"],
) -> Float[np.ndarray, "G D D"]:
    """Returns each pair's mid-rank among its group's pairs, in (0,1); 0 diagonal."""
    from scipy.stats import rankdata

    upper = np.triu_indices(similarity.shape[1], k=1)
    pairs = similarity[:, *upper]
    ranks = np.zeros_like(similarity)
    ranks[:, *upper] = (rankdata(pairs, axis=1) - 0.5) / pairs.shape[1]
    return ranks + np.swapaxes(ranks, 1, 2)
