"""Contrastiveness: published overlaps, scikit-learn's fits, and odd features."""

import math
import statistics

import numpy as np
import pytest

from qpm_jax import metrics
from qpm_jax.metrics.contrastiveness import _overlap
from qpm_jax.metrics.gaussian_mixture import Mixture, fit_mixtures

MIXTURE_CASES = ["bimodal", "heavy_tails"]


def two_modes(gap, n=400, seed=0):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(0, 1, n // 2), rng.normal(gap, 1, n // 2)])


def test_every_published_mixture_case_is_tested(golden):
    assert sorted(golden("contrastiveness").cases) == sorted(MIXTURE_CASES)


@pytest.mark.parametrize("seed", [0, 1, 7])
@pytest.mark.parametrize("name", MIXTURE_CASES)
def test_overlaps_agree_with_the_published_code_for_any_seed(golden, name, seed):
    case = golden("contrastiveness")[name]
    overlaps = metrics.feature_overlaps(case["features"], seed)
    # Published values vary with their seed; each of ours is one of theirs.
    np.testing.assert_allclose(
        np.abs(overlaps - case["overlaps"]).min(axis=0), 0.0, atol=1e-4
    )
    np.testing.assert_allclose(overlaps, case["overlaps"].mean(axis=0), atol=5e-3)
    np.testing.assert_allclose(
        metrics.contrastiveness(case["features"], seed),
        case["contrastiveness"].mean(),
        atol=2e-3,
    )


@pytest.mark.parametrize("name", MIXTURE_CASES)
def test_the_overlap_of_published_components_agrees(golden, name):
    fitted = golden("contrastiveness")[name]["gmm_seed0_mu_sigma_weight_overlap_conv"]
    mixture = Mixture(
        weight=fitted[:, 4:6], mean=fitted[:, :2], variance=fitted[:, 2:4] ** 2
    )
    np.testing.assert_allclose(_overlap(mixture), fitted[:, 6], atol=1e-12)


def test_overlap_agrees_with_the_standard_library_for_any_two_normals():
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(200, 2)) * 10.0 ** rng.integers(-3, 3, (200, 1))
    sigma = rng.uniform(0.01, 3.0, (200, 2))
    sigma[:40, 1] = sigma[:40, 0]
    mean[40:60, 1] = mean[40:60, 0]
    got = _overlap(Mixture(weight=np.ones((200, 2)), mean=mean, variance=sigma**2))
    expected = [
        statistics.NormalDist(*a).overlap(statistics.NormalDist(*b))
        for a, b in zip(
            np.stack([mean[:, 0], sigma[:, 0]], 1).tolist(),
            np.stack([mean[:, 1], sigma[:, 1]], 1).tolist(),
            strict=True,
        )
    ]
    np.testing.assert_allclose(got, expected, atol=1e-9)


def test_fits_agree_with_scikit_learn():
    from sklearn.mixture import GaussianMixture

    rng = np.random.default_rng(1)
    features = np.stack(
        [
            two_modes(4.0),
            np.maximum(two_modes(2.0), 0.0),
            rng.gamma(0.5, 1.0, 400),
            1e3 + 10 * two_modes(6.0),
        ],
        axis=1,
    )
    mixture = fit_mixtures(features, seed=0)
    for index, feature in enumerate(features.T):
        theirs = GaussianMixture(2, random_state=0).fit(feature[:, None])
        np.testing.assert_allclose(
            np.sort(mixture.mean[index]),
            np.sort(theirs.means_[:, 0]),
            atol=0.02 * feature.std(),
        )
        np.testing.assert_allclose(
            np.sort(mixture.variance[index]),
            np.sort(theirs.covariances_[:, 0, 0]),
            rtol=0.05,
        )


def test_modes_farther_apart_are_more_contrastive():
    values = [metrics.contrastiveness(two_modes(gap)[:, None]) for gap in (0, 3, 9)]
    assert values == sorted(values)
    assert values[-1] > 0.99


def test_overlap_of_clear_modes_is_what_their_distance_says():
    overlap = metrics.feature_overlaps(two_modes(4.0, n=20_000)[:, None])[0]
    assert overlap == pytest.approx(1 - math.erf(4 / (2 * math.sqrt(2))), abs=0.01)


def test_the_same_seed_gives_the_same_value():
    features = np.random.default_rng(2).gamma(0.5, 1.0, (300, 5))
    assert metrics.contrastiveness(features, 3) == metrics.contrastiveness(features, 3)


def test_a_feature_is_judged_alone_whatever_else_is_there():
    features = np.stack([two_modes(5.0), np.full(400, 0.1), two_modes(2.0)], axis=1)
    overlaps = metrics.feature_overlaps(features)
    assert overlaps[1] == 1.0
    np.testing.assert_allclose(
        overlaps[0], metrics.feature_overlaps(features[:, :1])[0], atol=1e-3
    )


def test_features_are_fitted_in_groups_between_which_a_caller_may_end_it():
    features = np.random.default_rng(3).gamma(0.5, 1.0, (300, 5))
    groups = []
    value = metrics.contrastiveness(features, 3, lambda: groups.append(1))
    assert groups == [1]  # small ones are one
    assert value == metrics.contrastiveness(features, 3)
    with pytest.raises(ZeroDivisionError):
        metrics.contrastiveness(features, 3, lambda: 1 / 0)


def test_constant_features_alone_have_no_contrast():
    assert metrics.contrastiveness(np.full((10, 3), 7.7, np.float32)) == 0.0


def test_two_samples_and_two_values_are_enough():
    assert metrics.contrastiveness(np.array([[0.0], [1.0]])) > 0.99
    on_off = np.repeat([[0.0], [1.0]], [999, 1], axis=0)
    assert metrics.contrastiveness(on_off) > 0.99


def test_many_features_are_fitted_in_groups(monkeypatch):
    features = np.random.default_rng(3).normal(size=(50, 7))
    whole = fit_mixtures(features, seed=0)
    monkeypatch.setattr("qpm_jax.metrics.gaussian_mixture._GROUP_NUMBERS", 150)
    grouped = fit_mixtures(features, seed=0)
    assert grouped.mean.shape == whole.mean.shape == (7, 2)
    assert np.isfinite(grouped.variance).all()


def test_contrastiveness_refuses_bad_input_by_name():
    with pytest.raises(ValueError, match="at least 2 samples"):
        metrics.contrastiveness(np.zeros((1, 3)))
    with pytest.raises(ValueError, match="features holds NaN"):
        metrics.contrastiveness(np.full((5, 3), np.inf))
    with pytest.raises(ValueError, match=r"features must be \[N,F\]"):
        metrics.contrastiveness(np.zeros((5, 0)))
