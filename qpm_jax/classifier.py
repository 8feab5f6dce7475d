"""QPM's binary head on any feature matrix, as a scikit-learn estimator.

For features that are there already: which n of them to keep, which k of those describe
each class, and the class whose features are highest. Arrays are NumPy float64 all the
way; QPM, arXiv 2502.20130 (docs/formulas.md, Model and head, Objective).
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float
from scipy.special import softmax
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_is_fitted,
    validate_data,  # type: ignore[missing-module-attribute]
)

from qpm_jax import assignment, statistics
from qpm_jax.assignment.from_features import instance_from_features, problem_of
from qpm_jax.scored_classifier import ScoredClassifier

_SMALLEST_STD = 1e-6  # the head's: a feature that is constant has no scale
_DTYPES = (np.float64, np.float32)  # kept as they are; other numbers become float64


class QPMClassifier(ScoredClassifier):
    """Describes every class by k of n features, and predicts by their sum.

    `fit` computes the statistics A and R of the features and solves the assignment
    problem. A class's score is the sum of its features, each in standard deviations
    from its mean; there are no weights to learn. Features may be negative.

    Attributes (after `fit`):
        selected_: int64 [n], the features kept, sorted.
        assignment_: bool [C, n], which of them describe a class; int8 in {−1, 0, 1}
            where `ternary`.
        mean_: float64 [F], of every feature over the training samples.
        std_: float64 [F], population standard deviation.
        classes_: [C], the labels, sorted.
        n_features_in_: F.
        feature_names_in_: [F], where X had names.
        objective_: Z of the assignment.
        bound_: no assignment has a larger Z.
        gap_: |bound − objective| / |objective|.
        optimal_: whether that is proven to be the best.
        status_: why the solver ended, as in `assignment.Assignment`.
        solve_seconds_: how long it took.

    Example:
        >>> from sklearn.datasets import load_digits
        >>> from qpm_jax import QPMClassifier
        >>> pixels, digit = load_digits(return_X_y=True)
        >>> model = QPMClassifier(num_features=20, per_class=5).fit(pixels, digit)
        >>> int(model.assignment_[0].sum())
        5
    """

    def __init__(
        self,
        num_features: int = 50,
        per_class: int | Sequence[int] = 5,
        solver: str = "native",
        time_limit: float = 20.0,
        redundancy: bool = True,
        random_state: int | np.random.RandomState | None = 0,
        *,
        gap: float = 0.0,
        bias: Sequence[float] | None = None,
        forced_in: Sequence[int] = (),
        forced_out: Sequence[int] = (),
        min_classes: int = 0,
        ternary: bool = False,
        solver_options: dict[str, Any] | None = None,
    ) -> None:
        """Keeps the settings; `fit` checks them.

        Args:
            num_features: n, how many features to keep; at most those of X.
            per_class: k, one number or one a class in the order of the sorted labels.
                There must be enough sets of k out of n for all classes to differ.
            solver: as in `assignment.solve`.
            time_limit: seconds; 0 takes the plain first selection.
            redundancy: whether pairs of features that follow the same classes are
                penalised.
            random_state: seed of the search; None takes another every time.
            gap: relative gap at which to stop, 0 for a proof.
            bias: [F], a bonus for selecting a feature.
            forced_in: features that must be kept.
            forced_out: features that must not be kept.
            min_classes: how many classes a kept feature serves at least.
            ternary: whether a class may also lack a feature.
            solver_options: further options of the solver, such as `{"max_rounds": 50}`
                for a native search that ends the same on every machine.
        """
        self.num_features = num_features
        self.per_class = per_class
        self.solver = solver
        self.time_limit = time_limit
        self.redundancy = redundancy
        self.random_state = random_state
        self.gap = gap
        self.bias = bias
        self.forced_in = forced_in
        self.forced_out = forced_out
        self.min_classes = min_classes
        self.ternary = ternary
        self.solver_options = solver_options

    def fit(self, X: Float[ArrayLike, "N F"], y: ArrayLike) -> Self:
        """Chooses the features and assigns them to the classes.

        Args:
            X: [N, F], finite numbers.
            y: [N], labels: numbers or strings.

        Returns:
            The estimator itself. After Ctrl-C it has the best assignment so far and
            the `status_` "interrupted".

        Raises:
            ValueError: a malformed X or y, fewer than two classes, or settings that
                leave nothing to choose.
        """
        X, y = validate_data(self, X, y, dtype=_DTYPES)
        check_classification_targets(y)
        whole = isinstance(self.num_features, int | np.integer)
        if whole and self.num_features > X.shape[1]:
            raise ValueError(
                f"num_features={self.num_features}, but X has {X.shape[1]} feature(s);"
                f" keep {X.shape[1]} or fewer."
            )
        instance = instance_from_features(X, y, self.bias)  # type: ignore[arg-type]
        problem, _ = problem_of(
            instance,
            num_features=self.num_features,
            per_class=self.per_class,  # type: ignore[arg-type]
            redundancy=self.redundancy,
            forced_in=self.forced_in,
            forced_out=self.forced_out,
            min_classes=self.min_classes,
            ternary=self.ternary,
        )
        result = assignment.solve(
            problem,
            solver=self.solver,
            time_limit=self.time_limit,
            seed=self._seed(),
            gap=self.gap,
            **(self.solver_options or {}),
        )
        self.classes_ = instance.classes
        self.mean_, self.std_ = statistics.feature_moments(X)
        return self._keep(result)

    def _keep(self, result: assignment.Assignment) -> Self:
        self.selected_, self.assignment_ = result.selected, result.assignment
        self.objective_, self.bound_ = result.objective, result.bound
        self.gap_, self.status_ = result.gap, result.status
        self.optimal_ = result.status == "optimal"
        self.solve_seconds_ = result.seconds
        return self

    def predict_proba(self, X: Float[ArrayLike, "N F"]) -> Float[np.ndarray, "N C"]:
        """Returns the softmax of the scores, [N, C]; they are not calibrated."""
        return softmax(self._scores(X), axis=1)

    def _scores(self, X: ArrayLike) -> Float[np.ndarray, "N C"]:
        """Z Wᵀ with z = (f − mean) / max(std, 1e-6), over the selected features."""
        check_is_fitted(self)
        rows = np.asarray(validate_data(self, X, dtype=_DTYPES, reset=False))
        kept = self.selected_
        scale = np.maximum(self.std_[kept], _SMALLEST_STD)
        normalised = (rows[:, kept] - self.mean_[kept]) / scale
        return normalised @ np.asarray(self.assignment_, np.float64).T
