"""Thresholds of features, and what is above them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from qpm_jax.regression.binarize import binarized, fit_thresholds


def test_the_median_parts_a_feature_in_halves():
    features = np.array([[1.0], [2.0], [3.0], [7.0]])
    assert fit_thresholds(features, "median") == [2.5]
    assert binarized(features, np.array([2.5])).tolist() == [[0], [0], [1], [1]]


@given(
    features=arrays.arrays(
        np.float64,
        st.tuples(st.integers(1, 9), st.just(3)),
        elements=st.sampled_from([0.0, 1.0]),
    )
)
def test_features_of_0_and_1_stay_what_they_are(features):
    constant = np.ptp(features, axis=0) == 0
    found = binarized(features, fit_thresholds(features, "median"))
    np.testing.assert_array_equal(found[:, ~constant], features[:, ~constant])


@given(
    features=arrays.arrays(
        np.float64,
        st.tuples(st.integers(1, 9), st.just(2)),
        elements=st.integers(-3, 3),
    )
)
def test_no_feature_that_varies_is_lost(features):
    found = binarized(features, fit_thresholds(features, "median"))
    assert (np.ptp(found, axis=0) == (np.ptp(features, axis=0) > 0)).all()


def test_a_number_is_every_feature_s_threshold():
    assert fit_thresholds(np.zeros((2, 3)), 0.5).tolist() == [0.5] * 3


def test_without_threshold_features_are_whole():
    assert fit_thresholds(np.zeros((2, 3)), None) is None
    assert binarized(np.array([[2.0, 0.0]]), None).tolist() == [[2, 0]]
    with pytest.raises(ValueError, match=r"threshold is None, but X holds 0\.5"):
        binarized(np.array([[0.5]]), None)


@pytest.mark.parametrize("threshold", ["mean", True, np.nan])
def test_other_thresholds_are_refused(threshold):
    with pytest.raises(ValueError, match="give a number, 'median'"):
        fit_thresholds(np.zeros((2, 3)), threshold)
