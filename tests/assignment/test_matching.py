"""Matching with lists cut off: the best of the whole, or that it is not known."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.assignment import matching


def best_of_all(worth):
    """The best value over all ways to give every row a column of its own."""
    rows, columns = worth.shape
    choices = itertools.permutations(range(columns), rows)
    return max(worth[np.arange(rows), list(choice)].sum() for choice in choices)


def lists(worth, length):
    """The `length` best columns of every row, and their worth."""
    keys = np.argsort(-worth, axis=1, kind="stable")[:, :length]
    return keys, np.take_along_axis(worth, keys, axis=1)


@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_an_answer_from_short_lists_is_the_best_of_all(seed, rows, length):
    worth = np.random.default_rng(seed).integers(0, 4, (rows, 6)).astype(float)
    keys, listed = lists(worth, length)
    pick = matching.match(keys, listed)
    if pick is None:
        assert length < rows
        return
    chosen = keys[np.arange(rows), pick]
    assert len(set(chosen)) == rows
    assert listed[np.arange(rows), pick].sum() == best_of_all(worth)


def test_lists_that_hold_no_matching_are_too_short():
    keys = np.array([[7, 3], [3, 7], [7, 3]])
    assert matching.match(keys, np.ones((3, 2))) is None


@pytest.mark.parametrize("dense", [0, 10**6])
def test_fewer_candidates_than_classes_are_too_few(dense, monkeypatch):
    monkeypatch.setattr(matching, "_DENSE", dense)
    keys = np.array([[0, 1], [1, 2], [0, 2], [2, 1]])
    assert matching.match(keys, np.ones((4, 2))) is None


@pytest.mark.parametrize("rows", [6, 40])
def test_large_tables_give_the_same_worth_as_small_ones(rows, monkeypatch):
    worth = np.random.default_rng(1).normal(size=(rows, 60))
    keys, listed = lists(worth, rows)
    small = matching.match(keys, listed)
    monkeypatch.setattr(matching, "_DENSE", 0)
    large = matching.match(keys, listed)
    rows = np.arange(rows)
    assert listed[rows, large].sum() == pytest.approx(listed[rows, small].sum())


def test_a_candidate_of_no_worth_is_never_taken(monkeypatch):
    keys = np.array([[0, 1], [0, 1]])
    listed = np.array([[1.0, -np.inf], [0.9, 0.1]])
    for dense in (0, 100):
        monkeypatch.setattr(matching, "_DENSE", dense)
        np.testing.assert_array_equal(matching.match(keys, listed), [0, 1])
