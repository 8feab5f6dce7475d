import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import assignment, statistics
from qpm_jax.assignment.from_features import (
    instance_from_features,
    instance_from_similarity,
    problem_of,
)


def samples(seed=0, count=60, features=8, classes=4):
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    shown = np.arange(features)[None] % classes == labels[:, None]
    return random.normal(size=(count, features)) + 2 * shown, labels


def test_the_statistics_are_those_of_the_statistics_package():
    features, labels = samples()
    instance = instance_from_features(features, labels)
    similarity = statistics.class_similarity(features, labels, 4)
    assert np.array_equal(instance.similarity, similarity)
    redundancy = statistics.feature_redundancy(similarity)
    assert np.array_equal(instance.redundancy, redundancy)
    assert instance.bias is None


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-(2**62), 2**62), min_size=4, max_size=4, unique=True))
def test_any_integers_may_be_labels_and_stay_the_names_of_the_classes(names):
    features, labels = samples()
    names = np.sort(np.array(names))
    instance = instance_from_features(features, names[labels])
    assert np.array_equal(instance.classes, names)
    plain = instance_from_features(features, labels)
    assert np.array_equal(instance.similarity, plain.similarity)


def test_features_that_show_a_class_are_assigned_to_it():
    instance = instance_from_features(*samples(count=400))
    problem, epsilon = problem_of(instance, num_features=8, per_class=2)
    assert np.isfinite(epsilon)
    result = assignment.solve(problem, time_limit=5)
    for label, row in enumerate(result.assignment):
        assert result.selected[row].tolist() == [label, label + 4]


def test_without_redundancy_no_pair_is_penalised():
    instance = instance_from_features(*samples())
    problem, epsilon = problem_of(instance, 6, 2, redundancy=False)
    assert len(problem.pairs) == 0
    assert epsilon == np.inf


def test_pairs_are_those_of_redundant_pairs():
    instance = instance_from_features(*samples())
    problem, epsilon = problem_of(instance, 5, 2)
    expected = assignment.redundant_pairs(instance.redundancy, 5)
    assert np.array_equal(problem.pairs, expected.pairs)
    assert np.array_equal(problem.weights, expected.weights)
    assert epsilon == expected.epsilon


def test_steering_reaches_the_problem():
    bias = np.arange(8.0)
    instance = instance_from_features(*samples(), bias=bias)
    problem, _ = problem_of(
        instance, 6, 2, forced_in=[1], forced_out=[2], min_classes=1, ternary=True
    )
    assert np.array_equal(problem.feature_bias, bias)
    assert (problem.forced_in, problem.forced_out) == ((1,), (2,))
    assert (problem.min_classes, problem.ternary) == (1, True)


def test_a_class_has_its_own_k_unless_another_is_asked_for():
    own = instance_from_features(*samples(), per_class=np.array([1, 2, 3, 2]))
    assert problem_of(own, 6)[0].class_sizes.tolist() == [1, 2, 3, 2]
    assert problem_of(own, 6, 2)[0].class_sizes.tolist() == [2, 2, 2, 2]
    assert problem_of(instance_from_features(*samples()), 7)[0].per_class == 5


def test_redundancy_comes_from_a_where_it_is_not_given():
    scores = np.random.default_rng(0).normal(size=(6, 3))
    instance = instance_from_similarity(scores)
    assert np.array_equal(instance.redundancy, statistics.feature_redundancy(scores))
    assert instance.classes.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"similarity": np.zeros(6)}, r"A has shape \(6,\)"),
        ({"similarity": np.full((6, 3), np.nan)}, "without NaN"),
        ({"redundancy": np.eye(5)}, r"R has shape \(5, 5\); it must be \[6, 6\]"),
        ({"bias": np.zeros(3)}, r"bias has shape \(3,\); it must be \[6\]"),
        ({"classes": ["a", "b"]}, r"classes has shape \(2,\); it must be \[3\]"),
        ({"classes": [1, 2, 1]}, "names a class twice"),
        ({"per_class": np.ones(2)}, r"per_class has shape \(2,\); it must be \[3\]"),
    ],
)
def test_statistics_that_do_not_fit_are_named(change, message):
    fields = {"similarity": np.ones((6, 3)), **change}
    with pytest.raises(ValueError, match=message):
        instance_from_similarity(**fields)


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (np.ones((4, 2)), np.arange(3), "one label a row"),
        (np.ones(4), np.arange(4), r"features have shape \(4,\)"),
        (np.ones((3, 2)), np.zeros(3), "1 class in 3 sample"),
        (np.full((2, 2), np.nan), np.arange(2), "features holds NaN"),
        (np.zeros((0, 2)), np.zeros(0), "0 class"),
    ],
)
def test_features_that_do_not_fit_are_named(features, labels, message):
    with pytest.raises(ValueError, match=message):
        instance_from_features(features, labels)


def test_more_classes_than_subsets_are_refused_before_the_search():
    instance = instance_from_features(*samples(classes=6))
    with pytest.raises(ValueError, match="3 different rows for 6 classes"):
        problem_of(instance, 3, 1)
