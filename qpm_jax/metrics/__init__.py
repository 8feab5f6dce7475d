"""Accuracy and the interpretability metrics (docs/formulas.md, Metrics).

All are fractions. Those of features (class-independence, contrastiveness, correlation)
are for training features; accuracy and SID@k for test images, the latter streamed with
`sid_init`, `sid_update` and `sid_finish`; structural grounding is for class weights.
"""

from qpm_jax.metrics.accuracy import accuracy
from qpm_jax.metrics.class_independence import class_independence
from qpm_jax.metrics.contrastiveness import contrastiveness, feature_overlaps
from qpm_jax.metrics.correlation import correlation
from qpm_jax.metrics.sid import SidState, sid_at_k, sid_finish, sid_init, sid_update
from qpm_jax.metrics.structural_grounding import (
    class_attribute_similarity,
    structural_grounding,
)

__all__ = [
    "SidState",
    "accuracy",
    "class_attribute_similarity",
    "class_independence",
    "contrastiveness",
    "correlation",
    "feature_overlaps",
    "sid_at_k",
    "sid_finish",
    "sid_init",
    "sid_update",
    "structural_grounding",
]
