"""The regression problem: labelled integer data, and what a ternary model costs on it.

Tule, Le, Say, arXiv 2112.00434, the MIP. The model scores class c by
y_c = w_c · x + b_c with weights in {−1, 0, 1} and whole intercepts. For any weights the
published e⁺ and e⁻ of an instance are the positive and negative part of its margin, so
they are eliminated here, exactly.

Bounded: only the intercepts can run away. For intercepts t·d and t → ∞ the cost falls
iff Σ_c n_c φ(d_c − max_{k≠c} d_k) > 0; the best d lifts one class alone, so the program
is bounded iff α n_c ≤ β (N − n_c) for every class c, n_c its instances.

Intercepts: adding a constant to all changes nothing, so only their range counts. Let
D = 2 max_i ‖x_i‖₁, the most that the weights of two classes can differ on an instance,
and order the intercepts of an optimum b₁ ≥ b₂ ≥ … .

- If b_c + D + 1 ≤ b₂, raising b_c by 1 lifts the margins of its own instances and
  touches no other: better. So every optimum has b_c ≥ b₂ − D.
- If b₁ ≥ b₂ + D + 1, lowering b₁ by 1 costs α n₁ and gains β (N − n₁): no worse where
  the program is bounded. So some optimum has b₁ ≤ b₂ + D.

The range of some optimum is thus at most 2D, or D for two classes, and centred
intercepts are at most half of that in size: `derived_intercept_bound`.
"""

from dataclasses import dataclass

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Int

from qpm_jax.class_labels import checked_labels
from qpm_jax.regression.problem_checks import checked_features, checked_prices
from qpm_jax.whole_numbers import whole_numbers


@dataclass(frozen=True, eq=False)
class RegressionProblem:
    """Find ternary weights and whole intercepts of least cost on labelled instances.

    Minimise Σ|w| − Σ_i φ(m_i) with the margin m_i = y_{l_i} − max_{c≠l_i} y_c and
    φ(m) = α m for m ≥ 0, β m for m < 0.

    Attributes:
        features: int64 [N, F], whole numbers, usually 0 and 1.
        labels: int64 [N], 0 … C−1; every class has an instance.
        num_classes: C, 2 or more.
        alpha: α > 0, the reward of a unit of positive margin.
        beta: β ≥ α, the price of a unit of negative margin. With β < α the published e⁺
            and e⁻ could grow together without end.
        intercept_bound: |b_c| of centred intercepts is at most this; None for the
            derived bound (see `intercept_limit`).

    Raises:
        ValueError: when an input is malformed; it names the argument.
    """

    features: Int[np.ndarray, "N F"]
    labels: Int[np.ndarray, " N"]
    num_classes: int
    alpha: float
    beta: float
    intercept_bound: int | None = None

    def __post_init__(self) -> None:
        """Turns the fields into checked host values."""
        features = checked_features(self.features)
        labels, classes = checked_labels(self.labels, len(features), self.num_classes)
        alpha, beta = checked_prices(self.alpha, self.beta)
        for array in (features, labels):
            array.setflags(write=False)
        if self.intercept_bound is not None:
            bound = int(self.intercept_bound)
            if bound != self.intercept_bound or bound < 0:
                raise ValueError(
                    f"intercept_bound is {self.intercept_bound!r}; it must be a whole"
                    " number of 0 or more, or None for the derived one."
                )
            object.__setattr__(self, "intercept_bound", bound)
        for name, value in (
            ("features", features),
            ("labels", labels),
            ("num_classes", classes),
            ("alpha", alpha),
            ("beta", beta),
        ):
            object.__setattr__(self, name, value)

    @property
    def class_counts(self) -> Int[np.ndarray, " C"]:
        """n_c, the instances of every class, int64 [C]."""
        return np.bincount(self.labels, minlength=self.num_classes)

    @property
    def is_bounded(self) -> bool:
        """Whether the published program, intercepts free, has an optimum."""
        return is_bounded(self.labels, self.num_classes, self.alpha, self.beta)

    @property
    def intercept_limit(self) -> int:
        """The bound on |b_c| of centred intercepts: the one given, or the derived one.

        Where the published program is bounded, the derived one keeps an optimum and
        changes nothing. Where it is not, any bound is a choice of ours, and a large one
        makes the model answer the largest class whatever it sees. The choice is the
        largest bound that weights can still outvote on every instance: two classes'
        intercepts differ by at most 2B, their weights' sums by up to 2‖x_i‖₁, so
        B = min_i ‖x_i‖₁, and at least 1.
        """
        if self.intercept_bound is not None:
            return self.intercept_bound
        if self.is_bounded:
            return derived_intercept_bound(self.features, self.num_classes)
        return max(1, int(np.abs(self.features).sum(axis=1).min()))

    def scores(
        self, coefficients: Int[ArrayLike, "C F"], intercepts: Int[ArrayLike, " C"]
    ) -> Int[np.ndarray, "N C"]:
        """Every instance's score of every class, y_ci, int64 [N, C].

        Args:
            coefficients: whole numbers [C, F].
            intercepts: whole numbers [C].

        Raises:
            ValueError: when a shape is wrong or a number is not whole.
        """
        shape = self.num_classes, self.features.shape[1]
        weights = whole_numbers("coefficients", coefficients, shape)
        offsets = whole_numbers("intercepts", intercepts, shape[:1])
        # Whole numbers in float64: exact (checked_features), and many times faster.
        products = self.features.astype(np.float64) @ weights.T.astype(np.float64)
        return products.astype(np.int64) + offsets

    def margins(
        self, coefficients: Int[ArrayLike, "C F"], intercepts: Int[ArrayLike, " C"]
    ) -> Int[np.ndarray, " N"]:
        """By how much the own class's score leads the best other one, int64 [N].

        Args:
            coefficients: whole numbers [C, F].
            intercepts: whole numbers [C].
        """
        return margins_of(self.scores(coefficients, intercepts), self.labels)

    def objective(
        self, coefficients: Int[ArrayLike, "C F"], intercepts: Int[ArrayLike, " C"]
    ) -> float:
        """Σ|w| − Σ φ(m_i), to be minimised.

        Args:
            coefficients: whole numbers [C, F].
            intercepts: whole numbers [C].
        """
        margins = self.margins(coefficients, intercepts)
        return float(np.abs(np.asarray(coefficients)).sum()) + self.margin_cost(margins)

    def margin_cost(self, margins: Int[np.ndarray, " N"]) -> float:
        """−Σ φ(m_i), from sums of whole numbers: exact for whole α and β."""
        lead = int(margins[margins > 0].sum())
        lag = int(margins[margins < 0].sum())
        return -(self.alpha * lead + self.beta * lag)


