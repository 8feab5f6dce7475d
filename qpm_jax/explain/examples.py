"""Which images to show: typical ones of a class, strong ones of a feature.

The choice for a class is the published one (docs/formulas.md, Contrastive pictures):
among the correctly classified images the one with the largest product of how
concentrated and how active the features of its class are. Scores are per image, so they
can be computed batch by batch and joined.
"""

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Float, Int

from qpm_jax.explain.contrast import as_assignment


def map_peaks(
    feature_maps: Float[ArrayLike, "N H W n"],
) -> Float[np.ndarray, "N n"]:
    """Returns the largest value of each map's softmax over its positions, in (0, 1]."""
    maps = np.asarray(feature_maps, np.float64)
    below = maps - maps.max(axis=(1, 2), keepdims=True)
    # The peak itself has exponent 0, so the softmax there is one over the sum.
    return 1.0 / np.exp(below).sum(axis=(1, 2))


def example_scores(
    feature_maps: Float[ArrayLike, "N H W n"],
    features: Float[ArrayLike, "N n"],
    labels: Int[ArrayLike, " N"],
    predictions: Int[ArrayLike, " N"],
    assignment: Bool[ArrayLike, "C n"],
) -> Float[np.ndarray, " N"]:
    """Scores how well each image shows its class.

    Args:
        feature_maps: maps of the selected features.
        features: their values.
        labels: true classes.
        predictions: predicted classes.
        assignment: which features describe which class.

    Returns:
        (sum of the peaks) · (sum of the values) over the class's features; -inf where
        the prediction is wrong.

    Raises:
        ValueError: if the arrays differ in N or n.
    """
    weights = as_assignment(assignment)
    maps, values = np.asarray(feature_maps), np.asarray(features, np.float64)
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    num_samples, num_features = len(labels), weights.shape[1]
    if maps.ndim != 4 or (len(maps), maps.shape[-1]) != (num_samples, num_features):
        raise ValueError(
            f"feature_maps has shape {maps.shape}; {num_samples} labels and "
            f"{num_features} features need [{num_samples}, H, W, {num_features}]"
        )
    if values.shape != (num_samples, num_features) or len(predictions) != num_samples:
        raise ValueError(
            f"features has shape {values.shape} and predictions {predictions.shape}; "
            f"{num_samples} labels need as many rows"
        )
    own = weights[labels].astype(np.float64)
    scores = (map_peaks(maps) * own).sum(axis=1) * (values * own).sum(axis=1)
    return np.where(labels == predictions, scores, -np.inf)


def best_per_class(
    scores: Float[ArrayLike, " N"],
    labels: Int[ArrayLike, " N"],
    num_classes: int,
    count: int = 1,
) -> Int[np.ndarray, "C count"]:
    """Returns for every class its images of the largest score, best first.

    Args:
        scores: as `example_scores` gives them; -inf is never chosen.
        labels: true classes, 0..C-1.
        num_classes: C.
        count: images wanted a class.

    Returns:
        Indices into the samples; -1 where a class has no further image.
    """
    scores, labels = np.asarray(scores, np.float64), np.asarray(labels)
    order = np.lexsort((-scores, labels))
    starts = np.searchsorted(labels[order], np.arange(num_classes))
    rank = np.arange(len(order)) - starts[labels[order]]
    keep = (rank < count) & np.isfinite(scores[order])
    chosen = np.full((num_classes, count), -1, np.int64)
    chosen[labels[order][keep], rank[keep]] = order[keep]
    return chosen


def _rank_within_class(
    features: Float[np.ndarray, "N n"], labels: Int[np.ndarray, " N"]
) -> Int[np.ndarray, "N n"]:
    """For every feature: how many images of the same class have a larger value."""
    by_value = np.argsort(-features, axis=0, kind="stable")
    by_class = np.argsort(labels[by_value], axis=0, kind="stable")
    order = np.take_along_axis(by_value, by_class, axis=0)
    ordered_labels = np.sort(labels)
    starts = np.searchsorted(ordered_labels, ordered_labels)
    rank = np.empty(features.shape, np.int64)
    places = np.broadcast_to(np.arange(len(labels))[:, None], order.shape)
    np.put_along_axis(rank, order, places - starts[:, None], axis=0)
    return rank


def top_images(
    features: Float[ArrayLike, "N n"],
    labels: Int[ArrayLike, " N"],
    count: int = 4,
    per_class: int = 2,
    assignment: Bool[ArrayLike, "C n"] | None = None,
) -> Int[np.ndarray, "n count"]:
    """Chooses for every feature the images that excite it most.

    Different classes come first: every class's strongest image, then every class's
    second, up to `per_class`; within that, larger values first.

    Args:
        features: values of the selected features.
        labels: classes of the images.
        count: images wanted a feature.
        per_class: at most so many of one class.
        assignment: where given, images of classes that the feature describes go
            before all others.

    Returns:
        Indices into the samples, -1 where there are no further images.

    Raises:
        ValueError: if `features` and `labels` differ in N, or a count is below 1.
    """
    values, labels = np.asarray(features, np.float64), np.asarray(labels)
    if values.ndim != 2 or len(values) != len(labels):
        raise ValueError(
            f"features has shape {values.shape}; {len(labels)} labels need [N, n]"
        )
    if count < 1 or per_class < 1:
        raise ValueError(f"count {count} and per_class {per_class} must be at least 1")
    rank = _rank_within_class(values, labels)
    foreign = np.zeros_like(values, bool)
    if assignment is not None:
        foreign = ~as_assignment(assignment)[labels]
    spent = rank >= per_class
    order = np.lexsort((-values, rank, foreign, spent), axis=0)[:count]
    chosen = np.where(np.take_along_axis(spent, order, axis=0), -1, order).T
    missing = max(0, count - len(labels))
    return np.pad(chosen, ((0, 0), (0, missing)), constant_values=-1)
