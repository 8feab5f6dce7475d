"""A and the features' moments: published values, float64, streams and odd data."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import statistics

UPDATE = jax.jit(statistics.similarity_update)
A_CASES = [
    "basic_relu",
    "constant_features",
    "highest_class_absent",
    "imbalanced_singleton_class",
]


def stream(features, labels, num_classes, batch=16):
    """A from batches padded to one size with rubbish that `valid` masks."""
    state = statistics.similarity_init(features.shape[1], num_classes)
    for start in range(0, len(features), batch):
        part, part_labels = features[start:][:batch], labels[start:][:batch]
        missing = batch - len(part)
        state = UPDATE(
            state,
            np.pad(part, ((0, missing), (0, 0)), constant_values=np.nan),
            np.pad(part_labels, (0, missing)),
            np.arange(batch) < len(part),
        )
    return state


def data(seed, n=75, f=6, c=5):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, c, n)
    features = rng.gamma(1.0, 1.0, (n, f)) + (labels[:, None] == np.arange(f))
    return features.astype(np.float32), labels


def pearson(features, labels, num_classes):
    indicator = labels[:, None] == np.arange(num_classes)
    return np.array(
        [
            [np.corrcoef(feature, column)[0, 1] for column in indicator.T]
            for feature in features.T.astype(np.float64)
        ]
    )


def test_every_published_similarity_case_is_tested(golden):
    assert sorted(golden("A_corr").cases) == sorted(A_CASES)


@pytest.mark.parametrize("name", sorted(set(A_CASES) - {"constant_features"}))
def test_similarity_agrees_with_the_published_code(golden, name):
    case = golden("A_corr")[name]
    num_classes = case["A_norm"].shape[1]
    features, labels = case["features"], case["labels"]
    whole = statistics.class_similarity(features, labels, num_classes)
    np.testing.assert_allclose(whole, case["A_norm"], atol=1.3e-6)
    streamed = statistics.similarity_finish(stream(features, labels, num_classes))
    np.testing.assert_allclose(streamed, case["A_norm"], atol=2e-6)


def test_constant_features_are_zero_where_the_published_matrix_is_all_nan(golden):
    case = golden("A_corr")["constant_features"]
    assert np.isnan(case["A_norm"]).all()
    expected = case["A_raw_dino"].copy()
    constant = np.ptp(case["features"], axis=0) == 0
    assert constant.any()
    expected[constant] = 0.0
    expected /= np.abs(expected).max()
    got = statistics.class_similarity(case["features"], case["labels"], 6)
    np.testing.assert_allclose(got, expected, atol=1.3e-6)
    np.testing.assert_array_equal(got[constant], 0.0)
    streamed = statistics.similarity_finish(
        stream(case["features"], case["labels"], 6, batch=50)
    )
    np.testing.assert_allclose(streamed, expected, atol=2e-6)
    np.testing.assert_array_equal(streamed[constant], 0.0)


@pytest.mark.parametrize("name", ["f64_random", "f100_grouped", "f72_signed"])
def test_similarity_behind_the_published_redundancy_agrees(golden, name):
    case = golden("R_clique")[name]
    num_classes = case["A_norm"].shape[1]
    got = statistics.class_similarity(case["features"], case["labels"], num_classes)
    np.testing.assert_allclose(got, case["A_norm"], atol=1.3e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_similarity_is_the_correlation_with_the_class_indicator(seed):
    features, labels = data(seed)
    expected = pearson(features, labels, 5)
    got = statistics.class_similarity(features, labels, 5)
    np.testing.assert_allclose(got, expected / np.abs(expected).max(), atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), batch=st.sampled_from([7, 16, 75, 128]))
def test_streaming_gives_the_same_similarity_as_the_whole(seed, batch):
    features, labels = data(seed)
    np.testing.assert_allclose(
        statistics.similarity_finish(stream(features, labels, 5, batch)),
        statistics.class_similarity(features, labels, 5),
        atol=1e-6,
    )


def test_classes_in_order_and_large_means_cost_no_digits():
    features, labels = data(3, n=4000)
    order = np.argsort(labels, kind="stable")
    features, labels = features[order] + np.float32(1000), labels[order]
    np.testing.assert_allclose(
        statistics.similarity_finish(stream(features, labels, 5)),
        statistics.class_similarity(features, labels, 5),
        atol=2e-6,
    )


def test_a_class_without_samples_has_similarity_zero():
    features, labels = data(4, c=3)
    got = statistics.class_similarity(features, labels, 5)
    np.testing.assert_array_equal(got[:, 3:], 0.0)
    np.testing.assert_allclose(
        got[:, :3], statistics.class_similarity(features, labels, 3)
    )
    np.testing.assert_array_equal(
        statistics.similarity_finish(stream(features, labels, 5))[:, 3:], 0.0
    )


def test_one_class_only_or_constant_features_only_give_zeros():
    features, labels = data(5)
    for got in (
        statistics.class_similarity(features, np.zeros_like(labels), 1),
        statistics.class_similarity(np.full_like(features, 0.1), labels, 5),
        statistics.similarity_finish(stream(np.full_like(features, 100.3), labels, 5)),
    ):
        np.testing.assert_array_equal(got, 0.0)


def test_a_batch_without_valid_samples_changes_nothing():
    features, labels = data(6)
    none = np.zeros(16, bool)
    rubbish = np.full((16, 6), np.inf, np.float32)
    empty = UPDATE(
        statistics.similarity_init(6, 5), rubbish, np.zeros(16, np.int32), none
    )
    assert int(empty.moments.count) == 0
    state = stream(features, labels, 5)
    again = UPDATE(state, rubbish, np.zeros(16, np.int32), none)
    np.testing.assert_array_equal(
        statistics.similarity_finish(again), statistics.similarity_finish(state)
    )


def test_moments_are_population_moments_streamed_or_whole():
    features, _ = data(7)
    mean, std = statistics.feature_moments(features)
    np.testing.assert_allclose(mean, features.astype(np.float64).mean(0), rtol=1e-12)
    np.testing.assert_allclose(std, features.astype(np.float64).std(0), rtol=1e-12)
    state = statistics.moments_init(6)
    for start in range(0, 75, 25):
        state = statistics.moments_update(state, features[start : start + 25])
    for got, expected in zip(
        statistics.moments_finish(state), (mean, std), strict=True
    ):
        assert got.dtype == np.float64
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_similarity_refuses_bad_input_by_name():
    features, labels = data(8)
    with pytest.raises(ValueError, match=r"features must be \[N,F\]"):
        statistics.class_similarity(features[0], labels, 5)
    with pytest.raises(ValueError, match="features must be"):
        statistics.class_similarity(features[:0], labels[:0], 5)
    with pytest.raises(ValueError, match="features holds NaN"):
        statistics.class_similarity(np.full_like(features, np.nan), labels, 5)
    with pytest.raises(ValueError, match="labels must be one a sample"):
        statistics.class_similarity(features, labels[:-1], 5)
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.3"):
        statistics.class_similarity(features, labels, 4)
    with pytest.raises(ValueError, match="labels must be whole"):
        statistics.class_similarity(features, labels + 0.5, 9)
    with pytest.raises(ValueError, match="num_classes must be"):
        statistics.class_similarity(features, labels, 0)
    with pytest.raises(ValueError, match="num_features must be"):
        statistics.similarity_init(0, 3)
    with pytest.raises(ValueError, match="no sample"):
        statistics.similarity_finish(statistics.similarity_init(2, 3))