def is_bounded(
    labels: Int[ArrayLike, " N"], num_classes: int, alpha: float, beta: float
) -> bool:
    """Whether the published program has an optimum: α n_c ≤ β (N − n_c) for every c.

    Args:
        labels: int [N], 0 … C−1.
        num_classes: C.
        alpha: α.
        beta: β ≥ α.
    """
    counts = np.bincount(np.asarray(labels), minlength=num_classes)
    return bool((alpha * counts <= beta * (counts.sum() - counts)).all())


def derived_intercept_bound(features: Int[np.ndarray, "N F"], num_classes: int) -> int:
    """A bound on |b_c| within which a bounded program has an optimum.

    2 max_i ‖x_i‖₁, or max_i ‖x_i‖₁ for two classes; the module's text derives it.

    Args:
        features: int64 [N, F].
        num_classes: C.
    """
    longest = int(np.abs(features).sum(axis=1).max())
    return longest if num_classes == 2 else 2 * longest


def margins_of(
    scores: Int[np.ndarray, "N C"], labels: Int[np.ndarray, " N"]
) -> Int[np.ndarray, " N"]:
    """y_{l_i} − max_{c≠l_i} y_c, int64 [N].

    Args:
        scores: int64 [N, C].
        labels: int64 [N].
    """
    rows = np.arange(len(labels))
    rivals = scores.copy()
    rivals[rows, labels] = np.iinfo(np.int64).min
    return scores[rows, labels] - rivals.max(axis=1)


def centred(intercepts: Int[np.ndarray, " C"]) -> Int[np.ndarray, " C"]:
    """The same intercepts up to a constant, of the least size: int64 [C].

    Args:
        intercepts: int64 [C].
    """
    whole = np.asarray(intercepts, np.int64)
    return whole - (whole.max() + whole.min()) // 2
