"""What propagation works on: weights that are open, what is known, sites, a layout."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from qpm_jax.regression.native.marginals.tie_rows import TieRows


@dataclass(frozen=True, eq=False)
class OpenWeights:
    """Weights that have no value yet.

    Attributes:
        classes: int64 [J].
        features: int64 [J].
        values: float64 [v], what a weight may be.
        penalties: float64 [J, v], s times the reduced cost of each value; inf where it
            is not allowed, or hardly likely.
    """

    classes: Int[np.ndarray, " J"]
    features: Int[np.ndarray, " J"]
    values: Float[np.ndarray, " v"]
    penalties: Float[np.ndarray, "J v"]

    def only(self, kept: Bool[np.ndarray, " J"]) -> "OpenWeights":
        """Some of them."""
        return replace(
            self,
            classes=self.classes[kept],
            features=self.features[kept],
            penalties=self.penalties[kept],
        )


@dataclass(frozen=True, eq=False)
class Known:
    """What is not open.

    Attributes:
        scores: float64 [K], each row's score of the weights that have a value.
        intercepts: float64 [C], means.
        spread: float64 [C], variances of the intercepts; next to 0 for those held.
    """

    scores: Float[np.ndarray, " K"]
    intercepts: Float[np.ndarray, " C"]
    spread: Float[np.ndarray, " C"]


@dataclass(frozen=True, eq=False)
class Sites:
    """Normal stand-ins e^(−precision x² / 2 + shift x) for weights and for rows.

    Attributes:
        precision: float64 [J], positive.
        shift: float64 [J].
        row_precision: float64 [K], positive.
        row_shift: float64 [K].
    """

    precision: Float[np.ndarray, " J"]
    shift: Float[np.ndarray, " J"]
    row_precision: Float[np.ndarray, " K"]
    row_shift: Float[np.ndarray, " K"]

    def only(self, kept: Bool[np.ndarray, " J"]) -> "Sites":
        """Those of some weights, and of all rows."""
        return replace(self, precision=self.precision[kept], shift=self.shift[kept])


@dataclass(frozen=True, eq=False)
class Layout:
    """Rows and open weights by class, padded with K and J.

    Attributes:
        rows: int64 [C, R].
        weights: int64 [C, W].
        features: float64 [C, R, W], 0 in the padding.
    """

    rows: Int[np.ndarray, "C R"]
    weights: Int[np.ndarray, "C W"]
    features: Float[np.ndarray, "C R W"]

    def to_rows(
        self, by_class: Float[np.ndarray, "C R"], count: int
    ) -> Float[np.ndarray, " K"]:
        """Values by class, in the order of the rows."""
        return _flat(self.rows, by_class, count)

    def to_weights(
        self, by_class: Float[np.ndarray, "C W"], count: int
    ) -> Float[np.ndarray, " J"]:
        """Values by class, in the order of the open weights."""
        return _flat(self.weights, by_class, count)


def layout(
    rows: TieRows, opened: OpenWeights, features: Int[np.ndarray, "n f"], classes: int
) -> Layout:
    """Sorts rows and open weights by class, to be redone when weights are decided.

    Args:
        rows: rows.
        opened: open weights.
        features: of the merged data.
        classes: C.
    """
    by_row = _by_class(rows.classes, classes)
    by_weight = _by_class(opened.classes, classes)
    instances, columns = np.append(rows.instances, 0), np.append(opened.features, 0)
    taken = features[
        instances[by_row][:, :, None], columns[by_weight][:, None, :]
    ].astype(np.float64)
    taken *= (by_row < len(rows.classes))[:, :, None]
    taken *= (by_weight < len(opened.classes))[:, None, :]
    return Layout(by_row, by_weight, taken)


def _by_class(members: Int[np.ndarray, " x"], classes: int) -> Int[np.ndarray, "C m"]:
    """The places of each class's members, in rows padded with their number."""
    counts = np.bincount(members, minlength=classes)
    order = np.argsort(members, kind="stable")
    padded = np.full((classes, max(1, int(counts.max()))), len(members))
    padded[np.arange(padded.shape[1]) < counts[:, None]] = order
    return padded


def _flat(
    places: Int[np.ndarray, "C m"], by_class: Float[np.ndarray, "C m"], count: int
) -> Float[np.ndarray, " x"]:
    flat = np.zeros(count + 1)  # the last place takes the padding
    flat[places] = by_class
    return flat[:-1]
