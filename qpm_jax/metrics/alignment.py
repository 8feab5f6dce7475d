"""Alignment: does a feature mean one of the attributes people have words for?

From Q-SENN (arXiv 2312.13839), with attributes known for every image: a feature's lift
for an attribute is how much higher it is where the attribute is present than where it
is absent, in units of its mean activation. Images in which nobody can tell, such as
those that hide the part, count for neither.
"""

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from qpm_jax.statistics import inputs


@flax.struct.dataclass
class AlignmentState:
    """Sums over the samples so far.

    Attributes:
        present: sums of the features where an attribute is present.
        absent: the same where it is absent.
        num_present: number of samples with the attribute.
        num_absent: number of samples without it.
        sums: of the features over all samples.
        lowest: smallest value of each feature; inf before any sample.
        counted: number of samples.
    """

    present: Float[Array, "F A"]
    absent: Float[Array, "F A"]
    num_present: Int[Array, " A"]
    num_absent: Int[Array, " A"]
    sums: Float[Array, " F"]
    lowest: Float[Array, " F"]
    counted: Int[Array, ""]


def alignment(
    features: Float[ArrayLike, "N F"], attributes: Int[ArrayLike, "N A"]
) -> float:
    """Returns the mean over features of the largest lift (see `attribute_lifts`).

    Raises:
        ValueError: shapes that do not fit, NaN, or values other than 1, 0 and -1.
    """
    return mean_alignment(attribute_lifts(features, attributes))


def attribute_lifts(
    features: Float[ArrayLike, "N F"], attributes: Int[ArrayLike, "N A"]
) -> Float[np.ndarray, "F A"]:
    """Returns how much higher each feature is where each attribute is present.

        (mean f where present − mean f where absent) / mean(f − min f)

    Args:
        features: one row a sample.
        attributes: 1 where present, 0 where absent, -1 where it cannot be told.

    Returns:
        The lifts; NaN for an attribute that is present, or absent, nowhere; 0 for a
        constant feature.

    Raises:
        ValueError: shapes that do not fit, NaN, or values other than 1, 0 and -1.
    """
    features = inputs.table("features", features, "NF")
    attributes = np.asarray(attributes)
    if attributes.ndim != 2 or len(attributes) != len(features):
        raise ValueError(
            f"attributes must be [N,A] with the {len(features)} samples of features, "
            f"got shape {attributes.shape}"
        )
    if not np.isin(attributes, (-1, 0, 1)).all():
        raise ValueError(
            "attributes must be 1 (present), 0 (absent) or -1 (cannot be told), got "
            "other values; set a threshold first"
        )
    state = alignment_init(features.shape[1], attributes.shape[1])
    return alignment_finish(_update(state, features, attributes))


def alignment_init(num_features: int, num_attributes: int) -> AlignmentState:
    """Returns the state before any sample.

    Raises:
        ValueError: a number below 1.
    """
    num_features = inputs.at_least_one("num_features", num_features)
    num_attributes = inputs.at_least_one("num_attributes", num_attributes)
    sums = jnp.zeros((num_features, num_attributes), jnp.float32)
    counts = jnp.zeros(num_attributes, jnp.int32)
    return AlignmentState(
        present=sums,
        absent=sums,
        num_present=counts,
        num_absent=counts,
        sums=jnp.zeros(num_features, jnp.float32),
        lowest=jnp.full(num_features, jnp.inf, jnp.float32),
        counted=jnp.zeros((), jnp.int32),
    )


def alignment_update(
    state: AlignmentState,
    features: Float[ArrayLike, "N F"],
    attributes: Int[ArrayLike, "N A"],
    valid: Bool[ArrayLike, " N"] | None = None,
) -> AlignmentState:
    """Returns the state after one more batch; pure and jittable.

    Args:
        state: what came before.
        features: one row a sample; summed in float32.
        attributes: 1 where present, 0 where absent, anything else where it cannot be
            told.
        valid: samples that count, all by default; the others may hold anything.
    """
    features = jnp.asarray(features, jnp.float32)
    attributes = jnp.asarray(attributes)
    valid = jnp.ones(len(features), bool) if valid is None else jnp.asarray(valid)
    present = (attributes == 1) & valid[:, None]
    absent = (attributes == 0) & valid[:, None]
    known = jnp.where(valid[:, None], features, 0.0)

    def sums(where: Bool[Array, "N A"]) -> Float[Array, "F A"]:
        chosen = where.astype(jnp.float32)
        return jnp.matmul(known.T, chosen, precision=jax.lax.Precision.HIGHEST)

    seen = jnp.where(valid[:, None], features, jnp.inf)
    return AlignmentState(
        present=state.present + sums(present),
        absent=state.absent + sums(absent),
        num_present=state.num_present + jnp.sum(present, axis=0, dtype=jnp.int32),
        num_absent=state.num_absent + jnp.sum(absent, axis=0, dtype=jnp.int32),
        sums=state.sums + jnp.sum(known, axis=0),
        lowest=jnp.minimum(state.lowest, seen.min(axis=0)),
        counted=state.counted + jnp.sum(valid, dtype=jnp.int32),
    )


_update = jax.jit(alignment_update)


def alignment_finish(state: AlignmentState) -> Float[np.ndarray, "F A"]:
    """Returns the lifts of all samples given; see `attribute_lifts`."""
    present, absent, sums, lowest = (
        np.asarray(values, np.float64)
        for values in (state.present, state.absent, state.sums, state.lowest)
    )
    with_it, without = np.asarray(state.num_present), np.asarray(state.num_absent)
    difference = present / np.maximum(with_it, 1) - absent / np.maximum(without, 1)
    mean = sums / max(int(state.counted), 1)
    activation = mean - np.where(np.isfinite(lowest), lowest, 0.0)
    dead = activation <= 1e-6 * np.maximum(1.0, np.abs(mean))
    lifts = np.where(dead, 0.0, difference.T / np.where(dead, 1.0, activation)).T
    return np.where((with_it > 0) & (without > 0), lifts, np.nan)


def mean_alignment(lifts: Float[np.ndarray, "F A"]) -> float:
    """Returns the mean over features of the largest lift; 0.0 where there is none."""
    known = ~np.isnan(lifts).any(axis=0)
    return float(lifts[:, known].max(axis=1).mean()) if known.any() else 0.0
