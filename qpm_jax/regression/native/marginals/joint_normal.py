"""The joint normal distribution of weights, rows and intercepts, given their sites.

The rivals' best scores r_i have no prior and are integrated out: a group of rows of
precisions τ sees its scores less their τ-weighted mean, a projection of √τ-scaled rows.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import get_lapack_funcs

from qpm_jax.regression.native.marginals.beliefs import Known, Layout, Sites
from qpm_jax.regression.native.marginals.tie_rows import TieRows

# Rows whose group varies less than this, in units of the row's site, are left out.
_INACTIVE = 3e-3
_TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Joint:
    """Means and variances.

    Attributes:
        mean: float64 [J], of open weights.
        variance: float64 [J].
        row_mean: float64 [K].
        row_variance: float64 [K].
        intercepts: float64 [C], means.
    """

    mean: Float[np.ndarray, " J"]
    variance: Float[np.ndarray, " J"]
    row_mean: Float[np.ndarray, " K"]
    row_variance: Float[np.ndarray, " K"]
    intercepts: Float[np.ndarray, " C"]


def joint_normal(
    rows: TieRows, plan: Layout, known: Known, sites: Sites
) -> Joint | None:
    """The distribution; None where its matrix is not positive definite in float64.

    Args:
        rows: rows.
        plan: `layout` of the open weights.
        known: what is not open.
        sites: sites of the same weights and rows.
    """
    free = 1 / sites.precision
    mean, count = sites.shift * free, len(sites.precision)
    scattered = plan.features * np.append(free, 0.0)[plan.weights][:, None, :]
    blocks = scattered @ plan.features.transpose(0, 2, 1) + known.spread[:, None, None]
    spread = plan.to_rows(np.einsum("crr->cr", blocks), len(rows.classes))
    prior = _scores(rows, plan, known.scores, np.append(mean, 0.0)[plan.weights])
    prior = prior + known.intercepts[rows.classes]
    active = _active(rows, sites, spread)
    solved = _solve(_placed(rows, plan, sites, active), blocks, prior[active])
    if solved is None:
        return None
    inner, pulls, certain = solved
    moved = (scattered.transpose(0, 2, 1) @ pulls[:, :, None])[:, :, 0]
    raised = known.spread * pulls.sum(axis=1)
    shrunk = np.einsum("crw,crw->cw", scattered, inner @ scattered)
    scores = _scores(rows, plan, prior, moved) + raised[rows.classes]
    row_mean, spare = _about_rival(rows, sites, scores)
    spread[active] = certain / sites.row_precision[active]
    return Joint(
        mean + plan.to_weights(moved, count),
        np.maximum(free - plan.to_weights(shrunk, count), _TINY),
        row_mean,
        np.maximum(spread + spare, _TINY),
        known.intercepts + raised,
    )


def _scores(
    rows: TieRows,
    plan: Layout,
    start: Float[np.ndarray, " K"],
    weights: Float[np.ndarray, "C W"],
) -> Float[np.ndarray, " K"]:
    """Each row's score after weights are added."""
    added = (plan.features @ weights[:, :, None])[:, :, 0]
    return start + plan.to_rows(added, len(rows.classes))


def _active(
    rows: TieRows, sites: Sites, spread: Float[np.ndarray, " K"]
) -> Int[np.ndarray, " A"]:
    """Rows that say something: their group varies, and their site counts."""
    widest = np.zeros(rows.groups[-1] + 1)
    np.maximum.at(widest, rows.groups, spread)
    return np.flatnonzero(sites.row_precision * widest[rows.groups] > _INACTIVE)


