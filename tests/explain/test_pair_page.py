"""Pairs of classes: those one feature apart, ranked, and the choice of any two."""

import numpy as np

from qpm_jax.explain.pair_page import compare_section, neighbours_section


def test_pairs_one_feature_apart_are_ranked_by_similarity(contents):
    similarity = np.zeros((5, 5))
    similarity[2, 4] = similarity[4, 2] = 0.9
    text = neighbours_section(contents(class_similarity=similarity))
    assert "4 pairs of classes differ in exactly one feature" in text
    assert "ordered by similarity" in text
    assert text.index('data-pair="2,4"') < text.index('data-pair="0,1"')


def test_without_such_pairs_the_nearest_are_listed(contents):
    assignment = np.kron(np.eye(5), np.ones((1, 2)))
    changes = {"assignment": assignment, "selected": np.arange(10), "examples": None}
    text = neighbours_section(contents(**changes, details={}, feature_names={}))
    assert "No two classes differ in a single feature" in text
    assert text.count("<tr") == 1 + 10


def test_a_long_list_is_folded(contents):
    assignment = np.array([[1, *row] for row in np.eye(8)], bool)
    changes = {
        "assignment": assignment,
        "selected": np.arange(9),
        "class_names": tuple("abcdefgh"),
        "class_similarity": None,
        "class_attributes": None,
        "attribute_names": (),
        "examples": None,
        "details": {},
    }
    text = neighbours_section(contents(**changes))
    assert "Show all 28 pairs" in text
    assert text.count('class="rest"') == 28 - 12


def test_two_classes_can_be_chosen(contents):
    text = compare_section(contents())
    assert text.count("<select") == 2
