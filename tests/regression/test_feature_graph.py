import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qpm_jax.regression.pictures.feature_graph import (
    feature_graph,
    hamming_distances,
    layout,
)

TABLES = arrays(np.int64, (7, 6), elements=st.integers(0, 2))


@settings(max_examples=30, deadline=None)
@given(TABLES)
def test_the_distance_counts_instances_in_which_two_features_differ(features):
    distances = hamming_distances(features)
    one_by_one = [[(a != b).sum() for b in features.T] for a in features.T]
    assert distances.tolist() == one_by_one


@settings(max_examples=30, deadline=None)
@given(TABLES, st.floats(0.3, 2.0), st.integers(1, 5))
def test_features_are_joined_by_the_published_rule(features, delta, neighbours):
    distances = hamming_distances(features)
    reach = [
        sorted(np.delete(row, i))[neighbours - 1] for i, row in enumerate(distances)
    ]
    expected = [
        [i, j]
        for i in range(6)
        for j in range(i + 1, 6)
        if distances[i, j] ** 2 < delta**2 * (reach[i] * reach[j])
    ]
    assert feature_graph(features, delta, neighbours).tolist() == expected


def test_a_larger_delta_only_adds_edges():
    features = np.random.default_rng(0).integers(0, 2, (30, 12))
    few, many = (set(map(tuple, feature_graph(features, d).tolist())) for d in (0.9, 1))
    assert few < many


def test_a_single_feature_is_at_distance_zero_of_itself():
    assert hamming_distances([[0], [1]]).tolist() == [[0]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((2, 3), int), 0.0, 1), "delta is 0.0"),
        ((np.zeros((2, 3), int), 1.0, 3), "neighbours is 3"),
        ((np.zeros(3, int), 1.0, 1), "features has shape"),
    ],
)
def test_settings_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        feature_graph(*arguments)


def test_joined_features_lie_nearer_than_others_and_all_in_the_picture():
    edges = [(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5)]
    places = layout(edges, 6)
    apart = np.linalg.norm(places[:, None] - places, axis=2)
    assert apart[:3, :3].max() < apart[:3, 3:].min()
    assert np.abs(places).max() <= 1.0


def test_places_are_the_same_every_time_and_distinct():
    places = layout(np.empty((0, 2)), 10)
    assert np.array_equal(places, layout(np.empty((0, 2)), 10))
    apart = np.linalg.norm(places[:, None] - places, axis=2) + np.eye(10)
    assert apart.min() > 0.1
