"""What the assignment problem is made of: A, R and b, streamed over the training set.

`init`, `update` and `finish` give all of them, and the features' mean and standard
deviation, from one pass; each also has its own streaming triple and a function of
arrays held whole. `shared_init`, `shared_update` and `shared_sums` do the same over
many devices, up to `finish`. Definitions: docs/formulas.md, Statistics A, R, b.
"""

from qpm_jax.statistics.locality import (
    LocalityState,
    clip_and_scale,
    locality_bias,
    locality_finish,
    locality_init,
    locality_update,
)
from qpm_jax.statistics.moments import (
    MomentsState,
    feature_moments,
    moments_finish,
    moments_init,
    moments_update,
)
from qpm_jax.statistics.over_devices import (
    shared_init,
    shared_sums,
    shared_update,
)
from qpm_jax.statistics.redundancy import feature_redundancy
from qpm_jax.statistics.similarity import (
    SimilarityState,
    class_similarity,
    similarity_finish,
    similarity_init,
    similarity_update,
)
from qpm_jax.statistics.stream import (
    Statistics,
    StatisticsState,
    finish,
    init,
    update,
)

__all__ = [
    "LocalityState",
    "MomentsState",
    "SimilarityState",
    "Statistics",
    "StatisticsState",
    "class_similarity",
    "clip_and_scale",
    "feature_moments",
    "feature_redundancy",
    "finish",
    "init",
    "locality_bias",
    "locality_finish",
    "locality_init",
    "locality_update",
    "moments_finish",
    "moments_init",
    "moments_update",
    "shared_init",
    "shared_sums",
    "shared_update",
    "similarity_finish",
    "similarity_init",
    "similarity_update",
    "update",
]
