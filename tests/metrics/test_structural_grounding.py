"""Structural grounding: published values, ties, and odd input."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import metrics

GROUNDING_CASES = ["binary5_30classes", "duplicate_classes", "gt_ties"]


def random_problem(seed, c=8, f=6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(c, f)), metrics.class_attribute_similarity(
        rng.random((c, 5))
    )


def test_every_published_grounding_case_is_tested(golden):
    assert sorted(golden("structural_grounding").cases) == sorted(GROUNDING_CASES)


@pytest.mark.parametrize("name", ["binary5_30classes", "duplicate_classes"])
def test_structural_grounding_agrees_with_the_published_code(golden, name):
    case = golden("structural_grounding")[name]
    for top, expected in zip(case["xs"], case["result"], strict=True):
        np.testing.assert_allclose(
            metrics.structural_grounding(case["weight"], case["gt_sim"], int(top)),
            expected,
            rtol=2e-6,
        )


def test_ties_in_the_truth_are_broken_by_the_classes_numbers(golden):
    case = golden("structural_grounding")["gt_ties"]
    truth, kept = case["gt_sim"], case["cross_class_sim"]
    pairs = itertools.combinations(range(len(truth)), 2)
    chosen = sorted(pairs, key=lambda pair: (-truth[pair], pair))[:25]
    expected = sum(kept[pair] for pair in chosen) / sum(truth[pair] for pair in chosen)
    got = metrics.structural_grounding(case["weight"], truth)
    np.testing.assert_allclose(got, expected, rtol=2e-6)
    # The published choice among the ties is another one, within what ties allow.
    tied = np.sort(kept[truth == truth.max()])
    assert tied[:50].sum() <= case["result"][0] * 50 * truth.max() <= tied[-50:].sum()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), pairs=st.integers(1, 28))
def test_entries_are_pairs_counted_twice(seed, pairs):
    weights, truth = random_problem(seed)
    rows = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    order = sorted(
        itertools.combinations(range(8), 2), key=lambda pair: (-truth[pair], pair)
    )[:pairs]
    expected = sum(rows[i] @ rows[j] for i, j in order) / sum(truth[p] for p in order)
    got = metrics.structural_grounding(weights, truth, top=2 * pairs)
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_weights_that_mirror_the_truth_are_fully_grounded():
    attributes = np.random.default_rng(0).random((9, 4))
    truth = metrics.class_attribute_similarity(attributes)
    assert metrics.structural_grounding(attributes, truth) == pytest.approx(1.0)


def test_few_classes_use_the_entries_there_are():
    weights, truth = random_problem(1, c=3)
    assert metrics.structural_grounding(
        weights, truth, top=50
    ) == metrics.structural_grounding(weights, truth, top=6)


def test_a_class_without_weights_is_alike_to_none_where_published_is_nan():
    weights, truth = random_problem(2)
    weights[3] = 0.0
    got = metrics.structural_grounding(weights, truth, top=56)
    rows = np.delete(weights, 3, axis=0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    expected = ((rows @ rows.T).sum() - 7) / truth.sum()
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_attribute_similarity_is_the_cosine_with_zero_diagonal():
    attributes = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    expected = np.zeros((3, 3))
    expected[0, 1] = expected[1, 0] = np.sqrt(0.5)
    np.testing.assert_allclose(
        metrics.class_attribute_similarity(attributes), expected, atol=1e-15
    )


def test_structural_grounding_refuses_bad_input_by_name():
    weights, truth = random_problem(3)
    with pytest.raises(ValueError, match=r"class_similarity must be \[C,C\]"):
        metrics.structural_grounding(weights, truth[:, :-1])
    with pytest.raises(ValueError, match="class_similarity must be symmetric"):
        metrics.structural_grounding(weights, truth + np.triu(np.ones((8, 8))))
    with pytest.raises(ValueError, match="class_similarity must be positive"):
        metrics.structural_grounding(weights, np.zeros((8, 8)))
    with pytest.raises(ValueError, match="class_similarity must be positive"):
        metrics.structural_grounding(weights[:1], np.zeros((1, 1)))
    with pytest.raises(ValueError, match="top must be"):
        metrics.structural_grounding(weights, truth, top=0)
    with pytest.raises(ValueError, match="attributes must be"):
        metrics.class_attribute_similarity(np.zeros(4))
