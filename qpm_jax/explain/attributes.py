"""What the data set itself says: attributes that fit a feature or tell classes apart.

Only for reading beside the learned features; nothing is trained on it.
"""

from dataclasses import dataclass

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Float

from qpm_jax.explain.contrast import as_assignment


@dataclass(frozen=True)
class AttributeFit:
    """How often an attribute holds in a feature's classes, and in all the others."""

    attribute: int
    inside: float
    outside: float


def readable(name: str) -> str:
    """Returns an attribute's name as people write it.

    CUB's `has_bill_length::about_the_same_as_head` becomes `bill length: about the same
    as head`; other names stay as they are.
    """
    return name.removeprefix("has_").replace("::", ": ").replace("_", " ")


def _attributes(
    attributes: Float[ArrayLike, "C A"], classes: int
) -> Float[np.ndarray, "C A"]:
    array = np.asarray(attributes, np.float64)
    if array.ndim != 2 or len(array) != classes:
        raise ValueError(
            f"attributes has shape {array.shape}; {classes} classes need [{classes}, A]"
        )
    return array


def aligned_attributes(
    assignment: Bool[ArrayLike, "C n"],
    attributes: Float[ArrayLike, "C A"],
    count: int = 2,
    least: float = 0.25,
) -> tuple[tuple[AttributeFit, ...], ...]:
    """Finds for every feature the attributes its classes have and others have not.

    Args:
        assignment: which features describe which class.
        attributes: of the classes, on any one scale.
        count: at most so many a feature.
        least: smallest difference of the means worth a mention, as a share of the
            range of all attributes.

    Returns:
        One tuple a feature, largest difference first.

    Raises:
        ValueError: if the arrays differ in C.
    """
    weights = as_assignment(assignment).astype(np.float64)
    values = _attributes(attributes, len(weights))
    uses = weights.sum(axis=0)[:, None]
    rest = len(weights) - uses
    inside = weights.T @ values / np.maximum(uses, 1)
    outside = (1 - weights).T @ values / np.maximum(rest, 1)
    lift = np.where((uses > 0) & (rest > 0), inside - outside, 0.0)
    order = np.argsort(-lift, axis=1, kind="stable")[:, :count]
    floor = least * float(np.ptp(values)) if values.size else 0.0
    return tuple(
        tuple(
            AttributeFit(a, float(inside[f, a]), float(outside[f, a]))
            for a in row.tolist()
            if lift[f, a] > 0 and lift[f, a] >= floor
        )
        for f, row in enumerate(order)
    )
