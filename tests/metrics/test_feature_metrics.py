"""Accuracy, class-independence and correlation: published values and definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import metrics

FEATURE_CASES = [
    "signed",
    "class_absent",
    "single_active_sample",
    "anticorrelated_pair",
]


def data(seed, n=40, f=6, c=4):
    rng = np.random.default_rng(seed)
    return rng.gamma(1.0, 1.0, (n, f)), rng.integers(0, c, n)


def test_every_published_feature_case_is_tested(golden):
    published = golden("class_independence_correlation").cases
    assert sorted(published) == sorted(FEATURE_CASES)


@pytest.mark.parametrize("name", FEATURE_CASES)
def test_class_independence_agrees_with_the_published_code(golden, name):
    case = golden("class_independence_correlation")[name]
    got = metrics.class_independence(
        case["features"], case["labels"], int(case["n_classes"])
    )
    np.testing.assert_allclose(got, case["class_independence"], atol=3e-7)


@pytest.mark.parametrize("name", FEATURE_CASES)
def test_correlation_agrees_with_the_published_code(golden, name):
    case = golden("class_independence_correlation")[name]
    got = metrics.correlation(case["features"])
    np.testing.assert_allclose(got, case["correlation"], atol=1e-6)
    cosine = case["cosine_matrix"]
    best = np.where(np.eye(len(cosine), dtype=bool), 0.0, cosine).max(axis=0)
    np.testing.assert_allclose(got, np.maximum(best, 0).mean(), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_class_independence_equals_its_definition_written_as_loops(seed):
    features, labels = data(seed)
    worst = []
    for feature in features.T:
        active = feature - feature.min()
        worst.append(max(active[labels == c].sum() for c in range(5)) / active.sum())
    np.testing.assert_allclose(
        metrics.class_independence(features, labels, 5), 1 - np.mean(worst), atol=1e-12
    )


def test_a_detector_of_one_class_is_fully_dependent_on_it():
    labels = np.repeat(np.arange(4), 5)
    detectors = (labels[:, None] == np.arange(4)).astype(float)
    assert metrics.class_independence(detectors, labels, 4) == pytest.approx(0.0)


def test_a_constant_feature_raises_class_independence_as_published():
    labels = np.repeat(np.arange(4), 5)
    assert metrics.class_independence(np.full((20, 2), 0.3), labels, 4) == 1.0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_correlation_is_the_mean_of_the_best_cosines(seed):
    features, _ = data(seed)
    features -= 0.5
    best = []
    for i, a in enumerate(features.T):
        cosines = [
            a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            for j, b in enumerate(features.T)
            if i != j
        ]
        best.append(max(0.0, *cosines))
    np.testing.assert_allclose(metrics.correlation(features), np.mean(best))


def test_copies_correlate_fully_and_a_single_or_dead_feature_not_at_all():
    feature = data(1)[0][:, :1]
    assert metrics.correlation(np.hstack([feature, 1e-3 * feature])) == pytest.approx(1)
    assert metrics.correlation(feature) == 0.0
    assert metrics.correlation(np.hstack([feature, np.zeros_like(feature)])) == 0.0


def test_accuracy_is_the_share_of_right_predictions():
    logits = np.array([[2.0, 1.0], [0.0, 3.0], [5.0, 5.0], [1.0, 0.0]])
    assert metrics.accuracy(logits, np.array([0, 1, 1, 1])) == 0.5


def test_feature_metrics_refuse_bad_input_by_name():
    features, labels = data(2)
    with pytest.raises(ValueError, match=r"features must be \[N,F\]"):
        metrics.correlation(features[0])
    with pytest.raises(ValueError, match="features holds NaN"):
        metrics.class_independence(features * np.nan, labels, 4)
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.1"):
        metrics.class_independence(features, labels, 2)
    with pytest.raises(ValueError, match="labels must be one a sample"):
        metrics.accuracy(features, labels[:3])
    with pytest.raises(ValueError, match="logits must be"):
        metrics.accuracy(np.zeros((0, 3)), np.zeros(0, int))
