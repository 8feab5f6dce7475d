"""SID@k, scale-invariant diversity: how far apart a class's top features look.

For a sample with predicted class c (QPM, arXiv 2502.20130): take the k features with
the largest signed weights of c; divide each map by max(mean |map|, 1e-5); apply softmax
over positions; sum over positions the largest of the k values; divide by k. The mean
over samples lies in [1/k, 1]; 1 means that no two of the features share a place.
Samples whose class has fewer than k nonzero weights do not count.

Every sample given counts; the published evaluation drops the last partial batch. Of
equal weights the feature with the lower index comes first.
"""

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from qpm_jax.metrics.shapes import check_logits, check_weights
from qpm_jax.statistics import inputs

# The published guard on the mean of a map; part of the definition.
_MEAN_GUARD = 1e-5
_CHUNK = 64


@flax.struct.dataclass
class SidState:
    """Sums over the samples so far.

    Attributes:
        total: sum of the samples' values.
        counted: number of samples whose class has at least k nonzero weights.
    """

    total: Float[Array, ""]
    counted: Int[Array, ""]


def sid_at_k(
    feature_maps: Float[ArrayLike, "N H W F"],
    logits: Float[ArrayLike, "N C"],
    weights: Float[ArrayLike, "C F"],
    k: int = 5,
) -> float:
    """Returns SID@k of samples held whole.

    Args:
        feature_maps: maps before pooling of the features that `weights` weigh.
        logits: class scores that decide which class is predicted.
        weights: class weights over the same features.
        k: features of a class that are compared.

    Returns:
        A value in [1/k, 1], or 0.0 where no sample counts.

    Raises:
        ValueError: shapes that do not fit, NaN, or k outside 1..F.
    """
    maps = inputs.table("feature_maps", feature_maps, "NHWF")
    logits = check_logits(logits, len(maps))
    weights = check_weights(weights, logits.shape[1], maps.shape[3])
    if inputs.at_least_one("k", k) > maps.shape[3]:
        raise ValueError(
            f"k must be at most the {maps.shape[3]} features there are, got {k}"
        )
    state = sid_init()
    for start in range(0, len(maps), _CHUNK):
        part = slice(start, start + _CHUNK)
        state = _update(state, maps[part], logits[part], weights, k)
    return sid_finish(state)


def sid_init() -> SidState:
    """Returns the state before any sample."""
    return SidState(total=jnp.zeros((), jnp.float32), counted=jnp.zeros((), jnp.int32))


def sid_update(
    state: SidState,
    feature_maps: Float[ArrayLike, "N H W F"],
    logits: Float[ArrayLike, "N C"],
    weights: Float[ArrayLike, "C F"],
    k: int = 5,
    valid: Bool[ArrayLike, " N"] | None = None,
) -> SidState:
    """Returns the state after one more batch; pure and jittable with k static.

    Args:
        state: what came before.
        feature_maps: maps before pooling; computed in float32.
        logits: class scores of the same samples.
        weights: class weights, the same for every batch.
        k: features of a class that are compared.
        valid: samples that count, all by default; the others may hold anything.
    """
    weights = jnp.asarray(weights, jnp.float32)
    # top_k ranks -0.0 below 0.0; for the order among equal weights they are one.
    weights = jnp.where(weights == 0, 0.0, weights)
    predicted = jnp.argmax(jnp.asarray(logits), axis=-1)
    enough = jnp.sum(weights != 0, axis=-1) >= k
    counts = jnp.take(enough, predicted)
    if valid is not None:
        counts &= jnp.asarray(valid)
    values = _diversity(
        jnp.asarray(feature_maps, jnp.float32),
        jnp.take(jax.lax.top_k(weights, k)[1], predicted, axis=0),
    )
    return SidState(
        total=state.total + jnp.sum(jnp.where(counts, values, 0.0)),
        counted=state.counted + jnp.sum(counts, dtype=jnp.int32),
    )


_update = jax.jit(sid_update, static_argnames="k")


def _diversity(
    maps: Float[Array, "N H W F"], chosen: Int[Array, "N k"]
) -> Float[Array, " N"]:
    """Returns the value of each sample, from the maps of its k chosen features."""
    maps = jnp.take_along_axis(maps, chosen[:, None, None, :], axis=-1)  # [N,H,W,k]
    size = jnp.mean(jnp.abs(maps), axis=(1, 2), keepdims=True)
    attention = jax.nn.softmax(maps / jnp.maximum(size, _MEAN_GUARD), axis=(1, 2))
    return jnp.sum(jnp.max(attention, axis=-1), axis=(1, 2)) / chosen.shape[-1]


def sid_finish(state: SidState) -> float:
    """Returns SID@k of all samples given; 0.0 where none counts, as published."""
    counted = int(np.asarray(state.counted))
    return float(np.asarray(state.total, np.float64)) / counted if counted else 0.0
