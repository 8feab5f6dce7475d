"""The selection and assignment problem, and its objective Z = Z_A + Z_R + Z_B.

The quadratic program of QPM, arXiv 2502.20130 (docs/formulas.md, Objective and
Constraints). Everything that can be wrong with a problem is found here, before any
solver starts.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Float, Int

# Z_A is scaled to this sum of |A| of an ideal assignment (all similarities 1).
SIMILARITY_SCALE = 1000.0


@dataclass(frozen=True, eq=False)
class AssignmentProblem:
    """Choose n of F features and k of those for each of C classes.

    Maximise `scale · Σ A[f, c] X[c, f] − Σ weights[p] s_i s_j + Σ bias[f] s_f` with
    `scale = 1000 / Σ_c k_c`; all classes differ (docs/formulas.md, Objective and
    Constraints).

    Attributes:
        similarity: float64 [F, C], A: how much a feature speaks for a class.
        pairs: int64 [P, 2], i < j, the penalised pairs; none where empty.
        weights: float64 [P], non-negative penalty when both of a pair are selected.
        bias: float64 [F], b, a bonus for selecting a feature; zeros when None is given.
        num_features: n, how many features are selected.
        per_class: k, one number for all classes or an int [C].
        forced_in: features that must be selected.
        forced_out: features that must not be selected.
        min_classes: how many classes a selected feature serves at least.
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
        similarity = _similarity(self.similarity)
        features, classes = similarity.shape
        pairs, weights = _pairs(self.pairs, self.weights, features)
        num_features = _whole_number("num_features", self.num_features, 1, features)
        per_class = _per_class(self.per_class, classes, num_features)
        forced_in = _feature_set("forced_in", self.forced_in, features)
        forced_out = _feature_set("forced_out", self.forced_out, features)
        _check_forced(forced_in, forced_out, num_features, features)
        min_classes = _whole_number("min_classes", self.min_classes, 0, classes)
        for name, value in (
            ("similarity", similarity),
            ("pairs", pairs),
            ("weights", weights),
            ("bias", _bias(self.bias, features)),
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
        _check_distinct_rows(self)

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
        """What assigning a feature to a class is worth: scale · Aᵀ, float64 [C, F]."""
        return self.scale * np.ascontiguousarray(self.similarity.T)

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
        self, selected: Int[ArrayLike, " n"], assignment: Bool[ArrayLike, "C n"]
    ) -> float:
        """Z (docs/formulas.md, Objective) for a selection and an assignment.

        Args:
            selected: int [n], the selected features in any order.
            assignment: bool or 0/1 [C, n]; column j belongs to `selected[j]`.

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
        indices = np.asarray(_feature_set("selected", selected, features), np.int64)
        matrix = np.asarray(assignment)
        if matrix.shape != (classes, indices.size):
            raise ValueError(
                f"assignment has shape {matrix.shape}; it needs a row for each of the"
                f" {classes} classes and a column for each of the {indices.size}"
                " selected features."
            )
        if not np.isin(matrix, (0, 1)).all():
            raise ValueError("assignment must hold only 0 and 1 (or False and True).")
        return indices, matrix.astype(bool)


def _similarity(similarity: ArrayLike) -> np.ndarray:
    matrix = np.array(similarity, np.float64)
    if matrix.ndim != 2 or min(matrix.shape) < 1:
        raise ValueError(
            f"similarity has shape {matrix.shape}; it must be [features, classes] with"
            " at least one of each (statistics.class_similarity makes it)."
        )
    if not np.isfinite(matrix).all():
        count = int((~np.isfinite(matrix)).sum())
        raise ValueError(
            f"similarity holds {count} NaN or infinite entries; all must be finite."
            " statistics.class_similarity gives 0 for dead features and empty classes."
        )
    return matrix


def _pairs(
    pairs: ArrayLike, weights: ArrayLike, features: int
) -> tuple[np.ndarray, np.ndarray]:
    index = np.array(pairs)
    if index.size == 0:
        index = np.zeros((0, 2), np.int64)
    weight = np.array(weights, np.float64).reshape(-1)
    if index.ndim != 2 or index.shape[1] != 2 or index.dtype.kind not in "iu":
        raise ValueError(
            f"pairs has shape {index.shape} and dtype {index.dtype}; it must be"
            " whole numbers [P, 2], as assignment.redundant_pairs returns them."
        )
    if len(weight) != len(index):
        raise ValueError(
            f"weights has {len(weight)} entries for {len(index)} pairs; give one each."
        )
    index = index.astype(np.int64)
    if index.size and (index.min() < 0 or index.max() >= features):
        raise ValueError(
            f"pairs name features {index.min()} to {index.max()}; allowed are 0 to"
            f" {features - 1}."
        )
    if (index[:, 0] >= index[:, 1]).any():
        wrong = index[index[:, 0] >= index[:, 1]][0].tolist()
        raise ValueError(
            f"pairs holds {wrong}; in every pair the first must be smaller."
        )
    if len(np.unique(index[:, 0] * features + index[:, 1])) != len(index):
        raise ValueError("pairs names a pair twice; add its weights into one entry.")
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise ValueError(
            "weights must be finite and not negative: they are penalties; a bonus for"
            " single features belongs in bias."
        )
    return index, weight


def _bias(bias: ArrayLike | None, features: int) -> np.ndarray | None:
    if bias is None:
        return None
    vector = np.array(bias, np.float64)
    if vector.shape != (features,) or not np.isfinite(vector).all():
        raise ValueError(
            f"bias has shape {vector.shape}; it must be {features} finite numbers, one"
            " a feature, or None."
        )
    return vector


def _whole_number(name: str, value: object, low: int, high: int) -> int:
    number = np.asarray(value)
    if number.ndim or number.dtype.kind not in "iu" or not low <= number <= high:
        raise ValueError(
            f"{name} is {value!r}; it must be a whole number from {low} to {high}."
        )
    return int(number)


def _per_class(
    per_class: ArrayLike, classes: int, num_features: int
) -> int | np.ndarray:
    sizes = np.array(per_class)
    if sizes.ndim == 0:
        return _whole_number("per_class", per_class, 1, num_features)
    if sizes.shape != (classes,) or sizes.dtype.kind not in "iu":
        raise ValueError(
            f"per_class has shape {sizes.shape} and dtype {sizes.dtype}; give a whole"
            f" number, or one for each of the {classes} classes."
        )
    if sizes.min() < 1 or sizes.max() > num_features:
        raise ValueError(
            f"per_class runs from {sizes.min()} to {sizes.max()}; allowed are 1 to"
            f" num_features = {num_features}."
        )
    return sizes.astype(np.int64)


def _feature_set(name: str, indices: Any, features: int) -> tuple[int, ...]:
    index = np.asarray(indices)
    if index.size == 0:
        return ()
    if index.ndim != 1 or index.dtype.kind not in "iu":
        raise ValueError(f"{name} must be a list of feature numbers, not {indices!r}.")
    if index.min() < 0 or index.max() >= features:
        raise ValueError(
            f"{name} names features {index.min()} to {index.max()}; allowed are 0 to"
            f" {features - 1}."
        )
    if len(np.unique(index)) != len(index):
        raise ValueError(f"{name} names a feature twice; name each once.")
    return tuple(int(i) for i in index)


def _check_forced(
    forced_in: tuple[int, ...],
    forced_out: tuple[int, ...],
    num_features: int,
    features: int,
) -> None:
    both = sorted(set(forced_in) & set(forced_out))
    if both:
        raise ValueError(f"forced_in and forced_out both name features {both}.")
    if len(forced_in) > num_features:
        raise ValueError(
            f"forced_in names {len(forced_in)} features, but only num_features ="
            f" {num_features} are selected."
        )
    if features - len(forced_out) < num_features:
        raise ValueError(
            f"forced_out leaves {features - len(forced_out)} of {features} features,"
            f" fewer than num_features = {num_features}."
        )


def _check_distinct_rows(problem: AssignmentProblem) -> None:
    sizes, counts = np.unique(problem.class_sizes, return_counts=True)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        subsets = math.comb(problem.num_features, size)
        if subsets < count:
            raise ValueError(
                f"per_class = {size} of num_features = {problem.num_features} gives"
                f" {subsets} different rows for {count} classes, but no two classes may"
                " be equal; raise num_features or change per_class."
            )
