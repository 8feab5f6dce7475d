"""What the estimators of this package share: ternary weights that predict a label."""

from typing import Any, Self

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float, Int
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_is_fitted,
    validate_data,  # type: ignore[missing-module-attribute]
)

from qpm_jax.regression.binarize import binarized, fit_thresholds
from qpm_jax.scored_classifier import ScoredClassifier

_DTYPES = (np.float64, np.float32)  # kept as they are; other numbers become float64


class TernaryClassifier(ScoredClassifier):
    """A linear classifier with weights in {−1, 0, 1}; subclasses learn them.

    A class's score is the sum of its features with weight 1, minus those with −1, plus
    its intercept. The highest score wins, of equal ones the first class.
    """

    threshold: float | str | None

    def __sklearn_tags__(self) -> Any:
        """Says that two binary features are too few for a good score."""
        tags = super().__sklearn_tags__()  # type: ignore[missing-attribute]
        tags.classifier_tags.poor_score = True
        return tags

    def _scores(self, X: ArrayLike) -> Float[np.ndarray, "N C"]:
        check_is_fitted(self)
        rows = np.asarray(validate_data(self, X, dtype=_DTYPES, reset=False))
        whole = binarized(rows, self.thresholds_).astype(np.float64)
        return whole @ self.coef_.T.astype(np.float64) + self.intercept_

    def _training_data(
        self, X: ArrayLike, y: ArrayLike
    ) -> tuple[Int[np.ndarray, "N F"], Int[np.ndarray, " N"]]:
        """Whole features and labels 0 … C−1; keeps the thresholds and the classes."""
        X, y = validate_data(self, X, y, dtype=_DTYPES)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y holds one class, {self.classes_[0]!r}; give instances of at least"
                " two."
            )
        self.thresholds_ = fit_thresholds(X, self.threshold)  # type: ignore[arg-type]
        return binarized(X, self.thresholds_), labels  # type: ignore[arg-type]

    def _keep_weights(self, coefficients: np.ndarray, intercepts: np.ndarray) -> Self:
        self.coef_ = np.asarray(coefficients, np.int8)
        self.intercept_ = np.asarray(intercepts, np.int64)
        self.reduction_ = float((self.coef_ == 0).mean())
        return self
