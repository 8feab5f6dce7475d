"""What the scikit-learn estimators share: the class of the highest score wins."""

from abc import abstractmethod

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state


class ScoredClassifier(ClassifierMixin, BaseEstimator):
    """A classifier with a score for every class; subclasses learn and compute them."""

    classes_: np.ndarray
    random_state: int | np.random.RandomState | None

    def decision_function(
        self, X: Float[ArrayLike, "N F"]
    ) -> Float[np.ndarray, "N C"] | Float[np.ndarray, " N"]:
        """Returns every class's score.

        Args:
            X: [N, F].

        Returns:
            float64 [N, C]. Of two classes, as scikit-learn has it, [N]: the second's
            score minus the first's.
        """
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Float[ArrayLike, "N F"]) -> np.ndarray:
        """Returns the label of the highest score of each sample, [N].

        Args:
            X: [N, F].
        """
        best = self._scores(X).argmax(axis=1)
        return self.classes_[best]

    @abstractmethod
    def _scores(self, X: ArrayLike) -> Float[np.ndarray, "N C"]:
        """The checked X's score of every class."""

    def _seed(self) -> int:
        """A whole number as it is; anything else scikit-learn takes is drawn from."""
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))
