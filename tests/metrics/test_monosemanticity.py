"""Monosemanticity: known meanings, the definition by loops, chance, bad input."""

import itertools

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import metrics
from qpm_jax.metrics.monosemanticity import global_values, local_values, mean_value


def families(count, size):
    """Similarity 1 inside a family of classes, 0 outside."""
    family = np.repeat(np.arange(count), size)
    return (family[:, None] == family).astype(float) - np.eye(count * size)


def values_by_loops(means, similarity):
    pairs = list(itertools.combinations(range(len(means)), 2))
    truth = np.array([similarity[p] for p in pairs])
    rank = [((truth < t).sum() + (truth <= t).sum()) / 2 / len(pairs) for t in truth]
    values = []
    for column in (means - means.min(axis=0)).T:
        weights = np.array([column[i] * column[j] for i, j in pairs])
        values.append(np.average(rank, weights=weights))
    return np.array(values)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), classes=st.integers(3, 8))
def test_it_equals_its_definition_written_as_loops(seed, classes):
    rng = np.random.default_rng(seed)
    similarity = rng.integers(0, 4, (classes, classes)).astype(float)
    similarity += similarity.T
    means = rng.random((classes, 5))
    np.testing.assert_allclose(
        global_values(means, similarity), values_by_loops(means, similarity), rtol=1e-9
    )


def test_a_feature_of_one_family_is_as_monosemantic_as_can_be():
    similarity = families(3, 4)
    means = np.zeros((12, 2))
    means[4:8, 0] = 1.0  # one family
    means[[0, 4, 8], 1] = 1.0  # one class of each
    # 18 of the 66 pairs are alike: the others' mid-rank is 24, theirs 48 + 9.
    np.testing.assert_allclose(
        global_values(means, similarity), [(48 + 9) / 66, 24 / 66]
    )


def test_a_feature_may_mean_one_thing_here_and_another_there():
    # Classes 0-3 and 4-7 are neighbourhoods; inside each, two and two are alike.
    similarity = np.zeros((8, 8))
    similarity[:4, :4] = similarity[4:, 4:] = 0.5
    for i, j in ((0, 1), (2, 3), (4, 5), (6, 7)):
        similarity[i, j] = similarity[j, i] = 1.0
    means = np.zeros((8, 1))
    means[[0, 1, 4, 5]] = 1.0
    local = local_values(means, similarity, means > 0, neighbours=3)
    world = global_values(means, similarity)
    np.testing.assert_allclose(local, [(4 + 1) / 6])  # two of six pairs, ranks 5 and 6
    assert world[0] < local[0]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_scale_and_shift_of_a_feature_and_of_the_truth_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    features, labels = rng.normal(size=(60, 3)), np.tile(np.arange(6), 10)
    similarity = rng.random((6, 6))
    similarity += similarity.T
    expected = metrics.monosemanticity(features, labels, similarity)
    got = metrics.monosemanticity(5 * features - 2, labels, similarity**3 + 1)
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_features_that_know_nothing_of_the_truth_score_a_half():
    rng = np.random.default_rng(0)
    similarity = rng.random((20, 20))
    similarity += similarity.T
    means = rng.random((20, 2000))
    assert global_values(means, similarity).mean() == pytest.approx(0.5, abs=0.01)
    local = local_values(means, similarity, means > 0.7)
    assert np.nanmean(local) == pytest.approx(0.5, abs=0.02)


def test_a_detector_of_one_class_or_a_constant_has_no_value():
    similarity = families(2, 3)
    means = np.zeros((6, 3))
    means[2, 0] = 1.0
    means[:, 1] = 0.3
    means[:2, 2] = 1.0
    values = global_values(means, similarity)
    assert np.isnan(values[:2]).all()
    assert values[2] > 0.5
    assert mean_value(values) == pytest.approx(values[2])
    assert mean_value(values[:2]) is None


def test_classes_without_samples_count_for_nothing():
    similarity = families(2, 3)
    features = np.array([[1.0], [1.0], [0.0]])
    got = metrics.monosemanticity(features, np.array([0, 1, 5]), similarity)
    # Of 15 pairs 6 are alike; the one pair that shares the feature is among them.
    np.testing.assert_allclose(got, [(9 + 3) / 15])


def test_neighbourhoods_that_all_or_none_share_the_feature_do_not_count():
    similarity = families(2, 3)
    means = np.random.default_rng(0).random((6, 2))
    explained = np.zeros((6, 2), bool)
    explained[:3, 0] = True  # all of a family
    explained[:2, 1] = True
    values = local_values(means, similarity, explained, neighbours=2)
    assert np.isnan(values[0])
    assert np.isfinite(values[1])


def test_samples_and_streams_give_what_class_means_give():
    rng = np.random.default_rng(2)
    features, labels = rng.gamma(1.0, 1.0, (90, 4)), np.tile(np.arange(9), 10)
    similarity = families(3, 3)
    explained = rng.random((9, 4)) < 0.4
    update = jax.jit(metrics.class_activation_update)
    state = metrics.class_activation_init(9, 4)
    for start in range(0, 90, 30):
        rows = slice(start, start + 30)
        state = update(state, features[rows], labels[rows])
    means = metrics.class_means(state)
    np.testing.assert_allclose(
        global_values(means, similarity),
        metrics.monosemanticity(features, labels, similarity),
        rtol=1e-4,
    )
    np.testing.assert_allclose(
        local_values(means, similarity, explained, 4),
        metrics.local_monosemanticity(features, labels, similarity, explained, 4),
        rtol=1e-4,
    )


def test_top_features_are_the_largest_positive_weights():
    weights = np.array([[0.3, 0.0, 0.5, 0.5], [-1.0, -2.0, 0.1, 0.0]])
    np.testing.assert_array_equal(
        metrics.top_features(weights, 2),
        [[False, False, True, True], [False, False, True, False]],
    )
    assert metrics.top_features(np.eye(3)).sum() == 3


def test_monosemanticity_refuses_bad_input_by_name():
    features, labels = np.ones((4, 2)), np.arange(4)
    truth = families(2, 2)
    with pytest.raises(ValueError, match="class_similarity must be symmetric"):
        metrics.monosemanticity(features, labels, np.triu(np.ones((4, 4))))
    with pytest.raises(ValueError, match="labels must lie in"):
        metrics.monosemanticity(features, labels + 1, truth)
    with pytest.raises(ValueError, match="neighbours must be 2 to 3"):
        metrics.local_monosemanticity(features, labels, truth, np.ones((4, 2)), 4)
    with pytest.raises(ValueError, match="weights must be"):
        metrics.local_monosemanticity(features, labels, truth, np.ones((4, 3)), 2)
    with pytest.raises(ValueError, match=r"class_similarity must be \[C,C\]"):
        metrics.monosemanticity(features, labels, np.ones((4, 3)))
