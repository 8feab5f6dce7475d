"""Class-independence: published values, the definition by loops, streams."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import metrics

UPDATE = jax.jit(metrics.class_activation_update)
FEATURE_CASES = [
    "signed",
    "class_absent",
    "single_active_sample",
    "anticorrelated_pair",
]


def data(seed, n=40, f=6, c=4):
    rng = np.random.default_rng(seed)
    return rng.gamma(1.0, 1.0, (n, f)), rng.integers(0, c, n)


def streamed(features, labels, num_classes, batch=16):
    """The metric over batches of one size; what fills the last one is not valid."""
    state = metrics.class_activation_init(num_classes, features.shape[1])
    for start in range(0, len(features), batch):
        rows = np.arange(start, start + batch)
        valid = rows < len(features)
        rows = np.minimum(rows, len(features) - 1)
        padded = np.where(valid[:, None], features[rows], np.nan)
        state = UPDATE(state, padded, labels[rows], valid)
    return state


def test_every_published_feature_case_is_tested(golden):
    published = golden("class_independence_correlation").cases
    assert sorted(published) == sorted(FEATURE_CASES)


@pytest.mark.parametrize("name", FEATURE_CASES)
def test_class_independence_agrees_with_the_published_code(golden, name):
    case = golden("class_independence_correlation")[name]
    features, labels = case["features"], case["labels"]
    num_classes = int(case["n_classes"])
    for got in (
        metrics.class_independence(features, labels, num_classes),
        metrics.class_independence_finish(streamed(features, labels, num_classes)),
    ):
        np.testing.assert_allclose(got, case["class_independence"], atol=3e-7)


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
    state = streamed(detectors, labels, 4)
    assert metrics.class_independence_finish(state) == pytest.approx(0.0)


@pytest.mark.parametrize("value", [0.0, 0.3, -7.7, 1e4])
def test_a_constant_feature_raises_class_independence_as_published(value):
    labels = np.repeat(np.arange(4), 5)
    constant = np.full((20, 2), value)
    assert metrics.class_independence(constant, labels, 4) == 1.0
    assert metrics.class_independence_finish(streamed(constant, labels, 4)) == 1.0


def test_many_batches_agree_with_the_whole_to_float32():
    rng = np.random.default_rng(3)
    features = (5 + rng.normal(size=(4096, 7))).astype(np.float32)
    labels = rng.integers(0, 10, 4096)
    np.testing.assert_allclose(
        metrics.class_independence_finish(streamed(features, labels, 10)),
        metrics.class_independence(features, labels, 10),
        atol=1e-6,
    )


def test_class_means_are_those_of_the_samples_and_nan_where_there_are_none():
    features, labels = data(4)
    means = metrics.class_means(streamed(features, labels, 5))
    np.testing.assert_allclose(means[2], features[labels == 2].mean(axis=0), rtol=1e-5)
    assert np.isnan(means[4]).all()


def test_no_sample_at_all_gives_one():
    assert metrics.class_independence_finish(metrics.class_activation_init(3, 2)) == 1.0


def test_class_independence_refuses_bad_input_by_name():
    features, labels = data(2)
    with pytest.raises(ValueError, match="features holds NaN"):
        metrics.class_independence(features * np.nan, labels, 4)
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.1"):
        metrics.class_independence(features, labels, 2)
    with pytest.raises(ValueError, match="num_classes must be"):
        metrics.class_activation_init(0, 2)
    with pytest.raises(ValueError, match="num_features must be"):
        metrics.class_activation_init(2, 0)
