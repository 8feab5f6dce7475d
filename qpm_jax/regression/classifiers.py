"""Binarized regression as scikit-learn estimators: by MIP and by PBO.

Tule, Le, Say, arXiv 2112.00434; the model and its bounds are in `problem`.
"""

from collections.abc import Callable
from typing import Self

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float

from qpm_jax.regression.mip import solve
from qpm_jax.regression.pbo import solve_pbo
from qpm_jax.regression.problem import RegressionProblem
from qpm_jax.regression.solution import RegressionSolution
from qpm_jax.regression.ternary_classifier import TernaryClassifier


class _ProvenClassifier(TernaryClassifier):
    """A ternary classifier whose weights a solver finds and bounds."""

    alpha: float
    beta: float
    solver: str
    time_limit: float
    gap: float
    threads: int | None
    bounded: bool

    def _fit(
        self, X: ArrayLike, y: ArrayLike, run: Callable[..., RegressionSolution]
    ) -> Self:
        features, labels = self._training_data(X, y)
        problem = RegressionProblem(
            features, labels, len(self.classes_), self.alpha, self.beta
        )
        if not (self.bounded or problem.is_bounded):
            raise ValueError(_unbounded(problem, self.classes_))
        result = run(
            problem,
            solver=self.solver,
            time_limit=self.time_limit,
            gap=self.gap,
            threads=self.threads,
            seed=self._seed(),
        )
        if result.status == "no_incumbent":
            raise ValueError(
                f"time_limit={self.time_limit} seconds were over before any"
                " weights were found; give more time or fewer instances."
            )
        self.objective_, self.bound_ = result.objective, result.bound
        self.gap_, self.status_ = result.gap, result.status
        self.solve_seconds_ = result.seconds
        self.intercept_bound_ = problem.intercept_limit
        return self._keep_weights(result.coefficients, result.intercepts)


class BinarizedRegressionClassifier(_ProvenClassifier):
    """A ternary linear classifier of proven quality, by mixed-integer programming.

    `fit` binarises the features and minimises the number of weights, minus α for every
    unit by which an instance's own class leads, plus β for every unit by which it lags.

    Attributes (after `fit`):
        coef_: int8 [C, F] in {−1, 0, 1}; two classes have a row each.
        intercept_: int64 [C].
        classes_: [C], the labels, sorted.
        thresholds_: float64 [F], a feature is 1 above it; None for `threshold=None`.
        objective_: of the training data, least is best.
        bound_: no model has less.
        gap_: |bound − objective| / |objective|.
        status_: why the solver ended, as in `RegressionSolution`.
        solve_seconds_: how long it took, building included.
        reduction_: share of zero weights among the F·C.
        intercept_bound_: what |b_c| was bounded by.
        n_features_in_: F.
        feature_names_in_: [F], where X had names.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from qpm_jax.regression import BinarizedRegressionClassifier
        >>> lengths, species = load_iris(return_X_y=True)
        >>> model = BinarizedRegressionClassifier().fit(lengths, species)
        >>> sorted(set(model.coef_.flat)) <= [-1, 0, 1], model.status_
        (True, 'optimal')
    """

    def __init__(
        self,
        alpha: float = 2.0,
        beta: float = 5.0,
        threshold: float | str | None = "median",
        solver: str = "highs",
        time_limit: float = 60.0,
        gap: float = 0.0,
        threads: int | None = 1,
        *,
        bounded: bool = True,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        """Keeps the settings; `fit` checks them.

        Args:
            alpha: α > 0, the reward of a unit of lead.
            beta: β ≥ α, the price of a unit of lag.
            threshold: a feature is 1 where it is above this number, or above its own
                median over the training instances ("median"; 0 and 1 stay what they
                are); None takes 0 and 1, or any whole numbers, as they are.
            solver: "highs", "scip", "gurobi" or "native".
            time_limit: seconds.
            gap: relative gap at which to stop, 0 for a proof.
            threads: of the solver, None for its default; "native" has one.
            bounded: whether the intercepts are bounded. The bound changes nothing
                unless one class has more than the β/(α+β)-th part of the instances:
                there the published program is unbounded, and the bound is a choice of
                ours (`RegressionProblem.intercept_limit`). False gives the published
                program, and an error where it is unbounded.
            random_state: seed of the solver; None takes another every time.
        """
        self.alpha = alpha
        self.beta = beta
        self.threshold = threshold
        self.solver = solver
        self.time_limit = time_limit
        self.gap = gap
        self.threads = threads
        self.bounded = bounded
        self.random_state = random_state

    def fit(self, X: Float[ArrayLike, "N F"], y: ArrayLike) -> Self:
        """Finds the weights.

        Args:
            X: [N, F], finite numbers.
            y: [N], labels: numbers or strings.

        Returns:
            The estimator itself. After Ctrl-C it has the best weights so far and the
            `status_` "interrupted".

        Raises:
            ValueError: a malformed X or y, one class, fractions with `threshold=None`,
                a setting out of range, an unbounded program with `bounded=False`, or a
                time limit within which no weights were found.
        """
        return self._fit(X, y, solve)


class PseudoBooleanRegressionClassifier(_ProvenClassifier):
    """The same classifier as a pseudo-Boolean program: every variable is 0 or 1.

    What is minimised, the attributes and the predictions are those of
    `BinarizedRegressionClassifier`.
    """

    def __init__(
        self,
        alpha: float = 2.0,
        beta: float = 5.0,
        threshold: float | str | None = "median",
        solver: str = "scip",
        time_limit: float = 60.0,
        *,
        gap: float = 0.0,
        threads: int | None = 1,
        bounded: bool = True,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        """Keeps the settings; `fit` checks them.

        Args:
            alpha: as in `BinarizedRegressionClassifier`.
            beta: likewise.
            threshold: likewise.
            solver: "scip", "exact" (`pip install "qpm-jax[exact]"`), "highs" or
                "gurobi".
            time_limit: seconds.
            gap: relative gap at which to stop, 0 for a proof.
            threads: of the solver, None for its default; Exact has one.
            bounded: as in `BinarizedRegressionClassifier`.
            random_state: seed of the solver.
        """
        self.alpha = alpha
        self.beta = beta
        self.threshold = threshold
        self.solver = solver
        self.time_limit = time_limit
        self.gap = gap
        self.threads = threads
        self.bounded = bounded
        self.random_state = random_state

    def fit(self, X: Float[ArrayLike, "N F"], y: ArrayLike) -> Self:
        """Finds the weights; as `BinarizedRegressionClassifier.fit`."""
        return self._fit(X, y, solve_pbo)


def _unbounded(problem: RegressionProblem, classes: np.ndarray) -> str:
    largest = int(problem.class_counts.argmax())
    count, total = int(problem.class_counts[largest]), len(problem.labels)
    return (
        f"bounded=False, but the program is unbounded: class {classes[largest]!r} has"
        f" {count} of {total} instances, and alpha * {count} > beta * {total - count}."
        " Raising its intercept pays for ever. Use bounded=True, a larger beta or"
        " balanced classes."
    )
