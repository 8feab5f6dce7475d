"""What an assignment problem may be made of: every wrong input is refused by name."""

import math
from typing import Any

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Int


def checked_similarity(similarity: ArrayLike) -> np.ndarray:
    """A as finite float64 [F, C]."""
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


def checked_pairs(
    pairs: ArrayLike, weights: ArrayLike, features: int
) -> tuple[np.ndarray, np.ndarray]:
    """The penalised pairs, int64 [P, 2], and their weights, float64 [P]."""
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


def checked_bias(bias: ArrayLike | None, features: int) -> np.ndarray | None:
    """B as finite float64 [F], or None."""
    if bias is None:
        return None
    vector = np.array(bias, np.float64)
    if vector.shape != (features,) or not np.isfinite(vector).all():
        raise ValueError(
            f"bias has shape {vector.shape}; it must be {features} finite numbers, one"
            " a feature, or None."
        )
    return vector


def whole_number(name: str, value: object, low: int, high: int) -> int:
    """A whole number within its range."""
    number = np.asarray(value)
    if number.ndim or number.dtype.kind not in "iu" or not low <= number <= high:
        raise ValueError(
            f"{name} is {value!r}; it must be a whole number from {low} to {high}."
        )
    return int(number)


def checked_per_class(
    per_class: ArrayLike, classes: int, num_features: int
) -> int | np.ndarray:
    """K as one number or int64 [C]."""
    sizes = np.array(per_class)
    if sizes.ndim == 0:
        return whole_number("per_class", per_class, 1, num_features)
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


def feature_set(name: str, indices: Any, features: int) -> tuple[int, ...]:
    """Different feature numbers, in the order given."""
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


def check_forced(
    forced_in: tuple[int, ...],
    forced_out: tuple[int, ...],
    num_features: int,
    features: int,
) -> None:
    """The forced features leave a selection of the right size."""
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


def check_distinct_rows(class_sizes: Int[np.ndarray, " C"], num_features: int) -> None:
    """There are enough k-subsets for every class to have its own."""
    sizes, counts = np.unique(class_sizes, return_counts=True)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        subsets = math.comb(num_features, size)
        if subsets < count:
            raise ValueError(
                f"per_class = {size} of num_features = {num_features} gives"
                f" {subsets} different rows for {count} classes, but no two classes may"
                " be equal; raise num_features or change per_class."
            )


def check_min_classes(
    class_sizes: Int[np.ndarray, " C"], num_features: int, min_classes: int
) -> None:
    """The classes take enough features for every feature to serve its minimum."""
    places = int(class_sizes.sum())
    needed = num_features * min_classes
    if needed > places:
        raise ValueError(
            f"min_classes = {min_classes} for each of num_features ="
            f" {num_features} features needs {needed} assignments, but"
            f" per_class gives {places} in all; min_classes may be at most"
            f" {places // num_features}."
        )
