import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.assignment.uniqueness import (
    best_assignment,
    best_subsets,
    subset_keys,
    top_features,
)


def brute_force(values, sizes):
    """The best value over all ways to give every class a subset of its own."""
    features = values.shape[1]

    def best(rest, used):
        if not rest:
            return 0.0
        number, others = rest[0], rest[1:]
        return max(
            (
                values[number, list(subset)].sum() + best(others, used | {subset})
                for subset in itertools.combinations(range(features), sizes[number])
                if subset not in used
            ),
            default=-np.inf,
        )

    return best(tuple(range(len(values))), frozenset())


@given(seed=st.integers(0, 10**6), same=st.floats(0, 1), data=st.data())
@settings(max_examples=30, deadline=None)
def test_the_assignment_is_the_best_with_different_classes(seed, same, data):
    random = np.random.default_rng(seed)
    features, classes = data.draw(st.sampled_from([(4, 4), (5, 3), (4, 3), (3, 3)]))
    values = random.normal(size=features) + same * random.normal(
        size=(classes, features)
    )
    sizes = random.integers(1, features, classes)
    if classes == features:
        sizes[:] = 1 + seed % (features - 1)
    assignment, worth = best_assignment(values, sizes)
    assert worth == pytest.approx(brute_force(values, sizes), abs=1e-9)
    assert worth == pytest.approx(values[assignment].sum())
    assert (assignment.sum(axis=1) == sizes).all()
    assert len(np.unique(assignment, axis=0)) == classes


def test_as_many_classes_as_subsets_use_every_subset():
    values = np.tile(np.arange(5.0), (10, 1))
    assignment, worth = best_assignment(values, np.full(10, 2))
    assert len(np.unique(assignment, axis=0)) == 10
    assert worth == 4 * values[0].sum()


def test_many_equal_classes_are_separated_quickly():
    values = np.tile(np.linspace(1, 2, 50), (300, 1))
    assignment, _ = best_assignment(values, np.full(300, 5))
    assert len(np.unique(assignment, axis=0)) == 300


def test_thousands_of_clustered_classes_are_separated_group_by_group():
    """All at once, their tables of candidates would not fit any memory."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(1500, 50))
    values = np.repeat(centres, 10, axis=0) + 0.05 * random.normal(size=(15_000, 50))
    assignment, value = best_assignment(values, np.full(15_000, 5))
    assert len(np.unique(np.packbits(assignment, axis=1), axis=0)) == 15_000
    relaxed = values[top_features(values, np.full(15_000, 5))].sum()
    assert 0.95 * relaxed < value < relaxed


def test_classes_of_different_sizes_never_collide():
    values = np.ones((2, 3))
    assignment, worth = best_assignment(values, np.array([1, 2]))
    assert assignment.sum(axis=1).tolist() == [1, 2]
    assert worth == 3.0


def test_without_collisions_every_class_keeps_its_best():
    values = np.eye(4) + 0.1 * np.arange(4)
    sizes = np.full(4, 1)
    assignment, _ = best_assignment(values, sizes)
    np.testing.assert_array_equal(assignment, top_features(values, sizes))


@given(seed=st.integers(0, 10**6), size=st.integers(1, 4), count=st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_the_best_subsets_are_the_best_of_all(seed, size, count):
    values = np.random.default_rng(seed).normal(size=(3, 7))
    subsets, worth = best_subsets(values, size, count)
    everything = np.array(list(itertools.combinations(range(7), size)))
    ranked = -np.sort(-values[:, everything].sum(axis=2), axis=1)
    expected = ranked[:, : min(count, len(everything))]
    np.testing.assert_allclose(-np.sort(-worth, axis=1), expected, atol=1e-12)
    found = np.take_along_axis(values[:, None, :], subsets, axis=2).sum(axis=2)
    np.testing.assert_allclose(found, worth, atol=1e-12)


@pytest.mark.parametrize(("length", "size"), [(7, 3), (5, 5), (6, 1), (200, 60)])
def test_keys_are_equal_for_equal_subsets_alone(length, size):
    random = np.random.default_rng(0)
    subsets = np.array([random.permutation(length)[:size] for _ in range(200)])
    keys = subset_keys(subsets, length)
    sets = [frozenset(row.tolist()) for row in subsets]
    same = np.array([[a == b for a in sets] for b in sets])
    np.testing.assert_array_equal(keys[:, None] == keys, same)
