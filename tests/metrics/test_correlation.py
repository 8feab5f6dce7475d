"""Correlation: published values, the definition by loops, streams."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import metrics

UPDATE = jax.jit(metrics.correlation_update)
FEATURE_CASES = [
    "signed",
    "class_absent",
    "single_active_sample",
    "anticorrelated_pair",
]


def features_of(seed, n=40, f=6):
    return np.random.default_rng(seed).gamma(1.0, 1.0, (n, f))


def streamed(features, batch=16):
    state = metrics.correlation_init(features.shape[1])
    for start in range(0, len(features), batch):
        rows = np.arange(start, start + batch)
        valid = rows < len(features)
        padded = features[np.minimum(rows, len(features) - 1)]
        padded = np.where(valid[:, None], padded, np.nan)
        state = UPDATE(state, padded, valid)
    return metrics.correlation_finish(state)


@pytest.mark.parametrize("name", FEATURE_CASES)
def test_correlation_agrees_with_the_published_code(golden, name):
    case = golden("class_independence_correlation")[name]
    got = metrics.correlation(case["features"])
    np.testing.assert_allclose(got, case["correlation"], atol=1e-6)
    np.testing.assert_allclose(
        streamed(case["features"]), case["correlation"], atol=2e-6
    )
    cosine = case["cosine_matrix"]
    best = np.where(np.eye(len(cosine), dtype=bool), 0.0, cosine).max(axis=0)
    np.testing.assert_allclose(got, np.maximum(best, 0).mean(), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_correlation_is_the_mean_of_the_best_cosines(seed):
    features = features_of(seed) - 0.5
    best = []
    for i, a in enumerate(features.T):
        cosines = [
            a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            for j, b in enumerate(features.T)
            if i != j
        ]
        best.append(max(0.0, *cosines))
    np.testing.assert_allclose(metrics.correlation(features), np.mean(best))
    np.testing.assert_allclose(streamed(features), np.mean(best), atol=1e-5)


def test_copies_correlate_fully_and_a_single_or_dead_feature_not_at_all():
    feature = features_of(1)[:, :1]
    copies = np.hstack([feature, 1e-3 * feature])
    dead = np.hstack([feature, np.zeros_like(feature)])
    for measure in (metrics.correlation, streamed):
        assert measure(copies) == pytest.approx(1)
        assert measure(feature) == 0.0
        assert measure(dead) == 0.0


def test_correlation_refuses_bad_input_by_name():
    with pytest.raises(ValueError, match=r"features must be \[N,F\]"):
        metrics.correlation(features_of(2)[0])
    with pytest.raises(ValueError, match="num_features must be"):
        metrics.correlation_init(0)
