"""R: published values and what holds for any A."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import statistics

R_CASES = ["f64_random", "f100_grouped", "f72_signed"]


def test_every_published_redundancy_case_is_tested(golden):
    published = golden("R_clique").cases
    # The other cases of the file are about thresholds only, or absent.
    assert set(R_CASES) <= set(published)
    assert sorted(published) == sorted(R_CASES)


@pytest.mark.parametrize("name", R_CASES)
def test_redundancy_agrees_with_the_published_code(golden, name):
    case = golden("R_clique")[name]
    got = statistics.feature_redundancy(case["A_norm"])
    upper = np.triu_indices(len(got), k=1)
    np.testing.assert_allclose(got[upper], case["R_triu_clipped"][upper], atol=3e-7)
    cosine = np.clip(case["R_cos"], 0.0, None)
    np.testing.assert_allclose(got[upper], cosine[upper], atol=3e-7)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_redundancy_is_symmetric_in_zero_to_one_with_zero_diagonal(seed):
    rng = np.random.default_rng(seed)
    got = statistics.feature_redundancy(rng.normal(size=(12, 5)))
    np.testing.assert_array_equal(got, got.T)
    np.testing.assert_array_equal(np.diag(got), 0.0)
    assert got.min() >= 0.0
    assert got.max() <= 1.0


def test_equal_profiles_have_one_opposite_and_empty_ones_zero():
    profiles = np.array([[1.0, 0.5], [2.0, 1.0], [-1.0, -0.5], [0.0, 0.0]])
    expected = np.zeros((4, 4))
    expected[0, 1] = expected[1, 0] = 1.0
    np.testing.assert_allclose(
        statistics.feature_redundancy(profiles), expected, atol=1e-15
    )


def test_redundancy_refuses_bad_input_by_name():
    with pytest.raises(ValueError, match=r"similarity must be \[F,C\]"):
        statistics.feature_redundancy(np.zeros(3))
    with pytest.raises(ValueError, match="similarity holds NaN"):
        statistics.feature_redundancy(np.full((2, 2), np.nan))
