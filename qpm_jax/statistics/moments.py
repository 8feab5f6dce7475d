"""Mean and standard deviation of every feature over the training set.

They normalise the features in front of QPM's binary head (docs/formulas.md, Model and
head) and are what the similarity A is built on. The streaming form holds, in float32 on
the device, the mean relative to a typical sample and the centred squares, and merges
batches with the pairwise update of Chan, Golub and LeVeque (1979). So large means cost
no digits: after thousands of batches it agrees with float64 to about 1e-6 of a standard
deviation.
"""

from dataclasses import replace

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from qpm_jax.statistics import inputs


@flax.struct.dataclass
class MomentsState:
    """What is known of the features after some batches.

    Attributes:
        count: number of samples.
        shift: origin of the offsets, fixed by the first batch that has a sample.
        offset: mean of the samples, minus shift.
        squares: sum of squared differences from the mean.
    """

    count: Int[Array, ""]
    shift: Float[Array, " F"]
    offset: Float[Array, " F"]
    squares: Float[Array, " F"]


@flax.struct.dataclass
class CentredBatch:
    """A batch as differences from its own mean; padding is 0.

    Attributes:
        count: number of valid samples.
        offset: the batch's mean, minus the state's shift.
        values: features minus the batch's mean.
    """

    count: Int[Array, ""]
    offset: Float[Array, " F"]
    values: Float[Array, "N F"]


def moments_init(num_features: int) -> MomentsState:
    """Returns the state before any sample."""
    zeros = jnp.zeros(inputs.at_least_one("num_features", num_features), jnp.float32)
    return MomentsState(
        count=jnp.zeros((), jnp.int32), shift=zeros, offset=zeros, squares=zeros
    )


def moments_update(
    state: MomentsState,
    features: Float[ArrayLike, "N F"],
    valid: Bool[ArrayLike, " N"] | None = None,
) -> MomentsState:
    """Returns the state after one more batch; pure and jittable.

    Args:
        state: what came before.
        features: one row a sample; computed in float32.
        valid: samples that count, all by default; the others may hold anything.
    """
    state, batch = centre_batch(state, features, valid)
    return merge_batch(state, batch)


def centre_batch(
    state: MomentsState,
    features: Float[ArrayLike, "N F"],
    valid: Bool[ArrayLike, " N"] | None = None,
) -> tuple[MomentsState, CentredBatch]:
    """Returns the state with its shift set, and the batch around its own mean."""
    features = jnp.asarray(features, jnp.float32)
    if valid is None:
        valid = jnp.ones(features.shape[0], bool)
    valid = jnp.asarray(valid)
    # A sample itself is the first origin: a constant feature's offsets are exactly 0.
    sample = jnp.take(features, jnp.argmax(valid), axis=0)
    sample = jnp.where(jnp.any(valid), sample, 0.0)
    count = jnp.sum(valid, dtype=jnp.int32)
    size = jnp.maximum(count, 1).astype(jnp.float32)
    keep = valid[:, None]
    first = sample + jnp.sum(jnp.where(keep, features - sample, 0.0), axis=0) / size
    shift = jnp.where(state.count == 0, first, state.shift)
    values = jnp.where(keep, features - shift, 0.0)
    offset = jnp.sum(values, axis=0) / size
    values = jnp.where(keep, values - offset, 0.0)
    return replace(state, shift=shift), CentredBatch(count, offset, values)


def merge_batch(state: MomentsState, batch: CentredBatch) -> MomentsState:
    """Returns the state that includes the batch (the pairwise update)."""
    count = state.count + batch.count
    delta = batch.offset - state.offset
    # Whole batches weigh nothing where they hold no valid sample.
    share = batch.count / jnp.maximum(count, 1).astype(jnp.float32)
    squares = jnp.sum(batch.values**2, axis=0)
    return replace(
        state,
        count=count,
        offset=state.offset + delta * share,
        squares=state.squares + squares + delta**2 * share * state.count,
    )


def moments_finish(
    state: MomentsState,
) -> tuple[Float[np.ndarray, " F"], Float[np.ndarray, " F"]]:
    """Returns mean and population standard deviation (ddof 0), float64 [F] each.

    Raises:
        ValueError: no sample was given.
    """
    state = jax.device_get(state)
    if state.count < 1:
        raise ValueError("state holds no sample; update it with a batch first")
    mean = np.asarray(state.shift, np.float64) + state.offset
    return mean, np.sqrt(np.asarray(state.squares, np.float64) / int(state.count))


def feature_moments(
    features: Float[ArrayLike, "N F"],
) -> tuple[Float[np.ndarray, " F"], Float[np.ndarray, " F"]]:
    """Returns mean and population standard deviation of features held whole.

    Args:
        features: one row a sample.

    Returns:
        float64 [F] each, from two passes in float64.

    Raises:
        ValueError: features that are not [N,F], are empty, or hold NaN or infinity.
    """
    features = inputs.table("features", features, "NF")
    mean = features.mean(axis=0, dtype=np.float64)
    squares = np.zeros_like(mean)
    for chunk in row_chunks(features):
        squares += np.sum((chunk - mean) ** 2, axis=0)
    return mean, np.sqrt(squares / len(features))


def row_chunks(
    values: Float[np.ndarray, "N F"], rows: int = 4096
) -> list[Float[np.ndarray, "n F"]]:
    """Returns views of `rows` rows, so that float64 copies of them stay small."""
    return [values[start : start + rows] for start in range(0, len(values), rows)]
