"""What the phases minimise: cross-entropy, distillation, the feature diversity loss.

The feature diversity loss L_div comes from the SLDD-Model and is used unchanged by QPM
(arXiv 2502.20130, sections 3 and 4): it rewards a sample whose most relevant features
look at different places. All losses are pure and differentiable, made to be traced
inside a jitted step, so they check shapes only, never values.
"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

# Both guards are the published ones; they are part of the definition.
_NORM_GUARD = 1e-5
_MEAN_GUARD = 1e-6


def cross_entropy(
    logits: Float[ArrayLike, "N C"],
    labels: Int[ArrayLike, " N"],
    valid: Bool[ArrayLike, " N"] | None = None,
    smoothing: float = 0.0,
) -> Float[Array, ""]:
    """Returns the mean negative log-likelihood of the labels, in nats.

    Args:
        logits: unnormalised class scores.
        labels: class of each sample, 0..C-1.
        valid: samples that count; the others pad a batch to its fixed size. All by
            default. With no valid sample the loss is 0.
        smoothing: share of each target that is spread evenly over all classes.

    Raises:
        ValueError: shapes that do not fit together.
    """
    logits, labels = jnp.asarray(logits), jnp.asarray(labels)
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise ValueError(
            f"logits must be [N,C] and labels [N], got {logits.shape} and "
            f"{labels.shape}; give one row of logits and one label a sample"
        )
    scores = jax.nn.log_softmax(logits, axis=-1)
    picked = jnp.take_along_axis(scores, labels[:, None], axis=-1)[:, 0]
    if smoothing:
        picked = (1 - smoothing) * picked + smoothing * scores.mean(axis=-1)
    if valid is None:
        return -jnp.mean(picked)
    valid = jnp.asarray(valid)
    if valid.shape != labels.shape:
        raise ValueError(
            f"valid must have the shape of labels {labels.shape}, got {valid.shape}"
        )
    total = jnp.sum(jnp.where(valid, picked, 0.0))
    return -total / jnp.maximum(jnp.sum(valid), 1)


def distillation_loss(
    logits: Float[ArrayLike, "N C"],
    teacher_logits: Float[ArrayLike, "N C"],
    temperature: float = 1.0,
) -> Float[Array, ""]:
    """Returns how far answers are from a teacher's: T² KL(softmax(t/T) ‖ softmax(z/T)).

    Knowledge distillation (Hinton et al., arXiv 1503.02531, section 2.1); not in QPM's
    paper. The factor T² keeps its gradient's size whatever the temperature.

    Args:
        logits: unnormalised class scores, z.
        teacher_logits: the teacher's, t; no gradient passes through them.
        temperature: T, above 0; the higher, the more the small chances count.

    Returns:
        The mean over the samples, in nats.

    Raises:
        ValueError: shapes that differ.
    """
    logits, teacher = jnp.asarray(logits), jnp.asarray(teacher_logits)
    if logits.ndim != 2 or logits.shape != teacher.shape:
        raise ValueError(
            f"logits and teacher_logits must both be [N,C], got {logits.shape} and "
            f"{teacher.shape}; give one row of each a sample"
        )
    target = jax.nn.log_softmax(jax.lax.stop_gradient(teacher) / temperature, axis=-1)
    scores = jax.nn.log_softmax(logits / temperature, axis=-1)
    apart = jnp.sum(jnp.exp(target) * (target - scores), axis=-1)
    return temperature**2 * jnp.mean(apart)


def feature_diversity_loss(
    feature_maps: Float[ArrayLike, "N H W F"],
    logits: Float[ArrayLike, "N C"],
    kernel: Float[ArrayLike, "F C"],
    beta: float = 0.196,
) -> Float[Array, ""]:
    """Returns L_div: how much the relevant features of a sample look at one place.

    With c the predicted class (never the label), w = |kernel[:, c]| scaled to length 1,
    g_f the mean of map f relative to the largest mean, and S_f the softmax of map f
    over its positions:

        L_div = -beta / N * sum over samples and positions p of max_f S_f(p) g_f w_f

    Lower is more diverse; with non-negative maps the value lies in (-beta·sqrt(F), 0].
    Gradients flow to the maps (through S and g) and to the kernel, not to the logits.
    Features tied at a position share its gradient equally; the largest mean passes its
    gradient to the first feature that attains it.

    Published quirk, kept: where every mean of a sample is negative, the guard on the
    largest mean makes g, and with it the loss, huge. Backbones here end in a ReLU.

    Args:
        feature_maps: maps before pooling, features last.
        logits: scores that decide which class is predicted.
        kernel: weights of the final layer, as in a Flax Dense.
        beta: weight of the loss; 0.196 in the paper for ResNets.

    Raises:
        ValueError: shapes that do not fit together.

    Source: arXiv 2502.20130 (from the SLDD-Model).
    """
    feature_maps, logits = jnp.asarray(feature_maps), jnp.asarray(logits)
    kernel = jnp.asarray(kernel)
    _check_shapes(feature_maps.shape, logits.shape, kernel.shape)
    relevance = _relevance(kernel, jnp.argmax(logits, axis=-1))  # [N,F]
    scale = _relative_means(feature_maps)  # [N,F]
    attention = jax.nn.softmax(feature_maps, axis=(1, 2))  # [N,H,W,F]
    weighted = attention * (scale * relevance)[:, None, None, :]
    coverage = jnp.sum(jnp.max(weighted, axis=-1), axis=(1, 2))  # [N]
    return -beta * jnp.mean(coverage)


def _relevance(
    kernel: Float[Array, "F C"], predicted: Int[Array, " N"]
) -> Float[Array, "N F"]:
    """Returns |w| of each sample's predicted class, scaled to length 1."""
    rows = jnp.abs(jnp.take(kernel, predicted, axis=1).T)
    squared = jnp.sum(rows**2, axis=-1, keepdims=True)
    # sqrt has no finite gradient at 0: a class without weights gets none.
    empty = squared == 0
    norm = jnp.where(empty, 0.0, jnp.sqrt(jnp.where(empty, 1.0, squared)))
    return rows / (norm + _NORM_GUARD)


def _relative_means(feature_maps: Float[Array, "N H W F"]) -> Float[Array, "N F"]:
    """Returns the spatial means divided by the sample's largest one."""
    means = jnp.mean(feature_maps, axis=(1, 2))
    # A gather, not a max: ties must not share this gradient (see the docstring above).
    first = jnp.argmax(means, axis=-1, keepdims=True)
    largest = jnp.take_along_axis(means, first, axis=-1)
    return means / jnp.maximum(largest, _MEAN_GUARD)


def _check_shapes(
    maps: tuple[int, ...], logits: tuple[int, ...], kernel: tuple[int, ...]
) -> None:
    if len(maps) != 4 or 0 in maps:
        raise ValueError(
            f"feature_maps must be [N,H,W,F] without an empty axis, got {maps}"
        )
    if len(logits) != 2 or logits[0] != maps[0]:
        raise ValueError(
            f"logits must be [N,C] with the {maps[0]} samples of feature_maps, "
            f"got {logits}"
        )
    if kernel != (maps[3], logits[1]):
        raise ValueError(
            f"kernel must be [F,C] = {(maps[3], logits[1])}, features of feature_maps "
            f"by classes of logits, got {kernel}; transpose a [C,F] weight matrix"
        )
