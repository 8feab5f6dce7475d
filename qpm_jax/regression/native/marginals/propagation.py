"""Marginals of all good models at once: expectation propagation.

Models of cost E are weighted by e^(−s E), with s the sharpness. What is not normal in
that, the weights' whole values and the kinks of `tie_rows`, is replaced by normal sites
that give each weight and each row the mean and variance that it has when it alone is
exact (Minka 2001). The joint normal distribution keeps what weights have to do with one
another through the rows, so the marginals say which values the rest can adapt to.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from qpm_jax.regression.native.marginals.beliefs import (
    Known,
    Layout,
    OpenWeights,
    Sites,
)
from qpm_jax.regression.native.marginals.joint_normal import joint_normal
from qpm_jax.regression.native.marginals.kinked_normal import kinked_moments
from qpm_jax.regression.native.marginals.tie_rows import TieRows

_DAMPING = 0.3
_LEAST_VARIANCE = 1e-4  # of a weight
_PRECISIONS = 1e-2, 1e5  # of a weight's site
_ROW_PRECISIONS = 1e-6, 1e4
_FIRST_ROW_PRECISION = 0.1
_FLAT = 1e-6  # the least precision of a cavity
_DIVERGED = 2.0**53  # an intercept that could not be a whole number any more


@dataclass(frozen=True, eq=False)
class Marginals:
    """What a sweep believes.

    Attributes:
        chances: float64 [J, v], of each value of each open weight.
        intercepts: float64 [C], means.
    """

    chances: Float[np.ndarray, "J v"]
    intercepts: Float[np.ndarray, " C"]


def first_sites(rows: TieRows, opened: OpenWeights) -> Sites:
    """Sites that know each weight's own cost and nearly nothing of the rows."""
    chances = _chances(-opened.penalties)
    mean, variance = _moments(chances, opened.values)
    even = np.full(len(rows.classes), _FIRST_ROW_PRECISION)
    return Sites(1 / variance, mean / variance, even, np.zeros_like(even))


# Numbers that diverge are told by None, so they need no warning.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def sweep(
    rows: TieRows,
    opened: OpenWeights,
    plan: Layout,
    known: Known,
    sites: Sites,
    sharpness: float,
) -> tuple[Sites, Marginals] | None:
    """All sites anew, from the same joint distribution, and moved part of the way.

    Args:
        rows: rows.
        opened: open weights, at least one.
        plan: `layout` of both.
        known: what is not open.
        sites: sites so far.
        sharpness: s.

    Returns:
        The next sites, and what was believed; None where numbers failed.
    """
    joint = joint_normal(rows, plan, known, sites)
    if joint is None:
        return None
    row = _cavity(
        joint.row_mean, joint.row_variance, sites.row_precision, sites.row_shift
    )
    mean, variance = kinked_moments(
        row[0], row[1], sharpness * rows.below, sharpness * rows.above, rows.top
    )
    next_row = _site(row, mean, variance, _ROW_PRECISIONS)
    weight = _cavity(joint.mean, joint.variance, sites.precision, sites.shift)
    away = opened.values - weight[0][:, None]
    chances = _chances(-opened.penalties - 0.5 * away**2 / weight[1][:, None])
    next_weight = _site(weight, *_moments(chances, opened.values), _PRECISIONS)
    found = Sites(*next_weight, *next_row)
    finite = all(np.isfinite(part).all() for part in vars(found).values())
    if not (finite and (np.abs(joint.intercepts) < _DIVERGED).all()):
        return None
    return _damped(sites, found), Marginals(chances, joint.intercepts)


def _cavity(
    mean: Float[np.ndarray, " x"],
    variance: Float[np.ndarray, " x"],
    precision: Float[np.ndarray, " x"],
    shift: Float[np.ndarray, " x"],
) -> tuple[Float[np.ndarray, " x"], Float[np.ndarray, " x"]]:
    """Mean and variance without the own site."""
    rest = np.maximum(1 / variance - precision, _FLAT)
    return (mean / variance - shift) / rest, 1 / rest


def _site(
    cavity: tuple[Float[np.ndarray, " x"], Float[np.ndarray, " x"]],
    mean: Float[np.ndarray, " x"],
    variance: Float[np.ndarray, " x"],
    limits: tuple[float, float],
) -> tuple[Float[np.ndarray, " x"], Float[np.ndarray, " x"]]:
    """The site that gives the cavity this mean, and this variance within limits."""
    rest = 1 / cavity[1]
    precision = np.clip(1 / variance - rest, *limits)
    return precision, mean * (precision + rest) - rest * cavity[0]


def _damped(old: Sites, new: Sites) -> Sites:
    """Part of the way, as sites that all move at once overshoot."""
    mixed = {
        name: (1 - _DAMPING) * part + _DAMPING * vars(new)[name]
        for name, part in vars(old).items()
    }
    return Sites(**mixed)


def _chances(logs: Float[np.ndarray, "J v"]) -> Float[np.ndarray, "J v"]:
    chances = np.exp(logs - logs.max(axis=1, keepdims=True))
    return chances / chances.sum(axis=1, keepdims=True)


def _moments(
    chances: Float[np.ndarray, "J v"], values: Float[np.ndarray, " v"]
) -> tuple[Float[np.ndarray, " J"], Float[np.ndarray, " J"]]:
    mean = chances @ values
    return mean, np.maximum(chances @ values**2 - mean**2, _LEAST_VARIANCE)
