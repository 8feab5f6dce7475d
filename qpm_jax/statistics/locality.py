"""b: which features look at one inner place of the image.

Stated in docs/formulas.md, Statistics A, R, b (from QPM, arXiv 2502.20130).

Two sums over the training images, both weighted by a feature's share of the image's
activation, r_if = f_if / sum_f' f_if' with f the spatial mean of its map:

    loc_f  = (1/N) sum_i r_if · max_p softmax_p(map_if)       how peaked the map is
    edge_f = -(1/N) sum_i r_if · [its peak lies on the border]

and, with C the clip-and-scale of `clip_and_scale`,

    b = C( C(loc) where C(edge) >= 0, otherwise min C(loc) )

so that a feature whose peaks lie on the border more than usual gets the worst value.

Deviations from the published code (QPM, compute_B.py), on purpose: shares always belong
to the sample whose map they weigh (there, a last partial batch takes another's); a
sample that activates nothing has share 0 (there, NaN); the border is the true one on
both axes (there, the height serves for both); equal values give 0 (there, NaN).
"""

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from qpm_jax.statistics import inputs

# Largest |b|, from the published code: sqrt(10) · 0.1.
LARGEST_BIAS = 0.1 * np.sqrt(10.0)
# Samples at a time where maps are given whole: what one softmax may copy.
_CHUNK = 64


@flax.struct.dataclass
class LocalityState:
    """Sums over the samples so far.

    Attributes:
        count: number of samples.
        peak: sum over samples of share · largest softmax value.
        border: sum over samples of share, where the peak lies on the border.
    """

    count: Int[Array, ""]
    peak: Float[Array, " F"]
    border: Float[Array, " F"]


def locality_bias(feature_maps: Float[ArrayLike, "N H W F"]) -> Float[np.ndarray, " F"]:
    """Returns b of feature maps held whole, in chunks of samples.

    Args:
        feature_maps: non-negative maps before pooling, features last.

    Returns:
        float64 within ±sqrt(10)/10; 0 where all features are alike.

    Raises:
        ValueError: maps that are not [N,H,W,F], are empty, or hold NaN or infinity.
    """
    maps = inputs.table("feature_maps", feature_maps, "NHWF")
    state = locality_init(maps.shape[-1])
    for start in range(0, len(maps), _CHUNK):
        state = _update(state, maps[start : start + _CHUNK])
    return locality_finish(state)


def locality_init(num_features: int) -> LocalityState:
    """Returns the state before any sample."""
    zeros = jnp.zeros(inputs.at_least_one("num_features", num_features), jnp.float32)
    return LocalityState(count=jnp.zeros((), jnp.int32), peak=zeros, border=zeros)


def locality_update(
    state: LocalityState,
    feature_maps: Float[ArrayLike, "N H W F"],
    valid: Bool[ArrayLike, " N"] | None = None,
) -> LocalityState:
    """Returns the state after one more batch; pure and jittable.

    Args:
        state: what came before.
        feature_maps: maps before pooling; computed in float32.
        valid: samples that count, all by default; the others may hold anything.
    """
    maps = jnp.asarray(feature_maps, jnp.float32)
    num, height, width, num_features = maps.shape
    valid = jnp.ones(num, bool) if valid is None else jnp.asarray(valid)
    maps = jnp.where(valid[:, None, None, None], maps, 0.0)
    maps = maps.reshape(num, height * width, num_features)
    means = jnp.mean(maps, axis=1)
    total = jnp.sum(means, axis=1, keepdims=True)
    share = jnp.where(total == 0, 0.0, means / jnp.where(total == 0, 1.0, total))
    # The largest value of a softmax needs no softmax: 1 / sum exp(map - its maximum).
    highest = jnp.max(maps, axis=1, keepdims=True)
    peak = 1.0 / jnp.sum(jnp.exp(maps - highest), axis=1)
    row, column = jnp.divmod(jnp.argmax(maps, axis=1), width)
    on_border = (row == 0) | (row == height - 1)
    on_border |= (column == 0) | (column == width - 1)
    return LocalityState(
        count=state.count + jnp.sum(valid, dtype=jnp.int32),
        peak=state.peak + jnp.sum(share * peak, axis=0),
        border=state.border + jnp.sum(jnp.where(on_border, share, 0.0), axis=0),
    )


_update = jax.jit(locality_update)


def locality_finish(state: LocalityState) -> Float[np.ndarray, " F"]:
    """Returns b as `locality_bias` of all samples would.

    Raises:
        ValueError: no sample was given.
    """
    loc, edge = locality_means(state)
    scaled = clip_and_scale(loc)
    return clip_and_scale(np.where(clip_and_scale(edge) >= 0, scaled, scaled.min()))


def locality_means(
    state: LocalityState,
) -> tuple[Float[np.ndarray, " F"], Float[np.ndarray, " F"]]:
    """Returns loc and edge, float64 [F] each.

    The published edge is a sum and not a mean; the scaling makes them the same.

    Raises:
        ValueError: no sample was given.
    """
    state = jax.device_get(state)
    count = int(state.count)
    if count < 1:
        raise ValueError("state holds no sample; update it with a batch first")
    peak, border = np.asarray(state.peak), np.asarray(state.border)
    return peak.astype(np.float64) / count, -border.astype(np.float64) / count


def clip_and_scale(
    values: Float[ArrayLike, " F"], scale: float = LARGEST_BIAS
) -> Float[np.ndarray, " F"]:
    """Returns values pulled into their largest cluster, centred, |largest| = scale.

    The clusters are those of mean shift (scikit-learn's defaults); of equally large
    ones the first counts. As published, a value below the cluster's range becomes
    |low|·sign(value) and one above it |high|·sign(value): the sign is the value's own,
    not the bound's, and 0 stays 0.

    Args:
        values: one number a feature.
        scale: the largest absolute value of the result.

    Returns:
        float64 [F]; 0 where all values are equal.

    Raises:
        ValueError: values that are not [F], are empty, or hold NaN or infinity.
    """
    values = inputs.table("values", values, "F").astype(np.float64)
    low, high = largest_cluster(values)
    sign = np.sign(values)
    clipped = np.where(values < low, abs(low) * sign, values)
    clipped = np.where(values > high, abs(high) * sign, clipped)
    if clipped.min() == clipped.max():
        return np.zeros_like(clipped)
    centred = clipped - clipped.mean()
    return centred / np.abs(centred).max() * scale


def largest_cluster(values: Float[np.ndarray, " F"]) -> tuple[float, float]:
    """Returns the smallest and the largest value of the largest mean-shift cluster."""
    if values.min() == values.max():  # mean shift has no bandwidth for these
        return float(values[0]), float(values[0])
    from sklearn.cluster import MeanShift

    labels = MeanShift().fit(values[:, None]).labels_
    members = values[labels == np.bincount(labels).argmax()]
    return float(members.min()), float(members.max())
