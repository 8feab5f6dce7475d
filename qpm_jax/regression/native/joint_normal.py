"""The joint normal distribution of weights, rows and intercepts, given their sites.

The rivals' best scores r_i have no prior and are integrated out: a group of rows of
precisions τ sees its scores less their τ-weighted mean, a projection of √τ-scaled rows.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import get_lapack_funcs

from qpm_jax.regression.native.tie_rows import TieRows

# Rows whose group varies less than this, in units of the row's site, are left out.
_INACTIVE = 3e-3
_TINY = 1e-9


@dataclass(frozen=True, eq=False)
class OpenWeights:
    """Weights that have no value yet.

    Attributes:
        classes: int64 [J].
        features: int64 [J].
        values: float64 [v], what a weight may be.
        penalties: float64 [J, v], s times the reduced cost of each value; inf where it
            is not allowed.
    """

    classes: Int[np.ndarray, " J"]
    features: Int[np.ndarray, " J"]
    values: Float[np.ndarray, " v"]
    penalties: Float[np.ndarray, "J v"]

    def only(self, kept: Bool[np.ndarray, " J"]) -> "OpenWeights":
        """Some of them."""
        return replace(
            self,
            classes=self.classes[kept],
            features=self.features[kept],
            penalties=self.penalties[kept],
        )


@dataclass(frozen=True, eq=False)
class Known:
    """What is not open.

    Attributes:
        scores: float64 [K], each row's score of the weights that have a value.
        intercepts: float64 [C], means.
        spread: float64 [C], variances of the intercepts; next to 0 for those held.
    """

    scores: Float[np.ndarray, " K"]
    intercepts: Float[np.ndarray, " C"]
    spread: Float[np.ndarray, " C"]


@dataclass(frozen=True, eq=False)
class Sites:
    """Normal stand-ins e^(−precision x² / 2 + shift x) for weights and for rows."""

    precision: Float[np.ndarray, " J"]
    shift: Float[np.ndarray, " J"]
    row_precision: Float[np.ndarray, " K"]
    row_shift: Float[np.ndarray, " K"]

    def only(self, kept: Bool[np.ndarray, " J"]) -> "Sites":
        """Those of some weights, and of all rows."""
        return replace(self, precision=self.precision[kept], shift=self.shift[kept])


@dataclass(frozen=True, eq=False)
class Layout:
    """Rows and open weights by class, padded with K and J.

    Attributes:
        rows: int64 [C, R].
        weights: int64 [C, W].
        features: float64 [C, R, W], 0 in the padding.
    """

    rows: Int[np.ndarray, "C R"]
    weights: Int[np.ndarray, "C W"]
    features: Float[np.ndarray, "C R W"]

    def to_rows(
        self, by_class: Float[np.ndarray, "C R"], count: int
    ) -> Float[np.ndarray, " K"]:
        """Values by class, in the order of the rows."""
        return _flat(self.rows, by_class, count)

    def to_weights(
        self, by_class: Float[np.ndarray, "C W"], count: int
    ) -> Float[np.ndarray, " J"]:
        """Values by class, in the order of the open weights."""
        return _flat(self.weights, by_class, count)


def layout(
    rows: TieRows, opened: OpenWeights, features: Int[np.ndarray, "n f"], classes: int
) -> Layout:
    """Sorts rows and open weights by class, to be redone when weights are decided.

    Args:
        rows: rows.
        opened: open weights.
        features: of the merged data.
        classes: C.
    """
    by_row = _by_class(rows.classes, classes)
    by_weight = _by_class(opened.classes, classes)
    instances, columns = np.append(rows.instances, 0), np.append(opened.features, 0)
    taken = features[
        instances[by_row][:, :, None], columns[by_weight][:, None, :]
    ].astype(np.float64)
    taken *= (by_row < len(rows.classes))[:, :, None]
    taken *= (by_weight < len(opened.classes))[:, None, :]
    return Layout(by_row, by_weight, taken)


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
    solved = _solve(rows, plan, sites, active, blocks, prior)
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


def _solve(
    rows: TieRows,
    plan: Layout,
    sites: Sites,
    active: Int[np.ndarray, " A"],
    blocks: Float[np.ndarray, "C R R"],
    prior: Float[np.ndarray, " K"],
) -> (
    tuple[Float[np.ndarray, "C R R"], Float[np.ndarray, "C R"], Float[np.ndarray, " A"]]
    | None
):
    """What the active rows say of each class's scores.

    With B = 1 + P √τ S √τ P, S the scores' covariance and P the projection, returns
    √τ P B⁻¹ P √τ, by which covariances shrink, and what each row pulls at its score,
    both by class; and the diagonal of 1 − B⁻¹.
    """
    precision, groups = sites.row_precision[active], rows.groups[active]
    root = np.sqrt(precision)
    unit = root / np.sqrt(np.bincount(groups, precision, minlength=1)[groups])

    def project(columns: Float[np.ndarray, "A x"]) -> Float[np.ndarray, "A x"]:
        sums = np.zeros((rows.groups[-1] + 1, columns.shape[1]))
        np.add.at(sums, groups, unit[:, None] * columns)
        return columns - unit[:, None] * sums[groups]

    place = np.full(len(rows.classes) + 1, len(active))
    place[active] = np.arange(len(active))
    place = place[plan.rows]
    scale = np.append(root, 0.0)[place]
    scaled = np.zeros((len(active) + 1, len(active) + 1))
    scaled[place[:, :, None], place[:, None, :]] = (
        blocks * scale[:, :, None] * scale[:, None, :]
    )
    scaled = project(project(scaled[:-1, :-1]).T)
    scaled[np.diag_indices(len(active))] += 1
    inverse = _inverse(scaled)
    if inverse is None:
        return None
    asked = project((sites.row_shift[active] / root - root * prior[active])[:, None])
    pulls = np.append(root * project(inverse @ asked)[:, 0], 0.0)[place]
    inner = inverse * root[:, None] * root
    inner[np.diag_indices(len(active))] -= (root * unit) ** 2
    inner = np.pad(inner, (0, 1))[place[:, :, None], place[:, None, :]]
    return inner, pulls, 1 - np.diag(inverse)


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


def _by_class(members: Int[np.ndarray, " x"], classes: int) -> Int[np.ndarray, "C m"]:
    """The places of each class's members, in rows padded with their number."""
    counts = np.bincount(members, minlength=classes)
    order = np.argsort(members, kind="stable")
    padded = np.full((classes, max(1, int(counts.max()))), len(members))
    padded[np.arange(padded.shape[1]) < counts[:, None]] = order
    return padded


def _flat(
    places: Int[np.ndarray, "C m"], by_class: Float[np.ndarray, "C m"], count: int
) -> Float[np.ndarray, " x"]:
    flat = np.zeros(count + 1)  # the last place takes the padding
    flat[places] = by_class
    return flat[:-1]
