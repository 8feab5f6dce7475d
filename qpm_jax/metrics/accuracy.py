"""Top-1 accuracy."""

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float, Int

from qpm_jax.statistics import inputs


def accuracy(logits: Float[ArrayLike, "N C"], labels: Int[ArrayLike, " N"]) -> float:
    """Returns the share of samples whose largest logit is their class's.

    Args:
        logits: class scores; of equal largest ones the first is the prediction.
        labels: class of each sample, 0..C-1.

    Raises:
        ValueError: shapes that do not fit, NaN, or labels out of range.
    """
    logits = inputs.table("logits", logits, "NC")
    labels = inputs.class_labels(labels, len(logits), logits.shape[1])
    return float(np.mean(logits.argmax(axis=1) == labels))
