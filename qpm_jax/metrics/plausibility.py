"""Plausibility: does the predicted class see the object, or what is around it?

From DINO-QPM (arXiv 2604.07166): with the class activation map G of the predicted class
minus its minimum, the share sum(G · mask) / sum(G), mean over samples. Masks are at the
maps' resolution; for the published value they are widened by one position (`dilate`).
Masks of parts instead of the whole object say how the class's activation divides among
them.
"""

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from qpm_jax.metrics.class_map import class_map
from qpm_jax.metrics.shapes import check_logits, check_weights
from qpm_jax.statistics import inputs

_CHUNK = 64


@flax.struct.dataclass
class PlausibilityState:
    """Sums over the samples so far.

    Attributes:
        total: sum of the samples' shares, one a mask.
        counted: number of samples.
    """

    total: Float[Array, " P"]
    counted: Int[Array, ""]


def plausibility(
    feature_maps: Float[ArrayLike, "N H W F"],
    logits: Float[ArrayLike, "N C"],
    weights: Float[ArrayLike, "C F"],
    masks: Float[ArrayLike, "N H W"],
) -> float:
    """Returns the mean share of the predicted class's activation inside the masks.

    Args:
        feature_maps: maps before pooling of the features that `weights` weigh.
        logits: class scores that decide which class is predicted.
        weights: class weights over the same features.
        masks: where the object is, at the maps' resolution: booleans, or how much of
            each position it covers, in [0,1].

    Returns:
        A value in [0, 1]; a sample whose map is constant counts as 0, as published.

    Raises:
        ValueError: shapes that do not fit, NaN, or masks outside [0,1].
    """
    masks = inputs.table("masks", masks, "NHW")
    shares = part_plausibility(feature_maps, logits, weights, masks[..., None])
    return float(shares[0])


def part_plausibility(
    feature_maps: Float[ArrayLike, "N H W F"],
    logits: Float[ArrayLike, "N C"],
    weights: Float[ArrayLike, "C F"],
    masks: Float[ArrayLike, "N H W P"],
) -> Float[np.ndarray, " P"]:
    """Returns the mean share inside each of P masks a sample; see `plausibility`."""
    maps = inputs.table("feature_maps", feature_maps, "NHWF")
    logits = check_logits(logits, len(maps))
    weights = check_weights(weights, logits.shape[1], maps.shape[3])
    masks = inputs.table("masks", masks, "NHWP")
    if masks.shape[:3] != maps.shape[:3]:
        raise ValueError(
            f"masks must have the samples and positions of feature_maps, "
            f"{maps.shape[:3]}, got {masks.shape[:3]}; see coverage_on_map"
        )
    if masks.min() < 0 or masks.max() > 1:
        raise ValueError(
            f"masks must lie in [0,1], got {masks.min()}..{masks.max()}; scale them"
        )
    state = plausibility_init(masks.shape[3])
    for start in range(0, len(maps), _CHUNK):
        part = slice(start, start + _CHUNK)
        state = _update(state, maps[part], logits[part], weights, masks[part])
    return plausibility_finish(state)


def plausibility_init(num_masks: int = 1) -> PlausibilityState:
    """Returns the state before any sample.

    Raises:
        ValueError: a number below 1.
    """
    return PlausibilityState(
        total=jnp.zeros(inputs.at_least_one("num_masks", num_masks), jnp.float32),
        counted=jnp.zeros((), jnp.int32),
    )


def plausibility_update(
    state: PlausibilityState,
    feature_maps: Float[ArrayLike, "N H W F"],
    logits: Float[ArrayLike, "N C"],
    weights: Float[ArrayLike, "C F"],
    masks: Float[ArrayLike, "N H W P"],
    valid: Bool[ArrayLike, " N"] | None = None,
) -> PlausibilityState:
    """Returns the state after one more batch; pure and jittable.

    Args:
        state: what came before.
        feature_maps: maps before pooling; computed in float32.
        logits: class scores of the same samples.
        weights: class weights, the same for every batch.
        masks: P masks a sample, at the maps' resolution.
        valid: samples that count, all by default; the others may hold anything.
    """
    predicted = jnp.argmax(jnp.asarray(logits), axis=-1)
    activation = class_map(feature_maps, weights, predicted)
    activation -= activation.min(axis=(1, 2), keepdims=True)
    whole = jnp.sum(activation, axis=(1, 2))
    inside = jnp.einsum(
        "nhw,nhwp->np",
        activation,
        jnp.asarray(masks, jnp.float32),
        precision=jax.lax.Precision.HIGHEST,
    )
    some = (whole > 0)[:, None]
    shares = jnp.where(some, inside / jnp.where(some, whole[:, None], 1.0), 0.0)
    valid = jnp.ones(len(shares), bool) if valid is None else jnp.asarray(valid)
    return PlausibilityState(
        total=state.total + jnp.sum(jnp.where(valid[:, None], shares, 0.0), axis=0),
        counted=state.counted + jnp.sum(valid, dtype=jnp.int32),
    )


_update = jax.jit(plausibility_update)


def plausibility_finish(state: PlausibilityState) -> Float[np.ndarray, " P"]:
    """Returns the mean share inside each mask; 0 without any sample."""
    return np.asarray(state.total, np.float64) / max(int(state.counted), 1)


def dilate(masks: Bool[ArrayLike, "N H W"]) -> Bool[np.ndarray, "N H W"]:
    """Returns the masks widened by one position, diagonals included (3×3 square)."""
    padded = np.pad(np.asarray(masks, bool), ((0, 0), (1, 1), (1, 1)))
    rows = padded[:, :-2] | padded[:, 1:-1] | padded[:, 2:]
    return rows[:, :, :-2] | rows[:, :, 1:-1] | rows[:, :, 2:]


def coverage_on_map(
    masks: Bool[ArrayLike, "N h w"], size: tuple[int, int]
) -> Float[np.ndarray, "N H W"]:
    """Returns how much of each position of a map the masks of pixels cover, in [0,1].

    With it `plausibility` is the share of the activation inside the masks' pixels. The
    published masks are `dilate(coverage > 0)`, but for thin parts, which are missed
    there because each mask is only sampled at the positions' centres.

    Args:
        masks: true where the object is.
        size: (H, W) of the maps.

    Raises:
        ValueError: masks that are not [N,h,w], or a size below 1.
    """
    masks = np.asarray(masks, bool)
    if masks.ndim != 3 or 0 in masks.shape:
        raise ValueError(f"masks must be [N,h,w] and not empty, got {masks.shape}")
    down, across = (
        _overlap(pixels, inputs.at_least_one("size", positions))
        for pixels, positions in zip(masks.shape[1:], size, strict=True)
    )
    return np.clip(down @ masks.astype(np.float64) @ across.T, 0.0, 1.0)


def _overlap(pixels: int, positions: int) -> Float[np.ndarray, "P p"]:
    """Returns which share of each position each pixel of the same length is."""
    # In units of 1 / (pixels · positions), so that all edges are whole numbers.
    position, pixel = np.arange(positions)[:, None], np.arange(pixels)
    end = np.minimum((position + 1) * pixels, (pixel + 1) * positions)
    start = np.maximum(position * pixels, pixel * positions)
    return np.maximum(end - start, 0) / pixels
