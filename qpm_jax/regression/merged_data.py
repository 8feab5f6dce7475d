"""The data of a problem with everything said twice merged.

A program over the merged data has the same optimum with fewer variables and rows:

- equal instances of one class become one with a count;
- equal feature columns become one whose weight is the sum of theirs, −g … g for g
  columns: spreading it over |v| columns of one sign costs the same |v|;
- a column of zeros needs no weight. Nor does one that is constant: its weights shift
  the intercepts, which cost nothing. That is only dropped where the intercepts' bound
  is the derived one of a bounded program, which keeps an optimum for all weights.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int

from qpm_jax.regression.problem import RegressionProblem, derived_intercept_bound


@dataclass(frozen=True, eq=False)
class MergedData:
    """Unique instances over unique columns; n instances and f columns are left.

    Attributes:
        features: int64 [n, f].
        labels: int64 [n].
        counts: int64 [n], how many instances each stands for.
        sizes: int64 [f], how many columns each stands for.
        group: int64 [F], the merged column of every feature, −1 where it was dropped.
        rank: int64 [F], a feature's number within its group, from 0.
    """

    features: Int[np.ndarray, "n f"]
    labels: Int[np.ndarray, " n"]
    counts: Int[np.ndarray, " n"]
    sizes: Int[np.ndarray, " f"]
    group: Int[np.ndarray, " F"]
    rank: Int[np.ndarray, " F"]

    @cached_property
    def rarity(self) -> Int[np.ndarray, " f"]:
        """int64 [f]: how many instances have each feature, or lack it if fewer do."""
        having = self.counts @ (self.features != 0)
        return np.minimum(having, self.counts.sum() - having)

    def spread(self, merged: Int[np.ndarray, "C f"]) -> Int[np.ndarray, "C F"]:
        """Weights of all features from those of merged columns, int64 [C, F].

        Args:
            merged: int64 [C, f], at most `sizes` in size.
        """
        sums = np.pad(merged, ((0, 0), (0, 1)))[
            :, self.group
        ]  # −1 is the zero put last
        return np.sign(sums) * (self.rank < np.abs(sums))

    def gather(self, coefficients: Int[np.ndarray, "C F"]) -> Int[np.ndarray, "C f"]:
        """Weights of merged columns, the sums of their features', int64 [C, f].

        Args:
            coefficients: int64 [C, F]; those of dropped features are left out.
        """
        kept = self.group >= 0
        merged = np.zeros((len(self.sizes), len(coefficients)), np.int64)
        np.add.at(merged, self.group[kept], coefficients.T[kept])
        return merged.T


def merge(problem: RegressionProblem) -> MergedData:
    """Merges what a problem's data say twice.

    Args:
        problem: the problem.

    Returns:
        Its merged data. At least one column is kept, so that there is a program.
    """
    dropped = _droppable(problem)
    kept = np.flatnonzero(~dropped)
    columns, inverse, sizes = np.unique(
        problem.features[:, kept],
        axis=1,
        return_inverse=True,
        return_counts=True,
    )
    group = np.full(len(dropped), -1)
    group[kept] = inverse.reshape(-1)
    rows, counts = np.unique(
        np.column_stack([problem.labels, columns]), axis=0, return_counts=True
    )
    return MergedData(
        features=np.ascontiguousarray(rows[:, 1:]),
        labels=rows[:, 0].copy(),
        counts=counts,
        sizes=sizes,
        group=group,
        rank=_rank_within(group),
    )


def _droppable(problem: RegressionProblem) -> np.ndarray:
    """Features that have weight 0 in some optimum, whatever the labels: bool [F]."""
    constant = (problem.features == problem.features[:1]).all(axis=0)
    derived = derived_intercept_bound(problem.features, problem.num_classes)
    if not (problem.is_bounded and problem.intercept_limit >= derived):
        constant &= problem.features[0] == 0
    if constant.all():
        constant[0] = False
    return constant


def _rank_within(group: np.ndarray) -> np.ndarray:
    """How many earlier entries are equal, for each entry: int64 [F]."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    starts = np.searchsorted(ordered, ordered)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order)) - starts
    return rank
