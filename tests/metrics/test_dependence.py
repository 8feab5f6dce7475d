"""Dependence: the published value, the definition by loops, streams, bad input."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import metrics

UPDATE = jax.jit(metrics.dependence_update)


def problem(seed, n=20, f=6, c=3):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, f)).astype(np.float32)
    weights = rng.normal(size=(c, f)) * (rng.random((c, f)) < 0.6)
    return features, rng.normal(size=(n, c)), weights.astype(np.float32)


def by_loops(features, logits, weights):
    shares = []
    for values, scores in zip(features.astype(np.float64), logits, strict=True):
        contributions = np.abs(values * weights[scores.argmax()])
        if contributions.sum() > 0:
            shares.append(contributions.max() / contributions.sum())
    return np.mean(shares)


def test_dependence_agrees_with_the_published_code(golden):
    case = golden("class_independence_correlation")["signed"]
    got = metrics.dependence(case["features"], case["logits"], case["weight"])
    np.testing.assert_allclose(got, case["dependence"], rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_dependence_equals_its_definition_written_as_loops(seed):
    parts = problem(seed)
    np.testing.assert_allclose(metrics.dependence(*parts), by_loops(*parts), rtol=1e-5)


def test_one_feature_alone_is_1_and_k_equal_ones_are_one_over_k():
    logits = np.array([[1.0, 0.0], [1.0, 0.0]])
    weights = np.array([[1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0]])
    equal = np.array([[2.0, -2.0, 2.0, 2.0]] * 2)
    assert metrics.dependence(equal, logits, weights) == pytest.approx(1 / 4)
    assert metrics.dependence(equal, -logits, weights) == pytest.approx(1.0)


def test_a_sample_without_any_contribution_does_not_count():
    features = np.array([[0.0, 0.0], [3.0, 1.0]])
    weights = np.ones((1, 2))
    got = metrics.dependence(features, np.zeros((2, 1)), weights)
    assert got == pytest.approx(0.75)
    assert metrics.dependence(features[:1], np.zeros((1, 1)), weights) == 0.0


def test_the_scale_of_the_features_does_not_matter():
    features, logits, weights = problem(1)
    np.testing.assert_allclose(
        metrics.dependence(1e-30 * features, logits, weights),
        metrics.dependence(features, logits, weights),
        rtol=1e-5,
    )


def test_padded_batches_give_the_same_as_the_whole():
    features, logits, weights = problem(2)
    state = metrics.dependence_init()
    for start in range(0, 20, 8):
        rows = np.arange(start, start + 8)
        valid = rows < 20
        rows = np.minimum(rows, 19)
        padded = np.where(valid[:, None], features[rows], np.nan)
        state = UPDATE(state, padded, logits[rows], weights, valid)
    np.testing.assert_allclose(
        metrics.dependence_finish(state),
        metrics.dependence(features, logits, weights),
        rtol=1e-6,
    )


def test_dependence_refuses_bad_input_by_name():
    features, logits, weights = problem(3)
    with pytest.raises(ValueError, match=r"features must be \[N,F\]"):
        metrics.dependence(features[0], logits, weights)
    with pytest.raises(ValueError, match="logits must have the 20 samples"):
        metrics.dependence(features, logits[:3], weights)
    with pytest.raises(ValueError, match=r"weights must be \[C,F\] = \(3, 6\)"):
        metrics.dependence(features, logits, weights.T)
