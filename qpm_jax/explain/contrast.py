"""What classes share and what tells them apart, from the assignment.

With k features a class, classes that share k - 1 of them differ in a single feature
each: the published contrastive explanations show exactly these pairs (docs/formulas.md,
Contrastive pictures).
"""

from dataclasses import dataclass

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Float, Int


@dataclass(frozen=True)
class ClassContrast:
    """Two classes and their features, as columns of the assignment."""

    first: int
    second: int
    shared: tuple[int, ...]
    only_first: tuple[int, ...]
    only_second: tuple[int, ...]


def as_assignment(assignment: Bool[ArrayLike, "C n"]) -> Bool[np.ndarray, "C n"]:
    """Returns the assignment as a boolean array.

    Raises:
        ValueError: if it is not [C, n] or holds anything but 0 and 1.
    """
    array = np.asarray(assignment)
    if array.ndim != 2:
        raise ValueError(f"assignment has shape {array.shape}; it must be [C, n]")
    if array.dtype != bool and not np.isin(array, (0, 1)).all():
        raise ValueError("assignment holds values other than 0 and 1")
    return array.astype(bool)


def shared_counts(assignment: Bool[ArrayLike, "C n"]) -> Int[np.ndarray, "C C"]:
    """Counts for all pairs of classes the features both use, as one product W Wᵀ."""
    weights = as_assignment(assignment).astype(np.int64)
    return weights @ weights.T


def class_contrast(
    assignment: Bool[ArrayLike, "C n"], first: int, second: int
) -> ClassContrast:
    """Splits the features of two classes into shared and telling ones.

    Raises:
        ValueError: if a class is outside 0..C-1 or both are the same.
    """
    weights = as_assignment(assignment)
    for name, value in (("first", first), ("second", second)):
        if not 0 <= value < len(weights):
            raise ValueError(f"{name} is {value}; classes are 0..{len(weights) - 1}")
    if first == second:
        raise ValueError(f"first and second are both {first}; give two classes")
    a, b = weights[first], weights[second]
    groups = (np.flatnonzero(mask).tolist() for mask in (a & b, a & ~b, b & ~a))
    return ClassContrast(int(first), int(second), *(tuple(group) for group in groups))


def most_alike_pairs(
    assignment: Bool[ArrayLike, "C n"],
    similarity: Float[ArrayLike, "C C"] | None = None,
    limit: int | None = None,
) -> Int[np.ndarray, "P 2"]:
    """Ranks all pairs of classes, those that differ in the fewest features first.

    Args:
        assignment: which features describe which class.
        similarity: settles ties, larger first: of the class attributes, or of the
            classes in feature space. Without it ties go by class number.
        limit: how many pairs to return; all where None.

    Returns:
        Pairs (i < j).

    Raises:
        ValueError: if `similarity` is not [C, C].
    """
    weights = as_assignment(assignment)
    num_classes = len(weights)
    sizes = weights.sum(axis=1)
    differing = sizes[:, None] + sizes[None, :] - 2 * shared_counts(weights)
    i, j = np.triu_indices(num_classes, k=1)
    if similarity is None:
        ties = np.zeros(len(i))
    else:
        similarity = np.asarray(similarity, np.float64)
        if similarity.shape != (num_classes, num_classes):
            raise ValueError(
                f"similarity has shape {similarity.shape}; "
                f"{num_classes} classes need {(num_classes, num_classes)}"
            )
        ties = -similarity[i, j]
    order = np.lexsort((j, i, ties, differing[i, j]))[:limit]
    return np.stack([i[order], j[order]], axis=1)


def pairs_one_apart(
    assignment: Bool[ArrayLike, "C n"],
    similarity: Float[ArrayLike, "C C"] | None = None,
) -> Int[np.ndarray, "P 2"]:
    """Returns the pairs that differ in exactly one feature, most alike first.

    Each class has at most one feature that the other lacks, and one of them has one;
    with k features a class these are the pairs that share k - 1.

    Args:
        assignment: which features describe which class.
        similarity: ranks the pairs, larger first; by class number without it.

    Returns:
        Pairs (i < j).

    Raises:
        ValueError: if `similarity` is not [C, C].
    """
    weights = as_assignment(assignment)
    pairs = most_alike_pairs(weights, similarity)
    own = (weights[pairs] & ~weights[pairs[:, ::-1]]).sum(axis=2)
    # Equal rows differ in nothing; QPM has none.
    pairs = pairs[own.max(axis=1, initial=0) == 1]
    if similarity is None:
        return pairs
    values = np.asarray(similarity, np.float64)[pairs[:, 0], pairs[:, 1]]
    return pairs[np.argsort(-values, kind="stable")]


def spread_pairs(
    pairs: Int[ArrayLike, "P 2"], limit: int, appearances: int = 2
) -> Int[np.ndarray, "p 2"]:
    """Takes the first pairs in which no class comes more than `appearances` times.

    One class with many neighbours would otherwise fill the whole page.
    """
    taken: list[tuple[int, int]] = []
    seen: dict[int, int] = {}
    for first, second in np.asarray(pairs).reshape(-1, 2).tolist():
        if len(taken) == limit:
            break
        if max(seen.get(first, 0), seen.get(second, 0)) < appearances:
            taken.append((first, second))
            seen[first] = seen.get(first, 0) + 1
            seen[second] = seen.get(second, 0) + 1
    return np.array(taken, np.int64).reshape(-1, 2)
