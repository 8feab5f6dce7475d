"""Binarized gradient descent as a scikit-learn estimator, a baseline."""

from typing import Self

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float

from qpm_jax.regression.straight_through import train_straight_through
from qpm_jax.regression.ternary_classifier import TernaryClassifier


class TernaryGradientDescentClassifier(TernaryClassifier):
    """A ternary linear classifier trained by gradient descent, with nothing proven.

    Attributes (after `fit`):
        coef_: int8 [C, F] in {−1, 0, 1}.
        intercept_: int64 [C].
        classes_: [C], the labels, sorted.
        thresholds_: float64 [F], a feature is 1 above it; None for `threshold=None`.
        reduction_: share of zero weights among the F·C.
        n_features_in_: F.
        feature_names_in_: [F], where X had names.
    """

    def __init__(
        self,
        threshold: float | str | None = "median",
        epochs: int = 200,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        """Keeps the settings; `fit` checks them.

        Args:
            threshold: as in `BinarizedRegressionClassifier`.
            epochs: passes over the instances.
            batch_size: instances a step.
            learning_rate: of Adam.
            random_state: seed of the first weights and of the order of the instances.
        """
        self.threshold = threshold
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: Float[ArrayLike, "N F"], y: ArrayLike) -> Self:
        """Trains the weights.

        Args:
            X: [N, F], finite numbers.
            y: [N], labels: numbers or strings.

        Returns:
            The estimator itself.

        Raises:
            ValueError: a malformed X or y, one class, fractions with `threshold=None`
                or a setting out of range.
        """
        features, labels = self._training_data(X, y)
        return self._keep_weights(
            *train_straight_through(
                features,
                labels,
                len(self.classes_),
                seed=self._seed(),
                epochs=self.epochs,
                batch_size=self.batch_size,
                learning_rate=self.learning_rate,
            )
        )
