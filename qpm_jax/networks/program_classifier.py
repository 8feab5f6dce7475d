"""What both estimators share: settings of a solve, and what is kept of its result."""

from typing import Self

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float, Int
from sklearn.utils.multiclass import check_classification_targets

from qpm_jax.networks.solution import Network, NetworkSolution
from qpm_jax.scored_classifier import ScoredClassifier


class ProgramClassifier(ScoredClassifier):
    """A classifier trained by a mixed-integer program.

    Attributes (after `fit`):
        objective_: of the training data, by exact forward evaluation; least is best.
        bound_: no network of the family has less.
        gap_: |bound − objective| / |objective|.
        status_: why it ended, as in `NetworkSolution`; "warm_start" where time was over
            before anything better than the start was found.
        solve_seconds_: how long it took, all included.
        history_: (seconds, objective, bound) at every improvement, when it is found.
        classes_: [C], the labels, sorted.
        codes_: float64 [C, O], what every output should be for every class: the
            identity for "one_hot", ±1 for "binary".
    """

    codes_: Float[np.ndarray, "C O"]

    def _numbered(self, y: ArrayLike) -> Int[np.ndarray, " N"]:
        """Labels as 0 … C−1; `classes_` is set."""
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y holds one class, {self.classes_[0]!r}; give instances of at least"
                " two."
            )
        return labels

    def _keep_result(self, result: NetworkSolution[Network]) -> Self:
        self.objective_, self.bound_ = result.objective, result.bound
        self.gap_, self.status_ = result.gap, result.status
        self.solve_seconds_ = result.seconds
        self.history_ = list(result.history)
        return self
