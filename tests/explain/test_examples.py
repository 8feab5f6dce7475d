"""Which images are shown, against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.explain.examples import (
    best_per_class,
    example_scores,
    map_peaks,
    top_images,
)


def test_peaks_are_the_largest_softmax_over_positions():
    maps = np.random.default_rng(0).normal(size=(3, 4, 5, 2)) * 3
    share = np.exp(maps) / np.exp(maps).sum(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(map_peaks(maps), share.max(axis=(1, 2)))


def test_scores_multiply_peaks_and_values_of_the_class_and_exclude_errors():
    rng = np.random.default_rng(1)
    maps, features = rng.random((6, 3, 3, 4)), rng.random((6, 4))
    labels = np.array([0, 1, 2, 0, 1, 2])
    predictions = np.array([0, 1, 2, 1, 1, 2])
    assignment = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]], bool)
    scores = example_scores(maps, features, labels, predictions, assignment)
    peaks = map_peaks(maps)
    for i, label in enumerate(labels):
        own = assignment[label]
        expected = peaks[i, own].sum() * features[i, own].sum()
        assert scores[i] == (-np.inf if i == 3 else pytest.approx(expected))


def test_the_best_images_of_a_class_come_first_and_gaps_are_marked():
    scores = np.array([0.1, 0.9, 0.5, -np.inf, 0.2])
    labels = np.array([0, 0, 0, 1, 3])
    best = best_per_class(scores, labels, num_classes=4, count=2)
    np.testing.assert_array_equal(best, [[1, 2], [-1, -1], [-1, -1], [4, -1]])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 3), st.booleans())
def test_top_images_are_those_of_sorting_feature_by_feature(
    seed, count, per_class, with_assignment
):
    rng = np.random.default_rng(seed)
    size, classes, num_features = int(rng.integers(1, 12)), 3, 2
    features = rng.permutation(size * num_features).reshape(size, num_features)
    labels = rng.integers(0, classes, size)
    assignment = rng.random((classes, num_features)) < 0.5
    found = top_images(
        features, labels, count, per_class, assignment if with_assignment else None
    )
    assert found.shape == (num_features, count)
    for f in range(num_features):
        values = features[:, f]
        rank = [
            sum(labels[j] == labels[i] and values[j] > values[i] for j in range(size))
            for i in range(size)
        ]
        foreign = ~assignment[labels, f] if with_assignment else np.zeros(size, bool)
        allowed = [i for i in range(size) if rank[i] < per_class]
        allowed.sort(key=lambda i: (foreign[i], rank[i], -values[i]))
        expected = (allowed + [-1] * count)[:count]
        assert found[f].tolist() == expected


def test_wrong_arguments_are_named():
    maps, features = np.ones((2, 3, 3, 4)), np.ones((2, 4))
    labels, assignment = np.zeros(2, int), np.ones((1, 4))
    with pytest.raises(ValueError, match="feature_maps has shape"):
        example_scores(maps[..., :2], features, labels, labels, assignment)
    with pytest.raises(ValueError, match="features has shape"):
        example_scores(maps, features[:, :2], labels, labels, assignment)
    with pytest.raises(ValueError, match="need \\[N, n\\]"):
        top_images(features, labels[:1])
    with pytest.raises(ValueError, match="at least 1"):
        top_images(features, labels, count=0)
