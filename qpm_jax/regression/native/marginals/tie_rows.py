"""The scores that may lead an instance's rivals, and what it costs if they do not tie.

At the prices μ of the relaxation a model costs more than the bound by

    Σ (reduced costs of its weights) + Σ_i Σ_c μ_ic (r_i − y_ic)
    + Σ_i (β − σ_i) (r_i − y_li)⁺ + (σ_i − α) (y_li − r_i)⁺,   σ_i = Σ_c μ_ic,

with r_i the best rival's score and y_li the own class's, as long as the prices leave
nothing to gain from intercepts, that is, their bound does not bind. So all that is not
linear is about scores less r_i: a row for each score that may come to matter.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.regression.merged_data import MergedData
from qpm_jax.regression.native.block_building import best_rivals
from qpm_jax.regression.problem import RegressionProblem

# A price below this is none.
_PRICED = 1e-9
# Whole scores rounded to fractions may be this far above r_i.
_ROUNDING = 0.5


@dataclass(frozen=True, eq=False)
class TieRows:
    """Rows d_k = (score of a class) − r of K scores of G instances.

    Attributes:
        instances: int64 [K].
        classes: int64 [K].
        groups: int64 [K], ascending from 0 to G − 1, numbers of instances with rows.
        below: float64 [K], what a unit of d below 0 costs.
        above: float64 [K], what a unit above 0 costs.
        top: float64 [K], d is at most this; inf for own classes.
    """

    instances: Int[np.ndarray, " K"]
    classes: Int[np.ndarray, " K"]
    groups: Int[np.ndarray, " K"]
    below: Float[np.ndarray, " K"]
    above: Float[np.ndarray, " K"]
    top: Float[np.ndarray, " K"]


def tie_rows(
    problem: RegressionProblem,
    data: MergedData,
    flows: Float[np.ndarray, "n C"],
    scores: Float[np.ndarray, "n C"],
    near: float,
) -> TieRows:
    """The rows of instances with several rivals, or an own class, that may lead.

    Args:
        problem: the problem.
        data: its merged data.
        flows: μ, from `price_bound`.
        scores: of the relaxation.
        near: scores this far from the best rival's have a row; priced ones always.
    """
    own = np.arange(len(scores)), data.labels
    best = best_rivals(data, scores)
    rowed = (flows > _PRICED) | (scores > best[:, None] - near)
    rowed[own] = np.abs(scores[own] - best) < near
    rowed &= (rowed.sum(axis=1) > 1)[:, None]
    instances, classes = np.nonzero(rowed)
    total, counts = flows.sum(axis=1)[instances], data.counts[instances]
    is_own = classes == data.labels[instances]
    return TieRows(
        instances=instances,
        classes=classes,
        groups=np.unique(instances, return_inverse=True)[1],
        below=counts
        * np.where(is_own, problem.beta - total, flows[instances, classes]),
        above=counts * np.where(is_own, total - problem.alpha, 0.0),
        top=np.where(is_own, np.inf, _ROUNDING),
    )
