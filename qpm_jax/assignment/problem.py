"""The selection and assignment problem, and its objective Z = Z_A + Z_R + Z_B.

The quadratic program of QPM, arXiv 2502.20130 (docs/formulas.md, Objective and
Constraints). Everything that can be wrong with a problem is found here, before any
solver starts.
"""

from dataclasses import dataclass

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Float, Int

from qpm_jax.assignment.problem_checks import (
    check_distinct_rows,
    check_forced,
    check_min_classes,
    checked_bias,
    checked_pairs,
    checked_per_class,
    checked_similarity,
    feature_set,
    whole_number,
)

# Z_A is scaled to this sum of |A| of an ideal assignment (all similarities 1).
SIMILARITY_SCALE = 1000.0


@dataclass(frozen=True, eq=False)
class AssignmentProblem:
    """Choose n of F features and k of those for each of C classes.

    Maximise `scale · Σ A[f, c] X[c, f] − Σ weights[p] s_i s_j + Σ bias[f] s_f` with
    `scale = 1000 / Σ_c k_c`; all classes differ (docs/formulas.md, Objective and
    Constraints).

    Ternary: X is in {−1, 0, 1}, and a class takes k features in either sense: +1 where
    it has what the feature shows, −1 where it lacks that. The sense is that of A (+1
    where A is 0), so a feature is worth |A|, and only which features a class takes is
    free. Two classes differ when their signed rows do: equal features taken in
    different senses are different rows. As without signs, there must be enough
    k-subsets for all classes.

    min_classes: every selected feature serves at least that many classes, so a class
    may have to take less than its best. n · min_classes may be at most Σ k.

    Attributes:
        similarity: float64 [F, C], A: how much a feature speaks for a class.
        pairs: int64 [P, 2], i < j, the penalised pairs; none where empty.
        weights: float64 [P], non-negative penalty when both of a pair are selected.
        bias: float64 [F], b, a bonus for selecting a feature; zeros when None is given.
        num_features: n, how many features are selected.
        per_class: k, one number for all classes or an int [C].
        forced_in: features that must be selected.
        forced_out: features that must not be selected.
        min_classes: how many classes a selected feature serves at least, in either
            sense where ternary.
        ternary: whether a class may also lack a feature (assignment −1).

    Raises:
        ValueError: for every input that is malformed or leaves nothing to choose.
    """

    similarity: Float[np.ndarray, "F C"]
    pairs: Int[np.ndarray, "P 2"]
    weights: Float[np.ndarray, " P"]
    bias: Float[np.ndarray, " F"] | None
    num_features: int
    per_class: int | Int[np.ndarray, " C"]
    forced_in: tuple[int, ...] = ()
    forced_out: tuple[int, ...] = ()
    min_classes: int = 0
    ternary: bool = False

    def __post_init__(self) -> None:
        """Turns the arrays into checked host arrays."""
        similarity = checked_similarity(self.similarity)
        features, classes = similarity.shape
        pairs, weights = checked_pairs(self.pairs, self.weights, features)
        num_features = whole_number("num_features", self.num_features, 1, features)
        per_class = checked_per_class(self.per_class, classes, num_features)
        forced_in = feature_set("forced_in", self.forced_in, features)
        forced_out = feature_set("forced_out", self.forced_out, features)
        check_forced(forced_in, forced_out, num_features, features)
        min_classes = whole_number("min_classes", self.min_classes, 0, classes)
        for name, value in (
            ("similarity", similarity),
            ("pairs", pairs),
            ("weights", weights),
            ("bias", checked_bias(self.bias, features)),
            ("num_features", num_features),
            ("per_class", per_class),
            ("forced_in", forced_in),
            ("forced_out", forced_out),
            ("min_classes", min_classes),
            ("ternary", bool(self.ternary)),
        ):
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
            object.__setattr__(self, name, value)
        check_distinct_rows(self.class_sizes, num_features)
        check_min_classes(self.class_sizes, num_features, min_classes)

    @property
    def class_sizes(self) -> Int[np.ndarray, " C"]:
        """K of every class, int64 [C]."""
        classes = self.similarity.shape[1]
        return np.broadcast_to(np.asarray(self.per_class, np.int64), (classes,)).copy()

    @property
    def scale(self) -> float:
        """The factor of Z_A, 1000 / Σ_c k_c."""
        return SIMILARITY_SCALE / float(self.class_sizes.sum())

    @property
    def values(self) -> Float[np.ndarray, "C F"]:
        """What taking a feature is worth to a class, float64 [C, F].

        scale · Aᵀ, and scale · |A|ᵀ where ternary: it is taken in the sense of `signs`.
        """
        values = self.scale * np.ascontiguousarray(self.similarity.T)
        return np.abs(values) if self.ternary else values

    @property
    def fixed(self) -> Bool[np.ndarray, " F"]:
        """Which features must be selected, bool [F]: `forced_in` as a mask."""
        return _mask(self.forced_in, len(self.similarity))

    @property
    def barred(self) -> Bool[np.ndarray, " F"]:
        """Which features must not be selected, bool [F]: `forced_out` as a mask."""
        return _mask(self.forced_out, len(self.similarity))

    @property
    def signs(self) -> Int[np.ndarray, "C F"]:
        """The sense in which a class takes a feature, int8 [C, F]; 1 unless ternary."""
        negative = self.similarity.T < 0
        return np.where(negative & self.ternary, -1, 1).astype(np.int8)

    def signed(
        self, selected: Int[np.ndarray, " n"], taken: Bool[np.ndarray, "C n"]
    ) -> Bool[np.ndarray, "C n"] | Int[np.ndarray, "C n"]:
        """The assignment of classes that take these features.

        Args:
            selected: int [n].
            taken: bool [C, n], which selected features a class takes.

        Returns:
            X [C, n]: `taken` itself, or int8 with the signs where ternary.
        """
        return taken * self.signs[:, selected] if self.ternary else taken

    @property
    def penalty_matrix(self) -> Float[np.ndarray, "F F"]:
        """The pair penalties as a symmetric float64 [F, F] with zero diagonal."""
        features = self.similarity.shape[0]
        matrix = np.zeros((features, features))
        np.add.at(matrix, (self.pairs[:, 0], self.pairs[:, 1]), self.weights)
        return matrix + matrix.T

    @property
    def feature_bias(self) -> Float[np.ndarray, " F"]:
        """B as float64 [F], zeros where the problem has none."""
        if self.bias is None:
            return np.zeros(self.similarity.shape[0])
        return self.bias

    def objective(
        self,
        selected: Int[ArrayLike, " n"],
        assignment: Bool[ArrayLike, "C n"] | Int[ArrayLike, "C n"],
    ) -> float:
        """Z (docs/formulas.md, Objective) for a selection and an assignment.

        Args:
            selected: int [n], the selected features in any order.
            assignment: bool or 0/1 [C, n], also −1 where ternary; column j belongs to
                `selected[j]`.

        Returns:
            Z. The constraints are not checked; `result.check` does that.

        Raises:
            ValueError: when shapes, the range of `selected` or the entries are wrong.
        """
        selected, assignment = self._as_solution(selected, assignment)
        chosen = np.zeros(self.similarity.shape[0], bool)
        chosen[selected] = True
        both = chosen[self.pairs[:, 0]] & chosen[self.pairs[:, 1]]
        similarity = float((self.similarity[selected].T * assignment).sum())
        penalties = float(self.weights[both].sum())
        biases = float(self.feature_bias[selected].sum())
        return self.scale * similarity - penalties + biases

    def _as_solution(
        self, selected: ArrayLike, assignment: ArrayLike
    ) -> tuple[np.ndarray, np.ndarray]:
        """A checked host copy of a selection and its assignment."""
        features, classes = self.similarity.shape
        indices = np.asarray(feature_set("selected", selected, features), np.int64)
        matrix = np.asarray(assignment)
        if matrix.shape != (classes, indices.size):
            raise ValueError(
                f"assignment has shape {matrix.shape}; it needs a row for each of the"
                f" {classes} classes and a column for each of the {indices.size}"
                " selected features."
            )
        if self.ternary:
            if not np.isin(matrix, (-1, 0, 1)).all():
                raise ValueError("assignment must hold only -1, 0 and 1.")
            return indices, matrix.astype(np.int8)
        if not np.isin(matrix, (0, 1)).all():
            raise ValueError(
                "assignment must hold only 0 and 1 (or False and True); -1 is for"
                " problems with ternary=True."
            )
        return indices, matrix.astype(bool)


def _mask(members: tuple[int, ...], size: int) -> Bool[np.ndarray, " F"]:
    mask = np.zeros(size, bool)
    mask[list(members)] = True
    return mask
