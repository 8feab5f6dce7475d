"""Moments of a normal variable that pays for what is above or below 0."""

import numpy as np
from jaxtyping import Float
from scipy.special import log_ndtr

_LOG_NORM = 0.5 * np.log(2 * np.pi)
# A density at an end, in units of the mass inside, is at most e to this.
_DENSEST = 50.0
_LEAST = 1e-6  # of a piece's variance, as a share of the normal variable's
_SMALLEST = 1e-9  # of all
# Deviations beyond an end from which on the tail is taken for exponential: what its
# moments are made of would cancel.
_FAR = 200.0


def kinked_moments(
    mean: Float[np.ndarray, " K"],
    variance: Float[np.ndarray, " K"],
    below: Float[np.ndarray, " K"],
    above: Float[np.ndarray, " K"],
    top: Float[np.ndarray, " K"],
) -> tuple[Float[np.ndarray, " K"], Float[np.ndarray, " K"]]:
    """Mean and variance of d with density ∝ N(d; m, v) e^(−below (−d)⁺ − above d⁺).

    Args:
        mean: m.
        variance: v, positive.
        below: not negative.
        above: not negative.
        top: d is at most this; positive, may be inf.
    """
    zero, never = np.zeros_like(mean), np.full_like(mean, np.inf)
    low, high = np.stack([-never, zero]), np.stack([zero, top])
    logs, means, variances = _pieces(
        mean, variance, np.stack([below, -above]), low, high
    )
    shares = np.exp(logs - logs.max(axis=0))
    shares /= shares.sum(axis=0)
    middle = (shares * means).sum(axis=0)
    square = (shares * (variances + means**2)).sum(axis=0)
    return middle, np.maximum(square - middle**2, _SMALLEST)


def _pieces(
    mean: Float[np.ndarray, " K"],
    variance: Float[np.ndarray, " K"],
    slope: Float[np.ndarray, "2 K"],
    low: Float[np.ndarray, "2 K"],
    high: Float[np.ndarray, "2 K"],
) -> tuple[
    Float[np.ndarray, "2 K"], Float[np.ndarray, "2 K"], Float[np.ndarray, "2 K"]
]:
    """Log mass, mean and variance of N(d; m, v) e^(slope d) on [low, high]."""
    deviation = np.sqrt(variance)
    moved = mean + slope * variance
    ends = (low - moved) / deviation, (high - moved) / deviation
    inside = _log_mass(*ends)
    densities = [
        np.exp(np.minimum(-0.5 * end**2 - _LOG_NORM - inside, _DENSEST)) for end in ends
    ]
    drift = densities[0] - densities[1]
    first, last = (np.where(np.isfinite(end), end, 0.0) for end in ends)
    shrunk = 1 + first * densities[0] - last * densities[1] - drift**2
    centre, spread = moved + deviation * drift, variance * np.maximum(shrunk, _LEAST)
    outside = np.maximum(ends[0], -ends[1])
    tail = deviation / np.maximum(outside, 1.0)
    edge = np.where(ends[0] > 0, low + tail, high - tail)
    far = outside > _FAR
    return (
        slope * mean + 0.5 * slope**2 * variance + inside,
        np.clip(np.where(far, edge, centre), low, high),
        np.minimum(np.where(far, tail**2, spread), (high - low) ** 2 / 4),
    )


def _log_mass(
    low: Float[np.ndarray, "2 K"], high: Float[np.ndarray, "2 K"]
) -> Float[np.ndarray, "2 K"]:
    """log(Φ(high) − Φ(low)), exact in both tails."""
    upper = low > 0
    near = log_ndtr(np.where(upper, -low, high))
    far = log_ndtr(np.where(upper, -high, low))
    return near + np.log1p(-np.exp(np.minimum(far - near, -1e-12)))
