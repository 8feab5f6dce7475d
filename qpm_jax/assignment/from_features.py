"""The assignment problem of features from any framework, or of A, R and b as they are.

Without feature maps nothing is known of where a feature looks, so b is zero unless a
bias is given; A and R are those of `statistics` (docs/formulas.md, Statistics A, R, b).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float, Int

from qpm_jax import statistics
from qpm_jax.assignment.problem import AssignmentProblem
from qpm_jax.assignment.redundancy import redundant_pairs


@dataclass(frozen=True, eq=False)
class FeatureInstance:
    """What is known of features and classes before it is said what to choose.

    Attributes:
        similarity: float64 [F, C], A.
        redundancy: float64 [F, F], R.
        bias: float64 [F], b; None for none.
        classes: [C], what the classes are called, in the order of A's columns.
        per_class: [C], each class's own k; None where the instance does not say.
    """

    similarity: Float[np.ndarray, "F C"]
    redundancy: Float[np.ndarray, "F F"]
    bias: Float[np.ndarray, " F"] | None
    classes: np.ndarray
    per_class: Int[np.ndarray, " C"] | None = None


def instance_from_features(
    features: Float[ArrayLike, "N F"],
    labels: Int[ArrayLike, " N"],
    bias: Float[ArrayLike, " F"] | None = None,
    per_class: Int[ArrayLike, " C"] | None = None,
) -> FeatureInstance:
    """Computes A and R of features that are held whole.

    Args:
        features: [N, F], one row a training sample; negative values are allowed.
        labels: [N], class of each sample; any numbers or strings that can be sorted.
        bias: [F], a bonus for selecting a feature.
        per_class: [C], each class's own k, in the order of the sorted labels.

    Returns:
        The instance; its classes are the labels that occur, sorted.

    Raises:
        ValueError: features or labels that are empty, not finite or do not fit, or that
            hold fewer than two classes.
    """
    rows, names = np.asarray(features), np.asarray(labels)
    if rows.ndim != 2 or names.shape != rows.shape[:1]:
        raise ValueError(
            f"features have shape {rows.shape} and labels {names.shape}; they must be"
            " [samples, features] and [samples], one label a row."
        )
    classes, numbers = np.unique(names, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"labels hold {len(classes)} class in {len(rows)} sample(s); features can"
            " only be chosen where they must tell at least 2 classes apart."
        )
    similarity = statistics.class_similarity(rows, numbers, len(classes))
    return instance_from_similarity(similarity, None, bias, classes, per_class)


def instance_from_similarity(
    similarity: Float[ArrayLike, "F C"],
    redundancy: Float[ArrayLike, "F F"] | None = None,
    bias: Float[ArrayLike, " F"] | None = None,
    classes: ArrayLike | None = None,
    per_class: Int[ArrayLike, " C"] | None = None,
) -> FeatureInstance:
    """Checks that A, R and b belong together.

    Args:
        similarity: [F, C], A.
        redundancy: [F, F], R; None computes it from A.
        bias: [F], b; None for none.
        classes: [C], what the classes are called; None numbers them from 0.
        per_class: [C], each class's own k.

    Returns:
        The instance.

    Raises:
        ValueError: A that is not finite, shapes that do not fit it, or a class named
            twice.
    """
    scores = np.array(similarity, np.float64)
    if scores.ndim != 2 or 0 in scores.shape or not np.isfinite(scores).all():
        raise ValueError(
            f"A has shape {scores.shape}; it must be [features, classes] with at least"
            " one of each, and without NaN or infinity."
        )
    features, count = scores.shape
    names = np.arange(count) if classes is None else np.asarray(classes)
    _fits("classes", names, (count,), "one name a column of A")
    if len(np.unique(names)) != count:
        raise ValueError("classes names a class twice; each needs a name of its own.")
    if redundancy is None:
        redundancy = statistics.feature_redundancy(scores)
    alike = np.array(redundancy, np.float64)
    _fits("R", alike, (features, features), "[F, F] for the F rows of A")
    if bias is not None:
        bias = np.array(bias, np.float64)
        _fits("bias", bias, (features,), "one number a feature")
    if per_class is not None:
        per_class = np.array(per_class)
        _fits("per_class", per_class, (count,), "each class's own k")
    return FeatureInstance(scores, alike, bias, names, per_class)


def problem_of(
    instance: FeatureInstance,
    num_features: int = 50,
    per_class: int | Int[ArrayLike, " C"] | None = None,
    redundancy: bool = True,
    forced_in: Sequence[int] = (),
    forced_out: Sequence[int] = (),
    min_classes: int = 0,
    ternary: bool = False,
) -> tuple[AssignmentProblem, float]:
    """Makes the assignment problem of an instance.

    Args:
        instance: A, R, b.
        num_features: n, how many features to select.
        per_class: k, one number or one a class; None takes the instance's own, or 5.
        redundancy: whether pairs of redundant features are penalised.
        forced_in: features that must be selected.
        forced_out: features that must not be selected.
        min_classes: how many classes a selected feature serves at least.
        ternary: whether a class may also lack a feature.

    Returns:
        The problem, and ε, the redundancy from which on a pair is penalised (infinite
        where none is).

    Raises:
        ValueError: whatever leaves nothing to choose, see `AssignmentProblem`.
    """
    if per_class is None:
        per_class = 5 if instance.per_class is None else instance.per_class

    def problem(pairs: np.ndarray, weights: np.ndarray) -> AssignmentProblem:
        return AssignmentProblem(
            similarity=instance.similarity,
            pairs=pairs,
            weights=weights,
            bias=instance.bias,
            num_features=num_features,
            per_class=per_class,  # type: ignore[arg-type]
            forced_in=tuple(forced_in),
            forced_out=tuple(forced_out),
            min_classes=min_classes,
            ternary=ternary,
        )

    # Checked first without pairs: errors come before the search for the threshold.
    plain = problem(np.zeros((0, 2), np.int64), np.zeros(0))
    if not redundancy:
        return plain, float("inf")
    found = redundant_pairs(instance.redundancy, plain.num_features)
    return problem(found.pairs, found.weights), found.epsilon


def _fits(name: str, values: np.ndarray, shape: tuple[int, ...], meaning: str) -> None:
    if values.shape != shape:
        raise ValueError(
            f"{name} has shape {values.shape}; it must be {list(shape)}, {meaning}."
        )