@dataclass(frozen=True, eq=False)
class _Active:
    """The active rows' sites, and where they are in the layout.

    Attributes:
        place: int64 [C, R], their numbers; A, one more than there are, for others.
        groups: int64 [A], of each row, ascending.
        root: float64 [A], √τ.
        unit: float64 [A], √τ over its norm in the group: what the projection P leaves
            out.
        shift: float64 [A].
    """

    place: Int[np.ndarray, "C R"]
    groups: Int[np.ndarray, " A"]
    root: Float[np.ndarray, " A"]
    unit: Float[np.ndarray, " A"]
    shift: Float[np.ndarray, " A"]

    def project(self, columns: Float[np.ndarray, "A x"]) -> Float[np.ndarray, "A x"]:
        """P times columns."""
        first = np.diff(self.groups, prepend=-1) > 0
        scaled = self.unit[:, None] * columns
        sums = np.add.reduceat(scaled, np.flatnonzero(first), axis=0)
        return columns - self.unit[:, None] * sums[np.cumsum(first) - 1]

    def from_classes(
        self, blocks: Float[np.ndarray, "C R R"]
    ) -> Float[np.ndarray, "A A"]:
        """The matrix of all rows from each class's."""
        whole = np.zeros((len(self.root) + 1, len(self.root) + 1))
        whole[self.place[:, :, None], self.place[:, None, :]] = blocks
        return whole[:-1, :-1]

    def to_classes(self, whole: Float[np.ndarray, "A A"]) -> Float[np.ndarray, "C R R"]:
        """Each class's part of the matrix of all rows, 0 for rows not active."""
        padded = np.pad(whole, (0, 1))
        return padded[self.place[:, :, None], self.place[:, None, :]]


def _placed(
    rows: TieRows, plan: Layout, sites: Sites, active: Int[np.ndarray, " A"]
) -> _Active:
    precision, groups = sites.row_precision[active], rows.groups[active]
    place = np.full(len(rows.classes) + 1, len(active))
    place[active] = np.arange(len(active))
    total = np.bincount(groups, precision, minlength=1)
    root = np.sqrt(precision)
    return _Active(
        place[plan.rows],
        groups,
        root,
        root / np.sqrt(total[groups]),
        sites.row_shift[active],
    )


def _solve(
    active: _Active,
    blocks: Float[np.ndarray, "C R R"],
    prior: Float[np.ndarray, " A"],
) -> (
    tuple[Float[np.ndarray, "C R R"], Float[np.ndarray, "C R"], Float[np.ndarray, " A"]]
    | None
):
    """What the active rows say of each class's scores.

    With B = 1 + P √τ S √τ P, S the scores' covariance by class, returns √τ P B⁻¹ P √τ,
    by which covariances shrink, and what each row pulls at its score, both by class;
    and the diagonal of 1 − B⁻¹. None where B is not positive definite.
    """
    root = active.root[:, None]
    scaled = root * active.from_classes(blocks) * active.root
    scaled = active.project(active.project(scaled).T)
    scaled[np.diag_indices(len(scaled))] += 1
    inverse = _inverse(scaled)
    if inverse is None:
        return None
    asked = active.project((active.shift / active.root - active.root * prior)[:, None])
    pulls = np.append(root * active.project(inverse @ asked), 0.0)[active.place]
    inner = inverse * root * active.root
    inner[np.diag_indices(len(inner))] -= (active.root * active.unit) ** 2
    return active.to_classes(inner), pulls, 1 - np.diag(inverse)


def _inverse(matrix: Float[np.ndarray, "A A"]) -> Float[np.ndarray, "A A"] | None:
    """Of a positive definite matrix; None where it is not."""
    if not len(matrix):
        return matrix
    factorise, invert = get_lapack_funcs(("potrf", "potri"), (matrix,))
    factor, failed = factorise(matrix, lower=1, clean=0)
    if failed:
        return None
    half, failed = invert(factor, lower=1, overwrite_c=1)
    half = np.tril(half)
    return None if failed else half + np.tril(half, -1).T


def _about_rival(
    rows: TieRows, sites: Sites, scores: Float[np.ndarray, " K"]
) -> tuple[Float[np.ndarray, " K"], Float[np.ndarray, " K"]]:
    """Mean scores less the mean of r, and the variance of r were the scores known."""
    total = np.bincount(rows.groups, sites.row_precision)
    middle = np.bincount(rows.groups, sites.row_precision * scores - sites.row_shift)
    return scores - (middle / total)[rows.groups], 1 / total[rows.groups]
