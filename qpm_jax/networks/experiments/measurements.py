"""The three tables of measurements of arXiv 2504.14356, as scikit-learn has them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.nearest_names import did_you_mean

# "wbc" is the diagnostic set of 569 instances (docs/networks.md, Splits says why).
_LOADERS = {"iris": "load_iris", "wine": "load_wine", "wbc": "load_breast_cancer"}
NAMES = tuple(_LOADERS)


@dataclass(frozen=True, eq=False)
class Measurements:
    """Labelled rows of real numbers.

    Attributes:
        name: of the data set.
        features: float64 [N, F].
        labels: int64 [N], 0 … C−1.
        class_names: C names.
        feature_names: F names.
    """

    name: str
    features: Float[np.ndarray, "N F"]
    labels: Int[np.ndarray, " N"]
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Split:
    """A training and a test part, standardised by the training part.

    Attributes:
        features: float64 [n, F], to train on.
        labels: int64 [n].
        test_features: float64 [m, F].
        test_labels: int64 [m].
    """

    features: Float[np.ndarray, "n F"]
    labels: Int[np.ndarray, " n"]
    test_features: Float[np.ndarray, "m F"]
    test_labels: Int[np.ndarray, " m"]


def load(name: str) -> Measurements:
    """Reads a table that comes with scikit-learn.

    Args:
        name: "iris", "wine" or "wbc".

    Raises:
        ValueError: for another name.
    """
    if name not in _LOADERS:
        raise ValueError(
            f"name is {name!r}; there is no such table.{did_you_mean(name, NAMES)}"
            f" There are: {', '.join(NAMES)}."
        )
    from sklearn import datasets

    bunch: Any = getattr(datasets, _LOADERS[name])()
    return Measurements(
        name,
        np.asarray(bunch.data, np.float64),
        np.asarray(bunch.target, np.int64),
        tuple(str(each) for each in bunch.target_names),
        tuple(str(each) for each in bunch.feature_names),
    )


def split(
    features: Float[np.ndarray, "N F"],
    labels: Int[np.ndarray, " N"],
    test_share: float,
    seed: int,
) -> Split:
    """Draws a test part with every class in proportion, and standardises.

    Args:
        features: float64 [N, F].
        labels: int64 [N].
        test_share: share of the test part.
        seed: of the draw.
    """
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(
        np.arange(len(labels)), test_size=test_share, random_state=seed, stratify=labels
    )
    centre = features[train].mean(axis=0)
    spread = features[train].std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    scaled = (features - centre) / spread
    return Split(scaled[train], labels[train], scaled[test], labels[test])
