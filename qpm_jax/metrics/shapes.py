"""Checks that what a metric is given belongs together, each error naming the argument.

They run on the host, at the entry points; the jitted updates check nothing.
"""

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float

from qpm_jax.statistics import inputs


def check_logits(logits: ArrayLike, num_samples: int) -> Float[np.ndarray, "N C"]:
    """Returns the logits as [N,C], checked to have as many samples as the rest.

    Raises:
        ValueError: another shape, NaN or infinity.
    """
    logits = inputs.table("logits", logits, "NC")
    if len(logits) != num_samples:
        raise ValueError(
            f"logits must have the {num_samples} samples of the other arrays, got "
            f"{len(logits)}"
        )
    return logits


def check_weights(
    weights: ArrayLike, num_classes: int, num_features: int
) -> Float[np.ndarray, "C F"]:
    """Returns the weights as [C,F], checked to fit the classes and the features.

    Raises:
        ValueError: another shape, NaN or infinity.
    """
    weights = inputs.table("weights", weights, "CF")
    if weights.shape != (num_classes, num_features):
        raise ValueError(
            f"weights must be [C,F] = {(num_classes, num_features)}, classes by "
            f"features, got {weights.shape}"
        )
    return weights


def check_similarity(
    similarity: ArrayLike, num_classes: int
) -> Float[np.ndarray, "C C"]:
    """Returns a class similarity as float64 [C,C], checked to be symmetric.

    Raises:
        ValueError: another shape, NaN, infinity, or one that is not symmetric.
    """
    truth = inputs.table("class_similarity", similarity, "CC").astype(np.float64)
    if truth.shape != (num_classes, num_classes):
        raise ValueError(
            f"class_similarity must be [C,C] with the {num_classes} classes of the "
            f"other arrays, got {truth.shape}"
        )
    if not np.allclose(truth, truth.T, atol=1e-6):
        raise ValueError("class_similarity must be symmetric, got one that is not")
    return truth
