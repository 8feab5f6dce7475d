"""Structural grounding: are classes that look alike in truth alike in the model?"""

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float

from qpm_jax.metrics.shapes import check_similarity
from qpm_jax.statistics import inputs


def class_attribute_similarity(
    attributes: Float[ArrayLike, "C A"],
) -> Float[np.ndarray, "C C"]:
    """Returns the cosine similarity of the classes' attributes, with zero diagonal.

    Args:
        attributes: one row a class, such as the share of annotators who saw each
            attribute; a row of zeros is alike to none.

    Returns:
        float64, symmetric.

    Raises:
        ValueError: attributes that are not [C,A], are empty, or hold NaN or infinity.
    """
    return _row_cosine(inputs.table("attributes", attributes, "CA"))


def structural_grounding(
    weights: Float[ArrayLike, "C F"],
    class_similarity: Float[ArrayLike, "C C"],
    top: int = 50,
) -> float:
    """Returns how much of the true similarity of the most alike classes is kept.

    Over the `top` largest entries of `class_similarity` off the diagonal, the sum of
    the cosine similarities of the classes' weight rows divided by the sum of the true
    similarities (QPM, arXiv 2502.20130). Both (c,c') and (c',c) are entries: 50 are 25
    pairs of classes. Of equal entries those of the pair with the lower indices count,
    (c,c') and (c',c) next to each other, so the value is the same in every run; the
    published order of ties is arbitrary. Where there are fewer than `top` entries, all
    count. A class without weights is alike to none (published: NaN).

    Args:
        weights: class weights, W.
        class_similarity: true similarities, symmetric, such as
            `class_attribute_similarity`; the diagonal is ignored.
        top: number of entries.

    Raises:
        ValueError: shapes that do not fit, NaN, a class_similarity that is not
            symmetric or has no positive sum over the entries, or top below 1.
    """
    weights = inputs.table("weights", weights, "CF")
    truth = check_similarity(class_similarity, len(weights))
    rows, columns = _largest_entries(truth, inputs.at_least_one("top", top))
    denominator = truth[rows, columns].sum()
    if denominator <= 0:
        raise ValueError(
            f"class_similarity must be positive over its {len(rows)} largest entries, "
            f"their sum is {denominator}; no two classes are alike"
        )
    return float(_row_cosine(weights)[rows, columns].sum() / denominator)


def _largest_entries(
    truth: Float[np.ndarray, "C C"], top: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns rows and columns of the largest entries off the diagonal."""
    # Upper triangle in order, each pair twice: mirrored entries stay neighbours.
    upper = np.triu_indices(len(truth), k=1)
    order = np.repeat(np.argsort(-truth[upper], kind="stable"), 2)[:top]
    low, high = upper[0][order], upper[1][order]
    mirrored = np.arange(len(order)) % 2 == 1
    return np.where(mirrored, high, low), np.where(mirrored, low, high)


def _row_cosine(rows: Float[np.ndarray, "C A"]) -> Float[np.ndarray, "C C"]:
    """Returns the cosine similarity of rows, zero diagonal, zero rows alike to none."""
    rows = rows.astype(np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = rows / np.where(norms > 0, norms, 1.0)
    cosine = rows @ rows.T
    np.fill_diagonal(cosine, 0.0)
    return cosine
