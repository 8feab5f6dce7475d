"""R: how alike two features' class profiles are (QPM, arXiv 2502.20130)."""

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float

from qpm_jax.statistics import inputs

# The published guard on the length of a row.
_NORM_GUARD = 1e-8


def feature_redundancy(
    similarity: Float[ArrayLike, "F C"],
) -> Float[np.ndarray, "F F"]:
    """Returns the cosine similarity of A's rows, negatives and the diagonal set to 0.

    The published code keeps the strict upper triangle of the same matrix, and divides
    by its largest entry, the 1 of the diagonal, which changes nothing.

    Args:
        similarity: A, features by classes; a row of zeros is alike to none.

    Returns:
        float64 in [0, 1], symmetric.

    Raises:
        ValueError: a similarity that is not [F,C], is empty, or holds NaN.
    """
    similarity = inputs.table("similarity", similarity, "FC").astype(np.float64)
    norms = np.linalg.norm(similarity, axis=1, keepdims=True)
    rows = similarity / np.maximum(norms, _NORM_GUARD)
    redundancy = np.clip(rows @ rows.T, 0.0, 1.0)
    # The product is symmetric up to rounding only; ties between (i,j), (j,i) matter.
    redundancy = np.triu(redundancy, k=1)
    return redundancy + redundancy.T
