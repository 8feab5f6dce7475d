"""The four models of the experiments, from arrays to arrays: MIP, PBO, LR and GD."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from qpm_jax.regression.mip import solve
from qpm_jax.regression.pbo import solve_pbo
from qpm_jax.regression.problem import RegressionProblem
from qpm_jax.regression.solution import RegressionSolution
from qpm_jax.regression.straight_through import train_straight_through

_ROWS_AT_ONCE = 8192


@dataclass(frozen=True, eq=False)
class LinearModel:
    """A linear model and how it came about.

    Attributes:
        coefficients: [K, F], ternary but for logistic regression.
        intercepts: [K].
        classes: int64 [K], the class of every row, ascending.
        seconds: wall-clock time of the fit, compilation included.
        status: why the solver ended, "" where there is none.
        objective: least cost found, None without a solver.
        bound: no model has less, None where unknown.
        gap: between them, None where unknown.
    """

    coefficients: Shaped[np.ndarray, "K F"]
    intercepts: Shaped[np.ndarray, " K"]
    classes: Int[np.ndarray, " K"]
    seconds: float
    status: str = ""
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None

    def predict(self, features: Int[np.ndarray, "N F"]) -> Int[np.ndarray, " N"]:
        """The class of the highest score, of equal ones the first, int64 [N].

        Args:
            features: whole numbers [N, F].
        """
        parts = range(0, len(features), _ROWS_AT_ONCE)
        best = [self._best(features[start : start + _ROWS_AT_ONCE]) for start in parts]
        return self.classes[np.concatenate(best)]

    def _best(self, features: Int[np.ndarray, "n F"]) -> Int[np.ndarray, " n"]:
        weights = self.coefficients.T.astype(np.float64)
        return (features.astype(np.float64) @ weights + self.intercepts).argmax(axis=1)


def fit(
    model: str,
    features: Int[np.ndarray, "N F"],
    labels: Int[np.ndarray, " N"],
    seed: int,
    settings: dict[str, Any],
) -> LinearModel:
    """Fits one of the four models.

    Args:
        model: one of `settings.MODELS`.
        features: whole numbers [N, F].
        labels: whole numbers [N]; classes that do not occur are never predicted.
        seed: of the solver or the training.
        settings: for "mip" and "pbo" alpha, beta, threads, solver, time_limit and gap;
            for the others what `settings.default()` has under their name.

    Returns:
        The fitted model. Where a solver had no time to find any weights, they are 0 and
        the status is "no_incumbent".

    Raises:
        ValueError: an unknown model, or what the model itself refuses.
        KeyboardInterrupt: a solver was interrupted.
    """
    fits = {
        "mip": partial(_fit_program, solve),
        "pbo": partial(_fit_program, solve_pbo),
        "logistic": _fit_logistic,
        "gradient_descent": _fit_gradient_descent,
    }
    if model not in fits:
        raise ValueError(f"model is {model!r}; choose one of {', '.join(fits)}.")
    classes, numbers = np.unique(labels, return_inverse=True)
    weights, intercepts, found = fits[model](features, numbers, seed, settings)
    return LinearModel(weights, intercepts, classes, **found)


Fitted = tuple[np.ndarray, np.ndarray, dict[str, Any]]


def _fit_program(
    run: Callable[..., RegressionSolution],
    features: Int[np.ndarray, "N F"],
    labels: Int[np.ndarray, " N"],
    seed: int,
    settings: dict[str, Any],
) -> Fitted:
    options = dict(settings)
    alpha, beta = options.pop("alpha"), options.pop("beta")
    problem = RegressionProblem(features, labels, int(labels.max()) + 1, alpha, beta)
    found = run(problem, seed=seed, **options)
    if found.status == "interrupted":
        raise KeyboardInterrupt
    proof = {
        "seconds": found.seconds,
        "status": found.status,
        "objective": found.objective,
        "bound": _finite(found.bound),
        "gap": _finite(found.gap),
    }
    return found.coefficients, found.intercepts, proof


def _fit_logistic(
    features: Int[np.ndarray, "N F"],
    labels: Int[np.ndarray, " N"],
    seed: int,
    settings: dict[str, Any],
) -> Fitted:
    """scikit-learn's, with its defaults: the paper does not name other options."""
    from sklearn.linear_model import LogisticRegression

    began = time.perf_counter()
    regression = LogisticRegression(
        C=1 / settings["penalty_strength"],
        max_iter=settings["max_iterations"],
        random_state=seed,
    ).fit(features.astype(np.float64), labels)
    weights, intercepts = regression.coef_, regression.intercept_
    if len(weights) == 1:  # two classes share a row: the second's lead
        weights, intercepts = _with_zero_row(weights), _with_zero_row(intercepts)
    return weights, intercepts, {"seconds": time.perf_counter() - began}


def _with_zero_row(values: Float[np.ndarray, "1 ..."]) -> Float[np.ndarray, "2 ..."]:
    return np.concatenate([np.zeros_like(values), values])


def _fit_gradient_descent(
    features: Int[np.ndarray, "N F"],
    labels: Int[np.ndarray, " N"],
    seed: int,
    settings: dict[str, Any],
) -> Fitted:
    classes = int(labels.max()) + 1
    began = time.perf_counter()
    weights, intercepts = train_straight_through(
        features, labels, classes, seed=seed, **settings
    )
    return weights, intercepts, {"seconds": time.perf_counter() - began}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
