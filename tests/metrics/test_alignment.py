"""Alignment: exact small cases, the definition by loops, streams, bad input."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import metrics

UPDATE = jax.jit(metrics.alignment_update)


def problem(seed, n=30, f=4, a=5):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, f)), rng.integers(-1, 2, (n, a))


def lifts_by_loops(features, attributes):
    lifts = np.full((features.shape[1], attributes.shape[1]), np.nan)
    for f, feature in enumerate(features.T):
        for a, attribute in enumerate(attributes.T):
            if (attribute == 1).any() and (attribute == 0).any():
                gap = feature[attribute == 1].mean() - feature[attribute == 0].mean()
                lifts[f, a] = gap / (feature - feature.min()).mean()
    return lifts


def test_the_lift_is_the_gap_in_units_of_the_mean_activation():
    features = np.array([[4.0], [4.0], [1.0], [3.0]])
    attributes = np.array([[1, 0], [1, 0], [0, 1], [0, 1]])
    # Above the lowest: 3, 3, 0, 2, mean 2; present 4, absent 2.
    np.testing.assert_allclose(
        metrics.attribute_lifts(features, attributes), [[1.0, -1.0]]
    )
    assert metrics.alignment(features, attributes) == pytest.approx(1.0)


def test_images_in_which_nobody_can_tell_count_for_neither_side():
    features = np.array([[4.0], [0.0], [100.0]])
    attributes = np.array([[1], [0], [-1]])
    # The unknown image counts in the mean activation only.
    got = metrics.attribute_lifts(features, attributes)
    np.testing.assert_allclose(got, [[4 / (104 / 3)]], rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_lifts_equal_their_definition_written_as_loops(seed):
    features, attributes = problem(seed)
    expected = lifts_by_loops(features, attributes)
    got = metrics.attribute_lifts(features, attributes)
    np.testing.assert_allclose(got, expected, atol=1e-5)
    np.testing.assert_allclose(
        metrics.alignment(features, attributes),
        np.nanmax(expected, axis=1).mean(),
        atol=1e-5,
    )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_neither_scale_nor_shift_of_a_feature_matters(seed):
    features, attributes = problem(seed)
    np.testing.assert_allclose(
        metrics.alignment(7 * features + 3, attributes),
        metrics.alignment(features, attributes),
        atol=1e-4,
    )


def test_padded_batches_give_the_same_as_the_whole():
    features, attributes = problem(1)
    state = metrics.alignment_init(4, 5)
    for start in range(0, 30, 8):
        rows = np.arange(start, start + 8)
        valid = rows < 30
        rows = np.minimum(rows, 29)
        padded = np.where(valid[:, None], features[rows], np.nan)
        state = UPDATE(state, padded, attributes[rows], valid)
    np.testing.assert_allclose(
        metrics.alignment_finish(state),
        metrics.attribute_lifts(features, attributes),
        atol=1e-5,
    )


def test_a_constant_feature_and_attributes_without_both_sides_lift_nothing():
    features = np.array([[2.0, 1.0], [2.0, 0.0]])
    attributes = np.array([[1, 1], [0, 1]])
    lifts = metrics.attribute_lifts(features, attributes)
    assert lifts[0, 0] == 0.0
    assert np.isnan(lifts[:, 1]).all()
    assert metrics.alignment(features, attributes[:, 1:]) == 0.0


def test_alignment_refuses_bad_input_by_name():
    features, attributes = problem(2)
    with pytest.raises(ValueError, match=r"attributes must be \[N,A\] with the 30"):
        metrics.alignment(features, attributes[:5])
    with pytest.raises(ValueError, match="attributes must be 1"):
        metrics.alignment(features, 0.5 * attributes)
    with pytest.raises(ValueError, match="num_attributes must be"):
        metrics.alignment_init(3, 0)
