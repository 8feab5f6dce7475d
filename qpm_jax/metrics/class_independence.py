"""Class-independence: features that are general, not detectors of one class."""

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float, Int

from qpm_jax.metrics.class_activation import ClassActivation
from qpm_jax.statistics import inputs
from qpm_jax.statistics.class_sums import sum_by_class

# The published guard on a feature's total activation.
_SUM_GUARD = 1e-8


def class_independence(
    features: Float[ArrayLike, "N F"], labels: Int[ArrayLike, " N"], num_classes: int
) -> float:
    """Returns 1 − the mean share of a feature's activation that one class holds.

    With g = f − min over samples, per feature (QPM, arXiv 2502.20130):

        1 − mean_f max_c ( sum_{i in c} g_if / max(sum_i g_if, 1e-8) )

    As published, a constant feature has share 0 and so raises the value.

    Args:
        features: training features, one row a sample.
        labels: true class of each sample, 0..num_classes-1.
        num_classes: C; classes without samples are allowed.

    Returns:
        A value in [0, 1].

    Raises:
        ValueError: shapes that do not fit, NaN, or labels out of range.
    """
    features = inputs.table("features", features, "NF")
    labels = inputs.class_labels(labels, len(features), num_classes)
    return _from_sums(
        sum_by_class(features - features.min(axis=0), labels, num_classes)
    )


def class_independence_finish(state: ClassActivation) -> float:
    """Returns the same of samples that were streamed, to float32's digits.

    Args:
        state: from `class_activation_init` and `class_activation_update`; of no sample
            the value is 1.
    """
    counts = np.asarray(state.counts, np.float64)[:, None]
    lowest = np.asarray(state.lowest, np.float64)
    lowest = np.where(np.isfinite(lowest), lowest, 0.0)
    # Rounding may leave a class of minima a hair below 0.
    sums = np.maximum(np.asarray(state.sums, np.float64) - counts * lowest, 0.0)
    constant = sums.sum(axis=0) <= 1e-6 * counts.sum() * np.abs(lowest)
    return _from_sums(np.where(constant, 0.0, sums))


def _from_sums(sums: Float[np.ndarray, "C F"]) -> float:
    shares = sums / np.maximum(sums.sum(axis=0), _SUM_GUARD)
    return float(1.0 - shares.max(axis=0).mean())
