"""What classes share and what tells them apart, against counting by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from qpm_jax.explain.contrast import (
    class_contrast,
    most_alike_pairs,
    pairs_one_apart,
    shared_counts,
    spread_pairs,
)

assignments = npst.arrays(bool, st.tuples(st.integers(1, 6), st.integers(1, 7)))


@settings(max_examples=30, deadline=None)
@given(assignments)
def test_shared_features_are_those_of_set_arithmetic(assignment):
    sets = [set(np.flatnonzero(row).tolist()) for row in assignment]
    counts = shared_counts(assignment)
    for a, b in itertools.permutations(range(len(sets)), 2):
        pair = class_contrast(assignment, a, b)
        assert counts[a, b] == len(sets[a] & sets[b])
        assert set(pair.shared) == sets[a] & sets[b]
        assert set(pair.only_first) == sets[a] - sets[b]
        assert set(pair.only_second) == sets[b] - sets[a]


@settings(max_examples=30, deadline=None)
@given(assignments, st.integers(0, 10_000))
def test_pairs_come_by_fewest_differences_then_similarity(assignment, seed):
    classes = len(assignment)
    similarity = np.random.default_rng(seed).random((classes, classes))
    similarity += similarity.T
    keys = {
        (a, b): ((assignment[a] != assignment[b]).sum(), -similarity[a, b])
        for a, b in itertools.combinations(range(classes), 2)
    }
    expected = sorted(keys, key=keys.__getitem__)
    found = most_alike_pairs(assignment, similarity)
    assert [tuple(pair) for pair in found.tolist()] == expected


def test_ties_without_similarity_go_by_class_number_and_limit_cuts():
    assignment = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1]])
    pairs = most_alike_pairs(assignment, limit=2)
    np.testing.assert_array_equal(pairs, [[0, 1], [0, 2]])


def test_pairs_one_apart_differ_in_one_feature_and_are_ranked_by_similarity():
    assignment = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 1, 1], [0, 1, 0, 1]])
    pairs = pairs_one_apart(assignment)
    np.testing.assert_array_equal(pairs, [[0, 1], [0, 3], [1, 2], [2, 3]])
    similarity = np.zeros((4, 4))
    similarity[1, 2] = 1.0
    assert pairs_one_apart(assignment, similarity)[0].tolist() == [1, 2]


def test_a_class_with_one_feature_more_is_one_apart_and_an_equal_one_is_not():
    pairs = pairs_one_apart([[1, 1, 0], [1, 1, 1], [1, 1, 0]])
    np.testing.assert_array_equal(pairs, [[0, 1], [1, 2]])
    assert pairs_one_apart([[1, 0]]).shape == (0, 2)


def test_spreading_lets_no_class_fill_the_page():
    pairs = [[0, 1], [0, 2], [0, 3], [2, 3], [1, 2]]
    np.testing.assert_array_equal(
        spread_pairs(pairs, limit=3), [[0, 1], [0, 2], [2, 3]]
    )
    np.testing.assert_array_equal(
        spread_pairs(pairs, limit=9, appearances=1), [[0, 1], [2, 3]]
    )
    assert spread_pairs(np.zeros((0, 2)), limit=3).shape == (0, 2)


def test_wrong_arguments_are_named():
    assignment = np.eye(3)
    with pytest.raises(ValueError, match="second is 3"):
        class_contrast(assignment, 0, 3)
    with pytest.raises(ValueError, match="both 1"):
        class_contrast(assignment, 1, 1)
    with pytest.raises(ValueError, match="other than 0 and 1"):
        shared_counts(2 * assignment)
    with pytest.raises(ValueError, match=r"must be \[C, n\]"):
        shared_counts(np.ones(3))
    with pytest.raises(ValueError, match="similarity has shape"):
        most_alike_pairs(assignment, np.ones((2, 2)))
