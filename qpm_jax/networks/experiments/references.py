"""Models of scikit-learn to compare with: logistic regression and a small tree."""

import time
from collections.abc import Callable
from typing import Any

from qpm_jax.networks.experiments.measurements import Split

REFERENCES = ("logistic", "tree")


def reference(model: str, part: Split, depth: int, seed: int) -> dict[str, Any]:
    """Fits a model to one split.

    Args:
        model: one of `REFERENCES`.
        part: the split.
        depth: of the tree.
        seed: likewise.

    Returns:
        test_accuracy, training_accuracy and seconds.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.tree import DecisionTreeClassifier

    made: dict[str, Callable[[], Any]] = {
        "logistic": lambda: LogisticRegression(max_iter=1000),
        "tree": lambda: DecisionTreeClassifier(max_depth=depth, random_state=seed),
    }
    began = time.perf_counter()
    fitted = made[model]().fit(part.features, part.labels)
    return {
        "test_accuracy": float(fitted.score(part.test_features, part.test_labels)),
        "training_accuracy": float(fitted.score(part.features, part.labels)),
        "seconds": time.perf_counter() - began,
    }
