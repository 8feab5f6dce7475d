"""Contrastiveness: is a feature clearly on or off, rather than somewhere between?"""

from collections.abc import Callable

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float

from qpm_jax.metrics.gaussian_mixture import Mixture, fit_mixtures
from qpm_jax.statistics import inputs


def contrastiveness(
    features: Float[ArrayLike, "N F"],
    seed: int = 0,
    before_group: Callable[[], None] = lambda: None,
) -> float:
    """Returns 1 − the mean overlap of the two modes of each feature.

    Per feature, a mixture of two normal distributions is fitted and the overlap
    coefficient of the two taken, whatever their weights (docs/formulas.md,
    Contrastiveness). The published fits are unseeded; over seeds the value varies by
    about 0.001.

    Args:
        features: training features, one row a sample.
        seed: of the starting points of the fits.
        before_group: called before every group of features, which takes about a second;
            it may raise.

    Returns:
        A value in [0, 1].

    Raises:
        ValueError: fewer than two samples, features that are not [N,F], or NaN.
    """
    return float(1.0 - feature_overlaps(features, seed, before_group).mean())


def feature_overlaps(
    features: Float[ArrayLike, "N F"],
    seed: int = 0,
    before_group: Callable[[], None] = lambda: None,
) -> Float[np.ndarray, " F"]:
    """Returns the overlap coefficient of each feature's two modes, in [0, 1].

    A constant feature (std ≤ 1e-6·max(1, |mean|)) has no two modes and overlap 1. The
    published fit puts an empty second component at 0 instead, which makes a dead
    feature look contrastive.

    Args:
        features: one row a sample.
        seed: of the starting points of the fits.
        before_group: as in `contrastiveness`.

    Raises:
        ValueError: fewer than two samples, features that are not [N,F], or NaN.
    """
    features = inputs.table("features", features, "NF")
    if len(features) < 2:
        raise ValueError(
            f"features must have at least 2 samples to fit two modes, got "
            f"{len(features)}"
        )
    mean = features.mean(axis=0, dtype=np.float64)
    std = features.std(axis=0, dtype=np.float64)
    varied = ~inputs.is_constant(mean, std)
    overlaps = np.ones(features.shape[1])
    if varied.any():
        mixture = fit_mixtures(features[:, varied], seed, before_group)
        overlaps[varied] = _overlap(mixture)
    return overlaps


def _overlap(mixture: Mixture) -> Float[np.ndarray, " F"]:
    """Returns the area under the smaller of two unweighted normal densities.

    The densities cross where a quadratic in x is 0: at one finite place for equal
    variances, at two otherwise (Inman and Bradley, 1989).
    """
    from scipy.special import erf

    mean = np.asarray(mixture.mean, np.float64)
    variance = np.asarray(mixture.variance, np.float64)
    # The narrower one first: the difference of the variances is then not negative.
    order = np.argsort(variance, axis=1)
    mean_a, mean_b = np.take_along_axis(mean, order, axis=1).T
    var_a, var_b = np.take_along_axis(variance, order, axis=1).T
    gap, spread = mean_b - mean_a, var_b - var_a

    def below(
        x: Float[np.ndarray, " F"],
        mean: Float[np.ndarray, " F"],
        variance: Float[np.ndarray, " F"],
    ) -> Float[np.ndarray, " F"]:
        return 0.5 * (1.0 + erf((x - mean) / np.sqrt(2.0 * variance)))

    equal = spread <= 1e-12 * var_b
    spread = np.where(equal, 1.0, spread)
    root = np.sqrt(var_a * var_b * (gap**2 + spread * np.log(var_b / var_a)))
    # Relative to mean_a, so that a far mean costs no digits.
    first, second = (-gap * var_a - root) / spread, (-gap * var_a + root) / spread
    difference = sum(
        np.abs(below(x, gap, var_b) - below(x, np.zeros_like(gap), var_a))
        for x in (first, second)
    )
    one_crossing = 1.0 - erf(np.abs(gap) / (2.0 * np.sqrt(2.0 * var_b)))
    return np.clip(np.where(equal, one_crossing, 1.0 - difference), 0.0, 1.0)
